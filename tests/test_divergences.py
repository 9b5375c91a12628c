"""What a discriminator measures, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.divergences import (
    entropy,
    jensen_shannon,
    jensen_shannon_of_points,
    kullback_leibler,
    mutual_information,
    wasserstein_of_points,
)

X = torch.linspace(-30, 30, 60_001, dtype=torch.float64)


def _normal(mean: float, std: float) -> torch.Tensor:
    return torch.distributions.Normal(torch.tensor(mean).double(), std).log_prob(X).exp()


@given(st.floats(-5, 5), st.floats(0.2, 3), st.floats(-5, 5), st.floats(0.2, 3))
def test_it_is_symmetric_and_between_its_bounds(a: float, s: float, b: float, r: float) -> None:
    p, q = _normal(a, s), _normal(b, r)
    value = float(jensen_shannon(p, q, X))
    assert value == pytest.approx(float(jensen_shannon(q, p, X)), abs=1e-12)
    assert -1e-9 <= value <= math.log(2) + 1e-9
    assert float(jensen_shannon(p, p, X)) == pytest.approx(0, abs=1e-12)


def test_a_mixture_with_a_known_divergence() -> None:
    """Uniform on [0, 2] and on [1, 3]: half of each mass is shared, so JSD = ½·log 2, whatever the widths."""
    x = torch.linspace(-1, 4, 500_001, dtype=torch.float64)
    p = 0.5 * ((x >= 0) & (x < 2)).double()
    q = 0.5 * ((x >= 1) & (x < 3)).double()
    assert float(jensen_shannon(p, q, x)) == pytest.approx(0.5 * math.log(2), abs=1e-4)


def test_for_close_distributions_it_is_an_eighth_of_the_fisher_information() -> None:
    # KL(p_θ ‖ p_0) ≈ θ²/2 for unit Gaussians and JSD ≈ θ²/8.
    assert float(jensen_shannon(_normal(0, 1), _normal(1e-2, 1), X)) * 8e4 == pytest.approx(1, rel=1e-3)


def test_two_points_are_the_limit_of_two_narrow_bumps() -> None:
    distances = torch.tensor([0.0, 0.7, -2.0], dtype=torch.float64)
    narrow = torch.stack([jensen_shannon(_normal(0, 0.02), _normal(float(d), 0.02), X) for d in distances])
    torch.testing.assert_close(jensen_shannon_of_points(distances), narrow, rtol=0, atol=1e-9)
    assert wasserstein_of_points(distances).tolist() == [0.0, 0.7, 2.0]


def test_their_slopes_in_the_distance() -> None:
    distance = torch.tensor([0.5, 3.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(wasserstein_of_points(distance).sum(), distance)
    assert slope.tolist() == [1.0, 1.0]
    assert not jensen_shannon_of_points(distance).requires_grad  # constant: no slope at all


def test_wrong_arguments_are_named() -> None:
    good = _normal(0, 1)
    with pytest.raises(ValueError, match="q must be a density that integrates to 1"):
        jensen_shannon(good, 2 * good, X)
    with pytest.raises(ValueError, match="p must have shape"):
        jensen_shannon(good[:-1], good, X)
    with pytest.raises(TypeError, match="distance"):
        wasserstein_of_points(1.0)  # type: ignore[arg-type]


@given(st.floats(-3, 3, width=32), st.floats(0.25, 2))
def test_entropy_and_divergence_of_gaussians(mean: float, std: float) -> None:
    """h = ½ log(2πe·s²), and KL(N(m, s²) ‖ N(0, 1)) = ½(s² + m² − 1) − log s."""
    cell = float(X[1] - X[0])
    p = _normal(mean, std) * cell
    assert float(entropy(p, cell)) == pytest.approx(0.5 * math.log(2 * math.pi * math.e * std**2), abs=1e-9)
    # A prior that is 0 to the last digit, far out, would make the divergence infinite.
    near = X.abs() < 20
    q = _normal(0, 1)[near] * cell
    expected = 0.5 * (std**2 + mean**2 - 1) - math.log(std)
    assert float(kullback_leibler(p[near], q)) == pytest.approx(expected, abs=1e-7)


def test_entropy_of_even_ink_is_the_log_of_the_volume() -> None:
    even = torch.full((8, 8), 1 / 64, dtype=torch.float64)
    assert float(entropy(even, 0.25)) == pytest.approx(math.log(16))
    assert float(kullback_leibler(even, even)) == 0
    corner = torch.zeros(8, 8, dtype=torch.float64)
    corner[0, 0] = 1
    assert float(entropy(corner)) == 0
    assert float(kullback_leibler(corner, even)) == pytest.approx(math.log(64))
    assert float(kullback_leibler(even, corner)) == math.inf


def test_information_of_a_gaussian_channel() -> None:
    """I = ½ log(1 + α²s²/σ²): Shannon's formula."""
    cell = float(X[1] - X[0])
    alpha, sigma, std = 0.8, 0.6, 1.7
    noised = _normal(0, math.hypot(alpha * std, sigma)) * cell
    expected = 0.5 * math.log1p((alpha * std / sigma) ** 2)
    assert float(mutual_information(noised, sigma, cell)) == pytest.approx(expected, abs=1e-9)


def test_what_are_no_shares_is_refused() -> None:
    with pytest.raises(ValueError, match="Multiply a density by the size of a cell"):
        entropy(torch.tensor([0.5, 0.6]))
    with pytest.raises(ValueError, match="got values from -0.5 on"):
        kullback_leibler(torch.tensor([-0.5, 1.5]), torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match="same shape"):
        kullback_leibler(torch.tensor([0.5, 0.5]), torch.tensor([1.0]))
    with pytest.raises(ValueError, match="sigma must be above 0"):
        mutual_information(torch.tensor([0.5, 0.5]), 0.0)
