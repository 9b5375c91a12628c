"""The toys have the shapes and numbers of the papers, and curves are smooth."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_teach.datasets import toy2d
from diffusion_teach.exact import GaussianMixture

ALL = [toy2d.ring, toy2d.grid, toy2d.mixture, toy2d.two_moons, toy2d.swiss_roll]


def test_ring_is_the_one_of_the_paper() -> None:
    ring = toy2d.ring()
    assert ring.means.shape == (8, 2)
    torch.testing.assert_close(ring.means.norm(dim=1), torch.ones(8).double())
    torch.testing.assert_close(ring.means[0], torch.tensor([1.0, 0.0]).double())
    nearest = (ring.means - ring.means.roll(1, 0)).norm(dim=1)
    torch.testing.assert_close(nearest, torch.full((8,), 2 * math.sin(math.pi / 8)).double())
    torch.testing.assert_close(ring.covariances, (1e-4 * torch.eye(2)).double().expand(8, 2, 2))


def test_grid_is_the_one_of_the_paper() -> None:
    grid = toy2d.grid()
    assert sorted(set(grid.means.flatten().tolist())) == [-4, -2, 0, 2, 4]
    assert len({tuple(m) for m in grid.means.tolist()}) == 25
    torch.testing.assert_close(grid.covariances[0], (0.0025 * torch.eye(2)).double())


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 9), st.floats(0.1, 5), st.floats(0.001, 0.1))
def test_ring_covariance_is_the_closed_form(modes: int, radius: float, std: float) -> None:
    ring = toy2d.ring(modes, radius, std)
    if modes > 2:  # ½r² + s² in every direction
        expected = (radius**2 / 2 + std**2) * torch.eye(2, dtype=torch.float64)
        torch.testing.assert_close(ring.covariance, expected)
    assert float(ring.covariance.trace()) == pytest.approx(radius**2 + 2 * std**2)


@pytest.mark.parametrize("toy", ALL)
def test_every_toy_is_a_mixture_with_weights_one_and_an_order_one_spread(toy: object) -> None:
    mixture: GaussianMixture = toy()  # type: ignore[operator]
    assert float(mixture.weights.sum()) == pytest.approx(1)
    assert 0.3 < math.sqrt(float(mixture.covariance.trace()) / 2) < 3


@pytest.mark.parametrize("toy", ALL)
def test_unit_spread(toy: object) -> None:
    mixture: GaussianMixture = toy()  # type: ignore[operator]
    scaled = toy2d.unit_spread(mixture)
    torch.testing.assert_close(scaled.mean, torch.zeros(2).double(), atol=1e-12, rtol=0)
    assert float(scaled.covariance.trace()) == pytest.approx(2)
    # A point keeps its distance from its mode, in standard deviations.
    ratio = (scaled.means[0] - scaled.means[-1]).norm() / scaled.covariances[0].trace().sqrt()
    before = (mixture.means[0] - mixture.means[-1]).norm() / mixture.covariances[0].trace().sqrt()
    torch.testing.assert_close(ratio, before)


def test_a_curve_is_smooth_along_its_middle() -> None:
    roll = toy2d.swiss_roll(std=0.05)
    # Half way between two components the density is that of the components up to the bend and the ends.
    inner = slice(20, -20)
    at = roll.log_prob(roll.means)[inner]
    between = roll.log_prob((roll.means[1:] + roll.means[:-1]) / 2)[inner]
    assert float((at[:-1] - between[: len(at) - 1]).abs().max()) < 1e-3


def test_swiss_roll_is_even_along_its_length_and_as_wide_as_said() -> None:
    roll = toy2d.swiss_roll(std=0.05)
    gaps = roll.means.diff(dim=0).norm(dim=1)
    assert float(gaps.max() / gaps.min()) < 1.02
    assert float(roll.means.norm(dim=1).max()) == pytest.approx(2)
    assert float(roll.means.norm(dim=1).min()) == pytest.approx(2 * 0.5 / 2)


def test_moons_are_each_others_point_reflection_and_reach_into_one_another() -> None:
    moons = toy2d.two_moons()
    upper, lower = moons.means.chunk(2)
    torch.testing.assert_close(lower, -upper)
    assert float(upper[:, 1].min()) < float(lower[:, 1].max())
    assert float(upper[:, 0].max()) > float(lower[:, 0].min())


def test_samples_lie_on_the_curve() -> None:
    for toy, std in ((toy2d.two_moons, 0.08), (toy2d.swiss_roll, 0.05)):
        mixture = toy(std)
        x = mixture.sample(2000, generator=torch.Generator().manual_seed(0)).double()
        distance = torch.cdist(x, mixture.means).min(dim=1).values
        # A sample's distance to the nearest point of its curve is at most its distance to its own component.
        assert float((distance > 5 * std).double().mean()) == 0


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: toy2d.ring(0), "modes"),
        (lambda: toy2d.ring(std=0.0), "std"),
        (lambda: toy2d.ring(radius=-1.0), "radius"),
        (lambda: toy2d.grid(side=0), "side"),
        (lambda: toy2d.grid(spacing=float("nan")), "spacing"),
        (lambda: toy2d.two_moons(0.0), "std"),
        (lambda: toy2d.swiss_roll(turns=50.0), "turns"),
    ],
)
def test_wrong_arguments_are_named(call: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        call()  # type: ignore[operator]
