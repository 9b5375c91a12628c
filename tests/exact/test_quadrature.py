"""Means by quadrature against moments and entropies in closed form, and the posterior variance against its slope."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.datasets import toy2d
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.quadrature import entropy, expectation

MIXTURE = toy2d.mixture()
GAUSSIAN = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.tensor([[[1.0, 0.6], [0.6, 0.8]]]))


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.0), (0.6, 0.8), (0.0, 1.3)])
def test_moments_are_those_of_the_noised_mixture(alpha: float, sigma: float) -> None:
    noised = MIXTURE.noised(alpha, sigma)
    first = torch.stack([expectation(MIXTURE, lambda x, i=i: x[:, i], alpha, sigma, nodes=4) for i in (0, 1)])
    torch.testing.assert_close(first, noised.mean)
    mixed = expectation(MIXTURE, lambda x: x[:, 0] * x[:, 1], alpha, sigma, nodes=4)
    torch.testing.assert_close(mixed, noised.covariance[0, 1] + noised.mean.prod())
    assert float(expectation(MIXTURE, lambda x: torch.ones(len(x)), alpha, sigma)) == pytest.approx(1)


def test_the_entropy_of_a_gaussian_and_of_far_components() -> None:
    expected = 0.5 * math.log(float((2 * math.pi * math.e * GAUSSIAN.covariances[0]).det()))
    assert float(entropy(GAUSSIAN)) == pytest.approx(expected, rel=1e-12)
    far = GaussianMixture(torch.tensor([1.0, 3.0]), torch.tensor([[0.0], [90.0]]), torch.ones(2))
    choice = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert float(entropy(far, nodes=10)) == pytest.approx(0.5 * math.log(2 * math.pi * math.e) + choice, rel=1e-12)


def test_the_posterior_variance_is_the_slope_of_the_posterior_mean() -> None:
    """Cov[x₀|x_t] = (σ²/α)·∂E[x₀|x_t]/∂x_t."""
    x = 2 * torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for alpha, sigma in ((0.8, 0.6), (1.0, 0.05), (0.1, 1.0), (1.0, 9.0)):

        def mean(point: Tensor, alpha: float = alpha, sigma: float = sigma) -> Tensor:
            return MIXTURE.posterior_mean(point[None], alpha, sigma)[0]

        slopes = torch.stack([torch.autograd.functional.jacobian(mean, point).trace() for point in x])
        torch.testing.assert_close(
            MIXTURE.posterior_variance(x, alpha, sigma), sigma**2 / alpha * slopes, rtol=1e-8, atol=0
        )


def test_the_posterior_variance_of_pure_noise_is_that_of_the_data() -> None:
    x = torch.randn(3, 4, 2, dtype=torch.float64)
    left = MIXTURE.posterior_variance(x, 0.0, 1.0)
    torch.testing.assert_close(left, MIXTURE.covariance.trace().expand(3, 4))
    alpha = torch.full((3,), 0.5, dtype=torch.float64)
    torch.testing.assert_close(MIXTURE.posterior_variance(x, alpha, alpha), MIXTURE.posterior_variance(x, 0.5, 0.5))


def test_several_levels_are_as_good_as_one_by_one() -> None:
    alpha, sigma = (torch.linspace(*ends, 3, dtype=torch.float64) for ends in ((1.0, 0.2), (0.1, 2.0)))
    together = entropy(MIXTURE, alpha, sigma, nodes=8)
    alone = [entropy(MIXTURE, float(a), float(s), nodes=8) for a, s in zip(alpha, sigma, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))


def test_bad_arguments_are_named() -> None:
    four = GaussianMixture(torch.ones(1), torch.zeros(1, 4), torch.ones(1))
    with pytest.raises(ValueError, match="at most 3 dimensions, got 4"):
        expectation(four, lambda x: x[:, 0])
    with pytest.raises(ValueError, match=r"what function\(x\) returns and the points must have the same shape"):
        expectation(MIXTURE, lambda x: x)
    with pytest.raises(ValueError, match="nodes must be between 1 and 200"):
        expectation(MIXTURE, lambda x: x[:, 0], nodes=0)
    with pytest.raises(TypeError, match="mixture must be a GaussianMixture"):
        entropy("ring")  # type: ignore[arg-type]
