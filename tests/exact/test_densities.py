"""Log-densities and divergences beside torch's own."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.exact import densities


def test_log_densities_agree_with_torchs() -> None:
    x, mean, log_variance = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    torch.testing.assert_close(densities.gaussian_log_prob(x, mean, log_variance), normal.log_prob(x).sum(1))
    torch.testing.assert_close(densities.gaussian_log_prob(x), torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1))
    bits = (x > 0).double()
    bernoulli = torch.distributions.Bernoulli(logits=mean)
    torch.testing.assert_close(densities.bernoulli_log_prob(bits, mean), bernoulli.log_prob(bits).sum(1))
    # A sure decoder stays finite.
    assert torch.isfinite(densities.bernoulli_log_prob(bits, 500 * mean)).all()


def test_the_divergence_agrees_with_torchs_and_is_least_at_the_prior() -> None:
    mean, log_variance = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(densities.gaussian_kl(mean, log_variance), expected)
    assert densities.gaussian_kl(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="log_variance and mean must have the same shape"):
        densities.gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="logits must have shape"):
        densities.bernoulli_log_prob(torch.zeros(2, 3), torch.zeros(2, 4))


def test_likelihoods_of_what_is_no_ink_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\], 1 being ink, got values from -1 to -1\."):
        densities.bernoulli_log_prob(-torch.ones(1), torch.tensor([-10.0]))


def test_a_divergence_needs_covariances() -> None:
    zero, eye = torch.zeros(1, 2), torch.eye(2)
    for bad in (-eye, torch.zeros(2, 2), torch.tensor([[1.0, 0.5], [0.0, 1.0]])):
        with pytest.raises(ValueError, match="cov_b must be symmetric and positive definite"):
            densities.gaussian_kl_full(zero, eye, zero, bad)
