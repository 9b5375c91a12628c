"""Bayes' rule for a linear measurement, against the densities that it is made of."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import MultivariateNormal

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.observation import observed

MIXTURE = GaussianMixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64),
    torch.tensor([[[0.2, 0.16], [0.16, 0.24]], [[0.3, -0.12], [-0.12, 0.2]]], dtype=torch.float64),
)
A = torch.tensor([[1.0, 0.5], [0.0, -1.0], [2.0, 2.0]], dtype=torch.float64)
Y = torch.tensor([0.4, -0.3, 1.0], dtype=torch.float64)


def test_the_posterior_is_prior_times_likelihood_over_a_constant() -> None:
    x = torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    joint = MIXTURE.log_prob(x) + MultivariateNormal(x @ A.T, 0.25 * torch.eye(3).double()).log_prob(Y)
    constant = joint - observed(MIXTURE, A, Y, 0.5).log_prob(x)
    torch.testing.assert_close(constant, constant[:1].expand(30))


def test_a_coordinate_seen_without_noise_is_the_conditional() -> None:
    """Of a Gaussian: mean μ₂ + Σ₂₁/Σ₁₁·(y − μ₁), variance Σ₂₂ − Σ₂₁²/Σ₁₁, and no spread in what was seen."""
    one = GaussianMixture(torch.ones(1), MIXTURE.means[:1], MIXTURE.covariances[:1])
    found = observed(one, torch.tensor([[1.0, 0.0]]), torch.tensor([1.5]), 0.0)
    torch.testing.assert_close(found.means[0], torch.tensor([1.5, 0.8 * 0.5], dtype=torch.float64))
    torch.testing.assert_close(
        found.covariances[0], torch.tensor([[0.0, 0.0], [0.0, 0.24 - 0.16**2 / 0.2]], dtype=torch.float64)
    )


def test_a_hopelessly_noisy_measurement_changes_nothing() -> None:
    found = observed(MIXTURE, A, Y, 1e6)
    torch.testing.assert_close(found.weights, MIXTURE.weights)
    torch.testing.assert_close(found.means, MIXTURE.means)
    torch.testing.assert_close(found.covariances, MIXTURE.covariances)


def test_what_has_no_density_is_refused() -> None:
    with pytest.raises(ValueError, match="std > 0"):
        observed(MIXTURE, A, Y, 0.0)
    with pytest.raises(ValueError, match=r"y must have shape \(3\)"):
        observed(MIXTURE, A, Y[:2], 0.1)
