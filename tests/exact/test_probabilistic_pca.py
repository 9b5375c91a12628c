"""The linear-Gaussian model's closed forms against one another and against integration."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_teach.exact.densities import gaussian_kl, gaussian_kl_full
from diffusion_teach.exact.probabilistic_pca import ProbabilisticPCA, collapse


def _model(seed: int, d: int = 4, j: int = 2, noise: float = 0.5) -> ProbabilisticPCA:
    g = torch.Generator().manual_seed(seed)
    return ProbabilisticPCA(torch.randn(d, j, generator=g).double(), torch.randn(d, generator=g).double(), noise)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 3), st.floats(0.1, 3))
def test_likelihood_is_elbo_plus_divergence_for_every_q(seed: int, d: int, j: int, noise: float) -> None:
    model = _model(seed, d, j, noise)
    g = torch.Generator().manual_seed(seed + 1)
    x = model.sample(5, generator=g)
    mean = torch.randn(5, j, dtype=torch.float64, generator=g)
    root = torch.randn(j, j, dtype=torch.float64, generator=g)
    covariance = root @ root.T + 0.1 * torch.eye(j, dtype=torch.float64)
    kl = gaussian_kl_full(mean, covariance, model.posterior_mean(x), model.posterior_covariance)
    assert (kl >= 0).all()
    torch.testing.assert_close(model.elbo(x, mean, covariance) + kl, model.log_prob(x))
    torch.testing.assert_close(model.elbo(x, model.posterior_mean(x), model.posterior_covariance), model.log_prob(x))


def test_likelihood_is_the_integral_over_the_latent() -> None:
    model = _model(3, d=2, j=1)
    x = model.sample(4, generator=torch.Generator().manual_seed(0))
    z = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    joint = model.log_joint(x.unsqueeze(1), z.view(1, -1, 1)).exp()
    torch.testing.assert_close(torch.trapezoid(joint, z).log(), model.log_prob(x))
    mean = torch.trapezoid(joint * z, z) / torch.trapezoid(joint, z)
    torch.testing.assert_close(mean.unsqueeze(1), model.posterior_mean(x))


def test_samples_have_the_covariance() -> None:
    model = _model(5)
    n = 200_000
    x = model.sample(n, generator=torch.Generator().manual_seed(0))
    scale = model.covariance.diagonal().outer(model.covariance.diagonal()).sqrt()
    assert ((x.T.cov() - model.covariance).abs() < 6 * scale * (2 / n) ** 0.5).all()
    assert ((x.mean(0) - model.offset).abs() < 5 * (model.covariance.diagonal() / n).sqrt()).all()


def test_the_divergence_of_diagonal_gaussians_from_the_prior_is_its_own_formula() -> None:
    g = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 3, dtype=torch.float64, generator=g)
    found = gaussian_kl_full(mean, log_variance.exp().diag_embed(), torch.zeros_like(mean), torch.eye(3).double())
    torch.testing.assert_close(found, gaussian_kl(mean, log_variance))
    with pytest.raises(ValueError, match="cov_a must be symmetric and positive definite"):
        gaussian_kl_full(mean, -torch.eye(3).double(), mean, torch.eye(3).double())


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 5.0])
def test_the_best_linear_decoder_keeps_what_exceeds_beta_times_the_noise(beta: float) -> None:
    """E_x of β-ELBO by autograd ascent over w and q, in one dimension a latent, agrees with the closed form."""
    variances = torch.tensor([4.0, 2.0, 1.1, 0.9, 0.3], dtype=torch.float64)
    noise = 0.5
    w, a = (torch.full((5,), value, dtype=torch.float64, requires_grad=True) for value in (1.0, 0.5))
    log_s = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w, a, log_s], lr=0.02)
    for step in range(4000):
        optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / 4000)
        spread = log_s.exp()
        miss = ((1 - w * a) ** 2 * variances + w**2 * spread) / (2 * noise)
        kl = 0.5 * (a**2 * variances + spread - 1 - log_s)
        optimiser.zero_grad()
        (miss + beta * kl).sum().backward()
        optimiser.step()
    torch.testing.assert_close(w.detach() ** 2, collapse(variances, noise, beta), rtol=1e-3, atol=2e-3)


def test_wrong_arguments_fail_at_the_door() -> None:
    with pytest.raises(ValueError, match="noise must be above 0"):
        ProbabilisticPCA(torch.ones(2, 1), torch.zeros(2), 0.0)
    with pytest.raises(ValueError, match="offset must have shape"):
        ProbabilisticPCA(torch.ones(2, 1), torch.zeros(3), 1.0)
    with pytest.raises(ValueError, match="beta must be above 0"):
        collapse(torch.ones(2), 1.0, 0.0)
