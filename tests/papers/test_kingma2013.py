"""The paper's estimator against integrals, and against the core."""

from __future__ import annotations

import math

import torch

from diffusion_teach.networks.vae import VAE
from diffusion_teach.objectives import variational
from diffusion_teach.papers import kingma2013


def _normal(mean: float, log_variance: float) -> torch.distributions.Normal:
    return torch.distributions.Normal(mean, math.exp(log_variance / 2))


def test_the_gaussian_kl_is_the_integral() -> None:
    z = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    pairs = [(0.0, 0.0), (1.5, -1.0), (-0.7, 1.2), (0.3, -4.0)]
    expected = []
    for mean, log_variance in pairs:
        q, p = _normal(mean, log_variance), _normal(0.0, 0.0)
        expected.append(torch.trapezoid(q.log_prob(z).exp() * (p.log_prob(z) - q.log_prob(z)), z))
    μ, log_σ2 = torch.tensor(pairs, dtype=torch.float64).T.unsqueeze(-1)
    found = kingma2013.minus_D_KL(μ, log_σ2)
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-6, atol=1e-9)
    # Independent latents: the divergences add up.
    torch.testing.assert_close(kingma2013.minus_D_KL(μ.T, log_σ2.T), found.sum().unsqueeze(0))


def test_reparameterised_draws_have_the_moments_and_the_gradients_of_q() -> None:
    generator = torch.Generator().manual_seed(0)
    μ = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    log_σ2 = torch.tensor([0.4, -0.6], dtype=torch.float64, requires_grad=True)
    n = 200_000
    z = kingma2013.g_φ(μ, log_σ2, torch.randn(n, 2, dtype=torch.float64, generator=generator))
    σ = (log_σ2 / 2).exp()
    assert ((z.mean(0) - μ).abs() < 5 * σ / n**0.5).all()
    assert ((z.std(0) / σ - 1).abs() < 5 / (2 * n) ** 0.5).all()
    # E[z²] = μ² + σ², whose gradients are 2μ and, in log σ², σ².
    z.square().mean(0).sum().backward()
    assert μ.grad is not None
    assert log_σ2.grad is not None
    assert ((μ.grad - 2 * μ).abs() < 5 * 2 * σ / n**0.5).all()
    assert ((log_σ2.grad / σ**2 - 1).abs() < 0.03).all()


def test_pixels_are_a_distribution() -> None:
    logits = torch.tensor([0.3, -2.0, 5.0], dtype=torch.float64)
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    torch.testing.assert_close(kingma2013.log_p_x_given_z(images, logits).exp().sum().item(), 1.0)


def test_the_core_computes_the_papers_estimator() -> None:
    torch.manual_seed(0)
    model = VAE(latents=3, width=8, pixels=9).double()
    x = torch.bernoulli(torch.full((5, 9), 0.4, dtype=torch.float64))
    ε = torch.randn(1, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    found = variational.elbo(model, x, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(found.value, kingma2013.L_B(x, model.encode, model.decode, ε))
    torch.testing.assert_close(found.kl, -kingma2013.minus_D_KL(*model.encode(x)))
