r"""What a loss weighs: every weighting on one scale, and which of them follow from the line.

At a given x_t all targets err together: an error u of the bare prediction is an error D·u of a target, with D the
target's determinant (`parameterizations`). So a loss of any target is a weight W(t) on ‖u‖²:

    a target's own squared error      W = D²
    the bound                         W = α·D_velocity/σ = −(α²/2)·dλ/dt
    Min-SNR                           W = min(α², γ·σ²): that of ε or γ times that of x₀, whichever is less

The first two follow from the schedule, the last is a choice. Which target a network is asked for is another question:
its squared error counts W/D².

A density of times weighs, too. At even times W counts (W/α²)/(−½·dλ/dt) as much as the bound does at the same λ: times
drawn elsewhere, or by another schedule, are another weighting (Kingma and Gao 2023).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Learned
from diffusion_teach.parameterizations import TARGETS, determinant
from diffusion_teach.schedules import Schedule, check_schedule, check_time

WEIGHTS = ("bound", "min-snr", *TARGETS)
"""By name: a target's name is its own squared error, so "eps" is L_simple and "edm" is EDM's λ(σ)."""


def bare_weight(name: str, schedule: Schedule, t: Tensor, *, gamma: float = 5.0, data_std: float = 1.0) -> Tensor:
    """W(t) on the squared error of the bare prediction, shaped like t.

    Args:
        name: one of `WEIGHTS`.
        schedule: α(t), σ(t).
        t: times.
        gamma: γ of "min-snr" (Hang et al. 2023, section 3.4).
        data_std: of "edm", whose W = (α² + σ²/s²) is λ(σ) = (σ² + s²)/(σs)² on the error of x₀ where α = 1
            (Karras et al. 2022, table 1).

    Raises:
        ValueError: where W is infinite: "bound" and "score" at σ = 0.
    """
    _checks.choice("name", name, WEIGHTS)
    check_schedule(schedule)
    gamma = _checks.number("gamma", gamma, above=0)
    data_std = _checks.number("data_std", data_std, above=0)
    alpha, sigma = schedule.alpha(check_time(t)), schedule.sigma(t)
    if name == "min-snr":
        return torch.minimum(alpha.square(), gamma * sigma.square())
    if name != "bound":
        return determinant(name, schedule, t, data_std=data_std).square()
    if not (sigma > 0).all():
        raise ValueError("the bound's weight is infinite where sigma = 0. Use t > 0, or `schedules.Cut`.")
    return alpha * determinant("velocity", schedule, t) / sigma


def loss_weight(
    name: str, denoiser: Learned, *, gamma: float = 5.0, data_std: float | None = None
) -> Callable[[Tensor], Tensor]:
    """The weight of `diffusion_loss` with which a network, whatever it is asked for, is trained by a named W.

    It is W(t)·(unit/D)², with `unit` the unit that the network answers in, see `Learned.unit`.

    Args:
        name: one of `WEIGHTS`.
        denoiser: the network with its schedule and target.
        gamma, data_std: as of `bare_weight`; data_std is the denoiser's where not given.

    Returns:
        A function of times. It raises ValueError where W is infinite, or where D = 0.
    """
    mend = "Make one with Learned(network, schedule)."
    _checks.instance("denoiser", denoiser, Learned, "a Learned denoiser", mend)
    _checks.choice("name", name, WEIGHTS)
    gamma = _checks.number("gamma", gamma, above=0)
    std = denoiser.data_std if data_std is None else _checks.number("data_std", data_std, above=0)

    def weight(t: Tensor) -> Tensor:
        d = determinant(denoiser.target, denoiser.schedule, t, data_std=denoiser.data_std)
        if not (d != 0).all():
            raise ValueError(f"the target {denoiser.target!r} does not determine x0 where D = 0: keep t inside (0, 1).")
        return bare_weight(name, denoiser.schedule, t, gamma=gamma, data_std=std) * (denoiser.unit(t) / d).square()

    return weight
