"""What a discriminator measures, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.divergences import jensen_shannon, jensen_shannon_of_points, wasserstein_of_points

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
