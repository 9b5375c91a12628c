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
from diffusion_teach.samplers.ode import euler, heun
from diffusion_teach.samplers.walk import Noise, State, Step, check_move
from diffusion_teach.schedules import Schedule, check_schedule, check_time

MOST = math.sqrt(2) - 1
"""The largest γ: it doubles the variance."""


def churned(
    schedule: Schedule,
    x_t: Tensor,
    t: Tensor,
    churn: float,
    *,
    noise: Noise,
    noise_scale: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """x_t with so much noise more that σ/α is 1 + γ times as large, and the time of it.

    Where the schedule ends before, at t = 1, the noise is that up to its end.

    Args:
        schedule: α(t), σ(t).
        x_t: (B, ...) at t.
        t: 0-dimensional.
        churn: γ.
        noise: what is drawn.
        noise_scale: a factor of the noise that is added.
    """
    _checks.tensor("x_t", x_t, finite=False)
    if check_time(t).ndim:
        raise ValueError(f"t must be one time, got {t.tolist()}.")
    churn = _checks.number("churn", churn, least=0)
    noise_scale = _checks.number("noise_scale", noise_scale, above=0)
    _checks.function("noise", noise, "Use samplers.gaussian(generator).")
    up = check_schedule(schedule).time_of(schedule.log_snr(t) - 2 * math.log1p(churn))
    share = schedule.alpha(up) / schedule.alpha(t)
    variance = schedule.sigma(up).square() - (share * schedule.sigma(t)).square()
    return share * x_t + noise_scale * variance.clamp(min=0).sqrt() * noise(x_t), up


def edm(
    churn: float = 0.1,
    *,
    between: tuple[float, float] = (0.05, 50.0),
    noise_scale: float = 1.0,
    order: int = 2,
) -> Step:
    """EDM's stochastic sampler on any schedule.

    Args:
        churn: γ, the share by which σ/α grows before a step, at most √2 − 1. The paper's
            S_churn is that of all N steps together: γ = min(S_churn/N, √2 − 1).
        between: S_tmin and S_tmax, the σ/α where noise is added at all.
        noise_scale: S_noise, which makes up for detail that a network takes away.
        order: 2 walks back by Heun, 1 by Euler.

    Raises:
        ValueError: for numbers out of range.
    """
    churn = _checks.number("churn", churn, least=0, most=MOST + 1e-9)
    least, most = _checks.pair("between", between, least=0)
    noise_scale = _checks.number("noise_scale", noise_scale, above=0)
    solver = euler if _checks.integer("order", order, most=2) == 1 else heun

    def step(
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        state: State,
        noise: Noise,
    ) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        schedule = denoiser.schedule
        level = torch.exp(-schedule.log_snr(t) / 2)  # σ/α
        if churn > 0 and least <= level <= most and t < 1:
            x_t, t = churned(schedule, x_t, t, churn, noise=noise, noise_scale=noise_scale)
        return solver(denoiser, x_t, t, s, None, noise)

    return step
