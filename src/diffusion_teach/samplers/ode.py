r"""ODE solvers of the probability flow, in the coordinates in which it is simplest: dx̄/dσ̄ = ε̂, x̄ = x/α, σ̄ = σ/α.

In them Euler is DDIM, x_s = α_s·x̂₀ + σ_s·ε̂ (Song et al. 2021a, eq. 14; Karras et al. 2022, algorithm 1). That has a
meaning where α = 0, too, and x̄ has none.
"""

from __future__ import annotations

from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.samplers.walk import Noise, State, Step, check_move


def _solver(order: int) -> Step:
    def step(
        denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State = None, noise: Noise | None = None
    ) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        if noise is not None:
            _checks.function("noise", noise)
        schedule = denoiser.schedule
        alpha, sigma, alpha_s, sigma_s = schedule.alpha(t), schedule.sigma(t), schedule.alpha(s), schedule.sigma(s)
        x0, eps = denoiser(x_t, t)
        x_s = alpha_s * x0 + sigma_s * eps
        if order == 1 or sigma_s == 0 or alpha == 0:
            return x_s, None
        change = denoiser(x_s, s).eps - eps
        return x_s + (sigma_s - alpha_s * sigma / alpha) * change / 2, None  # α_s·(σ̄_s − σ̄)

    return step


euler = _solver(order=1)
"""One Euler step of dx̄/dσ̄ = ε̂: first order, one evaluation."""

heun = _solver(order=2)
"""One Heun step of dx̄/dσ̄ = ε̂: second order, two evaluations; an Euler step to σ = 0, where ε̂ has no meaning, and from
α = 0, where x̄ has none."""
