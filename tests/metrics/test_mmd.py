"""Maximum mean discrepancy: closed forms for Gaussians, no bias, and torchmetrics as oracle of the kernel distance."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.image.kid import poly_mmd

from diffusion_teach.metrics.mmd import gaussian, kernel_distance, median_distance, mmd, polynomial

SEEDS = st.integers(0, 1000)


def points(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gaussian_mean(d: int, h: float, shift: float = 0.0) -> float:
    """E k(x, y) for x ~ N(0, I) and y ~ N(m, I), |m| = shift: the density of x − y against the kernel."""
    return (h * h / (h * h + 2)) ** (d / 2) * math.exp(-shift * shift / (2 * (h * h + 2)))


@given(SEEDS, st.integers(2, 15), st.integers(1, 5))
def test_the_kernel_distance_agrees_with_the_oracle(seed: int, n: int, d: int) -> None:
    a, b = points(seed, n, d), points(seed + 1, n, d) + 0.5
    assert kernel_distance(a, b).squared == pytest.approx(float(poly_mmd(a, b)), rel=1e-9, abs=1e-12)


@given(SEEDS, st.integers(2, 8), st.integers(2, 8))
def test_it_is_the_mean_over_pairs_of_different_points(seed: int, n: int, m: int) -> None:
    a, b = points(seed, n, 2), points(seed + 1, m, 2)

    def k(x: torch.Tensor, y: torch.Tensor) -> float:
        return math.exp(-(math.dist(x.tolist(), y.tolist()) ** 2) / (2 * 0.8**2))

    own = [
        sum(k(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j) / (len(s) ** 2 - len(s))
        for s in (a, b)
    ]
    expected = sum(own) - 2 * sum(k(x, y) for x in a for y in b) / (n * m)
    assert mmd(a, b, kernel=gaussian(0.8)).squared == pytest.approx(expected, abs=1e-12)
    assert mmd(b, a, kernel=gaussian(0.8)) == pytest.approx(mmd(a, b, kernel=gaussian(0.8)), abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_mean_is_the_closed_form_of_two_gaussians(shift: float) -> None:
    d, h, repeats = 3, 1.5, 1500
    expected = 2 * gaussian_mean(d, h) - 2 * gaussian_mean(d, h, shift)
    a, b = points(0, repeats, 12, d), points(1, repeats, 9, d)
    b[..., 0] += shift
    values = torch.tensor([mmd(x, y, kernel=gaussian(h)).squared for x, y in zip(a, b, strict=True)])
    error = float(values.std()) / math.sqrt(repeats)
    assert float(values.mean()) == pytest.approx(expected, abs=4.5 * error)


@pytest.mark.parametrize(("n", "m"), [(40, 40), (60, 20)])
@pytest.mark.parametrize("kernel", [gaussian(1.5), polynomial()], ids=["gaussian", "polynomial"])
def test_of_equal_distributions_mean_and_deviation_are_as_stated(
    kernel: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], n: int, m: int
) -> None:
    repeats = 1500
    a, b = points(2, repeats, n, 2), points(3, repeats, m, 2)
    found = [mmd(x, y, kernel=kernel) for x, y in zip(a, b, strict=True)]
    values = torch.tensor([each.squared for each in found], dtype=torch.float64)
    assert float(values.mean()) == pytest.approx(0, abs=4.5 * float(values.std()) / math.sqrt(repeats))
    stated = torch.tensor([each.null_std for each in found], dtype=torch.float64).square().mean().sqrt()
    assert float(values.std()) == pytest.approx(float(stated), rel=0.15)


def test_the_null_deviation_in_closed_form() -> None:
    # E k̃² = E k(x, y)² − 2 E k(x, y) k(x, z) + (E k)², all of them Gaussian integrals
    d, h, n = 2, 1.5, 2000
    squares = gaussian_mean(d, h / math.sqrt(2))
    h2 = h * h
    chains = (h2 * h2 / ((h2 + 1) * (h2 + 3))) ** (d / 2)
    variance = (4 / (n * (n - 1)) + 4 / n**2) * (squares - 2 * chains + gaussian_mean(d, h) ** 2)
    found = mmd(points(4, n, d), points(5, n, d), kernel=gaussian(h))
    assert found.null_std == pytest.approx(math.sqrt(variance), rel=0.03)


def test_the_polynomial_kernel_sees_three_moments_and_the_gaussian_one_all() -> None:
    # The two-point and the three-point law have equal moments up to the third: only the fourth tells them apart
    n = 1200
    two = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(n // 2)[:, None]
    three = torch.tensor([-(3**0.5), 0, 0, 0, 0, 3**0.5], dtype=torch.float64).repeat(n // 6)[:, None]
    three *= (two.square().mean() / three.square().mean()).sqrt()
    blind, sees = mmd(two, three, kernel=polynomial()), mmd(two, three, kernel=gaussian(0.5))
    assert abs(blind.squared) < 5 * blind.null_std
    assert sees.squared > 20 * sees.null_std


@given(SEEDS, st.floats(0.1, 10), st.floats(-100, 100))
def test_with_the_median_bandwidth_neither_scale_nor_place_matter(seed: int, scale: float, shift: float) -> None:
    a, b = points(seed, 12, 3), 1.3 * points(seed + 1, 15, 3)
    assert mmd(scale * a + shift, scale * b + shift) == pytest.approx(mmd(a, b), rel=1e-6, abs=1e-9)


def test_the_median_is_that_of_the_pairs() -> None:
    # The distances are 1, 2, 3, 4, 6, 7: torch's median of an even number is the lower one
    assert median_distance(torch.tensor([[0.0], [1.0], [3.0], [7.0]])) == pytest.approx(3)
    assert median_distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mmd(torch.zeros(1, 2), torch.zeros(5, 2)), "len(a) must be between 2 and 5000, got 1"),
        (lambda: mmd(torch.zeros(5, 2), torch.zeros(5001, 2)), "len(b) must be between 2 and 5000, got 5001"),
        (lambda: mmd(torch.zeros(5, 2), torch.zeros(5, 3)), "b must have shape"),
        (lambda: mmd(torch.zeros(5, 2), torch.zeros(5, 2)), "the median distance of the points is 0"),
        (lambda: gaussian(0), "bandwidth must be above 0"),
        (lambda: polynomial(0), "degree must be at least 1"),
    ],
)
def test_bad_arguments_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        call()
