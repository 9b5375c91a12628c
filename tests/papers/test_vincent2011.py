"""Denoising score matching against the density that it blurs, its minimum on a Gaussian, and the core against it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.exact import Empirical
from diffusion_teach.objectives.score_matching import denoising, explicit
from diffusion_teach.papers import vincent2011

COVARIANCE = torch.tensor([[1.0, 0.5], [0.5, 0.6]], dtype=torch.float64)
SIGMA = 0.7


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _curved(x: Tensor) -> Tensor:
    return torch.tanh(x.flip(1)) * x - 0.3


@pytest.fixture
def x() -> Tensor:
    return torch.randn(30, 2, dtype=torch.float64, generator=_generator(1))


def test_the_core_has_the_paper_s_objective(x: Tensor) -> None:
    x_tilde = vincent2011.corrupt(x, SIGMA, generator=_generator(2))
    found = vincent2011.J_DSM(_curved, x, x_tilde, SIGMA)
    torch.testing.assert_close(found, denoising(_curved, x, SIGMA, generator=_generator(2)))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_corrupted_has_the_moments(seed: int) -> None:
    x = torch.full((40_000, 1), 5.0, dtype=torch.float64)
    error = (vincent2011.corrupt(x, SIGMA, generator=_generator(seed)) - x) / SIGMA
    assert error.mean().abs() < 4.5 / len(x) ** 0.5  # standard errors
    assert (error.var() - 1).abs() < 4.5 * (2 / len(x)) ** 0.5


def test_the_target_is_the_slope_of_the_noise(x: Tensor) -> None:
    x_tilde = vincent2011.corrupt(x, SIGMA, generator=_generator()).requires_grad_()
    (slope,) = torch.autograd.grad(torch.distributions.Normal(x, SIGMA).log_prob(x_tilde).sum(), x_tilde)
    torch.testing.assert_close(vincent2011.denoising_target(x, x_tilde.detach(), SIGMA), slope)


def test_it_is_explicit_score_matching_of_the_blurred_density_up_to_a_constant() -> None:
    """The paper's theorem, with the noise's quantiles in the place of its expectation: for every ψ the same gap."""
    points = torch.tensor([[-1.0], [0.2], [1.5]], dtype=torch.float64)
    noise = torch.special.ndtri((torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000)
    x = points.repeat_interleave(len(noise), dim=0)
    x_tilde = x + SIGMA * noise.repeat(3)[:, None]
    score = Empirical(points).score(x_tilde, 1.0, SIGMA)
    target = vincent2011.denoising_target(x, x_tilde, SIGMA)
    gap = 0.5 * (target.square() - score.square()).mean()
    assert gap > 0.1
    for psi in (torch.zeros_like, torch.tanh, lambda x: -x, lambda x: x**2 - 1):
        found = vincent2011.J_DSM(psi, x, x_tilde, SIGMA) - explicit(psi, x_tilde, score)
        torch.testing.assert_close(found, gap, rtol=0, atol=2e-3)


def test_on_a_gaussian_the_blurred_score_is_the_minimum() -> None:
    """Data and noise with exactly the covariance and the independence that are meant: then ψ(x̃) = −(C + σ²I)⁻¹x̃."""
    both = torch.randn(50, 4, dtype=torch.float64, generator=_generator())
    both = both - both.mean(0)
    both = both @ torch.linalg.inv(torch.linalg.cholesky(both.T.cov(correction=0))).T
    x = both[:, :2] @ torch.linalg.cholesky(COVARIANCE).T
    x_tilde = x + SIGMA * both[:, 2:]
    best = -torch.linalg.inv(COVARIANCE + SIGMA**2 * torch.eye(2, dtype=torch.float64)).requires_grad_()
    loss = vincent2011.J_DSM(lambda x: x @ best, x, x_tilde, SIGMA)
    (slope,) = torch.autograd.grad(loss, best)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-12)
    assert loss.item() == pytest.approx(0.5 * (2 / SIGMA**2 + best.trace().item()))  # ½(d/σ² − E‖score‖²)


def test_a_denoising_autoencoder_s_error_is_the_objective_times_sigma_to_the_fourth(x: Tensor) -> None:
    x_tilde = vincent2011.corrupt(x, SIGMA, generator=_generator(3))
    rebuilt = x_tilde + SIGMA**2 * _curved(x_tilde)
    error = 0.5 * (rebuilt - x).square().sum(1).mean()
    torch.testing.assert_close(error, SIGMA**4 * vincent2011.J_DSM(_curved, x, x_tilde, SIGMA))


def test_wrong_arguments_are_named(x: Tensor) -> None:
    with pytest.raises(ValueError, match="sigma must be above 0, got 0"):
        vincent2011.corrupt(x, 0.0)
    with pytest.raises(ValueError, match="sigma must be above 0, got -1"):
        vincent2011.denoising_target(x, x, -1.0)
    with pytest.raises(TypeError, match="x must hold floating-point numbers"):
        vincent2011.corrupt(x.long(), 1.0)
    with pytest.raises(TypeError, match=r"manual_seed\(0\)"):
        vincent2011.corrupt(x, 1.0, generator=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="x and x_tilde must have the same shape"):
        vincent2011.J_DSM(_curved, x, x[:3], SIGMA)
