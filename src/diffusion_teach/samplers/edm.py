r"""The stochastic sampler of EDM: a little noise is added first, and then a step of Heun takes more of it away.

In x̄ = x/α and σ̄ = σ/α, where the paper lives, a step from σ̄_t to σ̄_s (Karras et al. 2022, algorithm 2) is

    σ̂ = (1 + γ)·σ̄_t,      x̂ = x̄ + S_noise·√(σ̂² − σ̄_t²)·z,      and Heun from σ̂ to σ̄_s.

γ = 0 is the deterministic sampler, algorithm 1. Added noise corrects what earlier steps did wrong, as Langevin dynamics
does; it costs, since a step has farther to go.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.samplers.ode import heun
from diffusion_teach.samplers.walk import Noise, State, Step, check_move

MOST = math.sqrt(2) - 1
"""The largest γ: it doubles the variance."""


def edm(
    churn: float = 0.1, *, between: tuple[float, float] = (0.05, 50.0), noise_scale: float = 1.0, solver: Step = heun
) -> Step:
    """EDM's stochastic sampler on any schedule; two evaluations a step by Heun.

    Args:
        churn: γ, the share by which σ/α grows before a step, at most √2 − 1. The paper's S_churn is that of all N steps
            together: γ = min(S_churn/N, √2 − 1).
        between: S_tmin and S_tmax, the σ/α where noise is added at all.
        noise_scale: S_noise, by which the paper makes up for detail that the network takes away.
        solver: what walks back, of one step.

    Raises:
        ValueError: for numbers out of range.
    """
    churn = _checks.number("churn", churn, least=0, most=MOST + 1e-9)
    least, most = _checks.pair("between", between, least=0)
    noise_scale = _checks.number("noise_scale", noise_scale, above=0)
    _checks.function("solver", solver, "Use heun or euler.")

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        _checks.function("noise", noise, "Use samplers.gaussian(generator).")
        schedule = denoiser.schedule
        level = torch.exp(-schedule.log_snr(t) / 2)  # σ/α
        if churn == 0 or not least <= level <= most or t == 1:
            return solver(denoiser, x_t, t, s, None, noise)
        up = schedule.time_of(schedule.log_snr(t) - 2 * math.log1p(churn))  # at most 1, where the schedule ends
        share = schedule.alpha(up) / schedule.alpha(t)
        variance = schedule.sigma(up).square() - (share * schedule.sigma(t)).square()
        x_up = share * x_t + noise_scale * variance.clamp(min=0).sqrt() * noise(x_t)
        return solver(denoiser, x_up, up, s, None, noise)

    return step
