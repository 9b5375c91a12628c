r"""ODE solvers of the probability flow, in the coordinates in which it is simplest: dx̄/dσ̄ = ε̂, x̄ = x/α, σ̄ = σ/α.

In them Euler is DDIM (Song et al. 2021a, eq. 14; Karras et al. 2022, algorithm 1).
"""

from __future__ import annotations

from torch import Tensor

from diffusion_teach.denoisers import Denoiser
from diffusion_teach.samplers.walk import Noise, State, Step
from diffusion_teach.schedules import Schedule


def _scaled(schedule: Schedule, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(x̄, σ̄, α) with x̄ = x/α and σ̄ = σ/α."""
    alpha = schedule.alpha(t)
    if alpha == 0:
        raise ValueError(f"x/α has no meaning at t = {float(t):g}, where α = 0. Start just below, or step with ddim().")
    return x / alpha, schedule.sigma(t) / alpha, alpha


def _solver(order: int) -> Step:
    def step(
        denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State = None, noise: Noise | None = None
    ) -> tuple[Tensor, State]:
        x_bar, sigma_bar, _ = _scaled(denoiser.schedule, x_t, t)
        _, sigma_bar_s, alpha_s = _scaled(denoiser.schedule, x_t, s)
        eps = denoiser(x_t, t).eps
        x_s = alpha_s * (x_bar + (sigma_bar_s - sigma_bar) * eps)
        if order == 1 or sigma_bar_s == 0:
            return x_s, None
        slope = (eps + denoiser(x_s, s).eps) / 2
        return alpha_s * (x_bar + (sigma_bar_s - sigma_bar) * slope), None

    return step


euler = _solver(order=1)
"""One Euler step of dx̄/dσ̄ = ε̂: first order, one evaluation."""

heun = _solver(order=2)
"""One Heun step of dx̄/dσ̄ = ε̂: second order, two evaluations; an Euler step to σ = 0, where ε̂ has no meaning."""
