r"""What lies between two times s < t of a path: the noise that is added from s to t, and what x_s is once x₀ is known.

With λ the log-SNR and d = 1 − e^(λ_t − λ_s), the share of σ_t² that is added between the two,

    q(x_t | x_s)     = N(α_t/α_s·x_s,  σ_t²·d),
    q(x_s | x_t, x₀) = N(α_s·d·x₀ + (α_t/α_s)(σ_s²/σ_t²)·x_t,  σ_s²·d).

At σ_s = 0 the second is x₀ itself. (Ho et al. 2020, eqs. 2 and 7; Kingma et al. 2021, eqs. 20 to 23.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.schedules.schedule import Schedule, check_schedule, check_time


def forward(schedule: Schedule, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """(α_t/α_s, σ_t·√d): x_t is the first times x_s plus the second times ε; s < t of one shape, or numbers."""
    added = _added(schedule, s, t)
    scale = torch.exp(schedule.log_alpha(t) - schedule.log_alpha(s))
    return scale, schedule.sigma(t) * added.sqrt()


def backward(schedule: Schedule, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(α_s·d, (α_t/α_s)(σ_s²/σ_t²), σ_s·√d): x_s is these times x₀, x_t and ε; s < t of one shape, or numbers."""
    added = _added(schedule, s, t)
    scale = torch.exp(schedule.log_alpha(t) - schedule.log_alpha(s))
    sigma_s = schedule.sigma(s)
    return schedule.alpha(s) * added, scale * (sigma_s / schedule.sigma(t)).square(), sigma_s * added.sqrt()


def _added(schedule: Schedule, s: Tensor, t: Tensor) -> Tensor:
    """d, the share of the noise at t that is not there at s."""
    check_schedule(schedule)
    if not (check_time(s, "s") < check_time(t)).all():
        raise ValueError(f"s must lie before t, got s = {s.tolist()} and t = {t.tolist()}.")
    return -torch.expm1(schedule.log_snr(t) - schedule.log_snr(s))
