r"""Walking back from noise to data: a sampler step takes x at time t to an earlier time s.

Every step asks the denoiser for x̂₀ and ε̂ and moves along the line x = α·x₀ + σ·ε.

- `ddim(eta)` keeps a share of the noise it sees and draws the rest anew:
      x_s = α_s·x̂₀ + √(σ_s² − τ²)·ε̂ + τ·z,      τ = η·σ_s·√(1 − SNR_t/SNR_s).
  η = 0 is DDIM. η = 1 is ancestral sampling with the posterior variance, τ² = β̃ (Song et al. 2021a, eqs. 12 and 16).
  DDPM's other variance, σ² = β, is wider than any η gives: `ddim(1, variance="forward")`.
- `ddim(eta, order=2)` remembers the last x̂₀ and continues its change to the middle of the step, in log-SNR. At η = 0
  that is DPM-Solver++ (2M), here `dpm_solver`: second order for one evaluation a step; at η = 1 it is its counterpart
  for the SDE, here `sde_dpm_solver` (Lu et al. 2022, DPM-Solver++, algorithm 2 and appendix).

A step to σ_s = 0 returns x̂₀ and adds no noise, whatever the generator.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.samplers.walk import Noise, State, Step, check_move
from diffusion_teach.schedules import Schedule


def ddim(eta: float = 0.0, *, variance: str = "posterior", order: int = 1) -> Step:
    """The family between DDIM (η = 0) and ancestral sampling (η = 1).

    Args:
        eta: the share of the posterior's standard deviation that is drawn anew, in [0, 1].
        variance: "posterior" draws τ² = β̃ at η = 1; "forward" keeps the same mean and draws DDPM's σ² = β instead.
        order: 1 takes x̂₀ as the denoiser says; 2 extrapolates it from the step before, as DPM-Solver++ (2M) does.

    Raises:
        ValueError: for η outside [0, 1], "forward" with η < 1, or another order.
    """
    eta = _checks.number("eta", eta, least=0, most=1)
    _checks.choice("variance", variance, ("posterior", "forward"))
    order = _checks.integer("order", order, least=1, most=2)
    if variance == "forward" and eta != 1:
        raise ValueError(f"variance='forward' is DDPM's second choice at eta = 1, got eta = {eta:g}.")

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        _checks.function("noise", noise, "Use samplers.gaussian(generator).")
        x0, eps = denoiser(x_t, t)
        schedule = denoiser.schedule
        alpha_s, sigma_s = schedule.alpha(s), schedule.sigma(s)
        if sigma_s == 0:
            return alpha_s * x0, None
        log_snr, log_snr_s = schedule.log_snr(t), schedule.log_snr(s)
        seen = (x0, log_snr) if order == 2 else None
        if isinstance(state, tuple):
            x0, eps = _extrapolated(schedule, x_t, t, x0, log_snr, log_snr_s, *state)
        share = -torch.expm1(log_snr - log_snr_s)
        kept = sigma_s * torch.sqrt(1 - eta**2 * share)
        mean = alpha_s * x0 + kept * eps
        if eta == 0:
            return mean, seen
        drawn = schedule.sigma(t) if variance == "forward" else eta * sigma_s
        return mean + drawn * share.sqrt() * noise(x_t), seen

    return step


def _extrapolated(
    schedule: Schedule,
    x_t: Tensor,
    t: Tensor,
    x0: Tensor,
    log_snr: Tensor,
    log_snr_s: Tensor,
    x0_before: Tensor,
    log_snr_before: Tensor,
) -> tuple[Tensor, Tensor]:
    """x̂₀ in the middle of the step from t to s, on the line through its last two values; ε̂ so that x_t stays put."""
    ahead = (log_snr_s - log_snr) / (2 * (log_snr - log_snr_before))  # 0 after a step from α = 0, infinitely long
    x0 = x0 + ahead * (x0 - x0_before)
    return x0, (x_t - schedule.alpha(t) * x0) / schedule.sigma(t)


ancestral = ddim(1.0)
"""Ancestral sampling with the posterior variance β̃: `ddim` with η = 1."""

dpm_solver = ddim(0.0, order=2)
"""DPM-Solver++ (2M): `ddim` with η = 0 and order 2."""

sde_dpm_solver = ddim(1.0, order=2)
"""SDE-DPM-Solver++ (2M): ancestral sampling with the same extrapolation, `ddim` with η = 1 and order 2."""
