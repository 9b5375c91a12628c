"""The SDE paper in its own letters equals the core, and its chains are the exact transitions of its SDEs."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.denoisers import Exact, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.likelihood import log_likelihood
from diffusion_teach.papers import ho2020, song2021
from diffusion_teach.samplers import ddim, predictor_corrector, sample, time_grid
from diffusion_teach.schedules import VE, VP, Schedule, SubVP

MIXTURE = GaussianMixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64),
    torch.tensor([[[0.2, 0.16], [0.16, 0.24]], [[0.3, -0.12], [-0.12, 0.2]]], dtype=torch.float64),
)
ONE, ZERO = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)


def test_ddpm_s_chain_is_the_exact_transition_of_vp_whatever_its_steps() -> None:
    schedule = VP()
    times = torch.tensor([0.0, 0.01, 0.2, 0.9, 1.0], dtype=torch.float64)  # four steps, uneven and coarse
    alpha = schedule.alpha(times)
    k = ho2020.tables(1 - (alpha[1:] / alpha[:-1]) ** 2)
    gain, variance = ONE, ZERO
    for i in range(1, len(times)):
        step, noise = ho2020.q_step(ONE, i, k, ZERO), ho2020.q_step(ZERO, i, k, ONE)
        gain, variance = step * gain, step**2 * variance + noise**2
        torch.testing.assert_close(gain, alpha[i : i + 1], rtol=1e-13, atol=0)
        torch.testing.assert_close(variance.sqrt(), schedule.sigma(times[i : i + 1]), rtol=1e-13, atol=0)


def test_the_betas_of_that_chain_are_those_of_the_sde() -> None:
    """1 − β_i = exp(−∫β dt) over the step, with β(t) = .1 + 19.9·t."""
    schedule, (s, t) = VP(), torch.tensor([0.3, 0.45], dtype=torch.float64)
    integral = 0.1 * (t - s) + 19.9 * (t**2 - s**2) / 2
    torch.testing.assert_close((schedule.alpha(t) / schedule.alpha(s)) ** 2, torch.exp(-integral))
    torch.testing.assert_close(schedule.g2(t), 0.1 + 19.9 * t)


def test_smld_s_chain_is_the_exact_transition_of_ve_whatever_its_steps() -> None:
    schedule = VE()
    σ = schedule.sigma(torch.tensor([0.0, 0.3, 0.31, 1.0], dtype=torch.float64))
    variance = ZERO
    for i in range(1, len(σ)):
        assert song2021.smld_step(ONE, i, σ, ZERO) == 1
        variance = variance + song2021.smld_step(ZERO, i, σ, ONE) ** 2
        torch.testing.assert_close(variance.sqrt(), σ[i : i + 1], rtol=1e-13, atol=0)


@pytest.mark.parametrize("schedule", [VP(), SubVP(), VE()], ids=lambda s: type(s).__name__)
def test_the_flow_is_the_velocity_of_the_line(schedule: Schedule) -> None:
    """f̃ = α̇·E[x₀|x_t] + σ̇·E[ε|x_t]."""
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    denoiser = Exact(MIXTURE, schedule)
    for t in torch.tensor([0.1, 0.6, 0.95], dtype=torch.float64):
        found = song2021.flow(lambda x, t: score(denoiser, x, t), x, t, schedule)
        alpha_dot, sigma_dot = schedule.rates(t)
        x0, eps = denoiser(x, t)
        torch.testing.assert_close(found, alpha_dot * x0 + sigma_dot * eps)


def test_the_likelihood_is_the_core_s() -> None:
    x = MIXTURE.sample(8, generator=torch.Generator().manual_seed(1)).double()
    schedule = VP()
    denoiser = Exact(MIXTURE, schedule)
    times = time_grid(schedule, 400, stop=0.02, spacing="log_snr").flip(0)
    sigma = float(schedule.sigma(times[-1]))
    paper = song2021.log_likelihood(lambda x, t: score(denoiser, x, t), x, times, schedule, sigma)
    core = log_likelihood(denoiser, x, t_min=0.02).log_density
    torch.testing.assert_close(paper, core, rtol=0, atol=2e-3)


@pytest.mark.parametrize("M", [0, 2])
def test_algorithm_2_is_the_core_sampler(M: int) -> None:
    schedule = VE(0.01, 20.0)
    times = time_grid(schedule, 12, stop=0.2)
    σ = schedule.sigma(times).flip(0)
    x = 20 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    paper = song2021.algorithm_2(
        lambda x, σ_i: MIXTURE.score(x, 1.0, σ_i), x, σ, 0.1 * σ**2, M, generator=torch.Generator().manual_seed(3)
    )
    # "Reverse diffusion" on VE is DDPM's second variance: the mean of the posterior, and the step's own noise.
    step = ddim(1.0, variance="forward")
    step = predictor_corrector(step, corrections=M, ratio=0.1) if M else step
    core = sample(Exact(MIXTURE, schedule), step, x, times, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(paper, core)
