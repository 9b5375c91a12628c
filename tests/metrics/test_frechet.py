"""The Fréchet distance against closed forms and an independent matrix root; its floor and its bias."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import frechet
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.metrics.frechet import floor, frechet_distance, frechet_to_test, gaussian_fit, leading_order_bias

seeds = st.integers(0, 10_000)
dimensions = st.integers(1, 6)


def gaussian(seed: int, d: int, rank: int | None = None) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(d, d if rank is None else rank, dtype=torch.float64, generator=generator)
    return torch.randn(d, dtype=torch.float64, generator=generator), factor @ factor.T


@given(seeds, seeds, dimensions)
def test_it_is_the_textbook_formula(seed_a: int, seed_b: int, d: int) -> None:
    (mean_a, cov_a), (mean_b, cov_b) = gaussian(seed_a, d), gaussian(seed_b + 20_000, d)
    root = scipy.linalg.sqrtm((cov_a @ cov_b).numpy())
    oracle = float((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace()) - 2 * np.trace(root).real
    assert frechet_distance(mean_a, cov_a, mean_b, cov_b) == pytest.approx(oracle, rel=1e-6, abs=1e-6)


@given(seeds, seeds, dimensions, st.integers(1, 6))
def test_it_is_symmetric_also_where_a_covariance_is_singular(seed_a: int, seed_b: int, d: int, rank: int) -> None:
    a, b = gaussian(seed_a, d, rank), gaussian(seed_b, d)
    assert frechet_distance(*a, *b) == pytest.approx(frechet_distance(*b, *a), rel=1e-9, abs=1e-9)


@given(seeds, dimensions, st.integers(1, 6))
def test_it_is_zero_at_equality(seed: int, d: int, rank: int) -> None:
    a = gaussian(seed, d, rank)
    assert 0 <= frechet_distance(*a, *a) < 1e-6


@given(seeds, dimensions, st.floats(0.1, 10))
def test_commuting_covariances_in_closed_form(seed: int, d: int, scale: float) -> None:
    # For b = scale·a: |μ_a − scale·μ_a|² + (1 − scale)² tr Σ.
    mean, cov = gaussian(seed, d)
    expected = (1 - scale) ** 2 * float(mean.square().sum() + cov.trace())
    assert frechet_distance(mean, cov, scale * mean, scale**2 * cov) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_fit_is_the_sample_mean_and_the_unbiased_covariance() -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) + 1000
    fit = gaussian_fit(x)
    assert fit.mean.dtype == torch.float64
    np.testing.assert_allclose(fit.mean, x.double().numpy().mean(axis=0))
    np.testing.assert_allclose(fit.covariance, np.cov(x.double().numpy().T))


@pytest.mark.parametrize("spectrum", [[1.0, 1.0, 1.0, 1.0], [10.0, 1.0, 0.1, 0.0]])
def test_two_samples_of_one_gaussian_are_as_far_apart_as_the_leading_order_says(spectrum: list[float]) -> None:
    eigenvalues, n, repeats = torch.tensor(spectrum, dtype=torch.float64), 2000, 300
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(repeats):
        a, b = (torch.randn(2, n, 4, dtype=torch.float64, generator=generator) * eigenvalues.sqrt()).unbind()
        found.append(frechet_distance(*gaussian_fit(a), *gaussian_fit(b)))
    error = np.std(found) / repeats**0.5
    assert np.mean(found) == pytest.approx(leading_order_bias(eigenvalues, n), abs=4 * error)


def test_the_isotropic_bias_is_the_well_known_one() -> None:
    d, n = 84, 2000
    assert leading_order_bias(torch.ones(d), n) == pytest.approx((2 * d + d * (d + 1) / 2) / n)


@pytest.mark.parametrize("judge", JUDGES)
def test_the_floor_lies_below_every_degraded_control(judge: str) -> None:
    n, generator = 1000, torch.Generator().manual_seed(0)
    real = floor(n, draws=4, judge=judge, generator=generator)
    images = mnist.to_model(mnist.load("train")[0][:n])
    assert 0.5 < real.mean < 12
    assert 0 < real.std < real.mean
    noisy = images + 0.5 * torch.randn(images.shape, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1)
    for control in (noisy, blurred, torch.randn(images.shape, generator=generator), images[:1].expand(n, -1, -1, -1)):
        assert frechet_to_test(control, judge) > real.mean + 10 * real.std


def test_the_floor_is_what_its_generator_says_and_falls_with_n() -> None:
    few, again, many = (floor(n, draws=2, generator=torch.Generator().manual_seed(3)) for n in (200, 200, 2000))
    assert few == again
    assert many.mean < few.mean


def test_the_floor_is_of_different_images_from_all_of_the_training_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Tensor] = []
    real = frechet.of_training_images
    monkeypatch.setattr(frechet, "of_training_images", lambda judge, rows: asked.append(rows) or real(judge, rows))
    floor(300, draws=3, generator=torch.Generator().manual_seed(3))
    assert len(asked) == 3
    assert all(len(rows.unique()) == 300 for rows in asked)
    assert all(10_000 < rows.double().mean() < 50_000 and rows.max() > 50_000 for rows in asked)


@pytest.mark.parametrize("judge", JUDGES)
def test_the_test_set_is_at_no_distance_from_itself(judge: str) -> None:
    assert frechet_to_test(mnist.to_model(mnist.load("test")[0]), judge) < 1e-6


EYE, ZERO = torch.eye(2), torch.zeros(2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ZERO, EYE, torch.zeros(3), torch.eye(3)), "same shape"),
        ((ZERO, torch.eye(3), ZERO, EYE), "cov_a must have shape"),
        ((ZERO, EYE, ZERO, -EYE), "cov_b must be positive semi-definite, got the eigenvalue -1"),
        ((ZERO, torch.tensor([[1.0, 0.5], [0.0, 1.0]]), ZERO, EYE), "cov_a must be symmetric"),
        ((ZERO, EYE * torch.nan, ZERO, EYE), "cov_a must be finite"),
        ((torch.zeros(2, 1), EYE, ZERO, EYE), "mean_a must have shape"),
    ],
)
def test_bad_gaussians_are_refused(arguments: tuple[Tensor, Tensor, Tensor, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frechet_distance(*arguments)


def test_bad_samples_are_refused() -> None:
    for bad in (torch.zeros(1, 3), torch.zeros(0, 3), torch.zeros(3)):
        with pytest.raises(ValueError, match="features"):
            gaussian_fit(bad)
    for shape in ((2, 28, 28), (1, 1, 28, 28), (4, 1, 32, 32)):
        with pytest.raises(ValueError, match="images|features"):
            frechet_to_test(torch.zeros(shape))
    with pytest.raises(ValueError, match="NaN"):
        frechet_to_test(torch.full((4, 1, 28, 28), torch.nan))
    for n in (1, 60_001):
        with pytest.raises(ValueError, match="between 2 and 60000"):
            floor(n)
    with pytest.raises(ValueError, match="eigenvalues must not be negative"):
        leading_order_bias(torch.tensor([1.0, -1.0]), 10)


@settings(max_examples=20)
@given(seeds)
def test_float32_covariances_are_taken(seed: int) -> None:
    mean, cov = gaussian(seed, 5, 3)
    assert frechet_distance(mean.float(), cov.float(), mean.float(), cov.float()) < 1e-3
