r"""What a network is asked for: six targets, each a row (p, q) with y = p·x₀ + q·ε.

Together with x_t = α·x₀ + σ·ε a row is two equations in the two unknowns x₀ and ε, so one 2×2 solve turns any
target into both. With the determinant D = α·q − σ·p,

    x₀ = (q·x_t − σ·y)/D,      ε = (α·y − p·x_t)/D.

| target   | (p, q)     | D             | from                                        |
|----------|------------|---------------|---------------------------------------------|
| x0       | (1, 0)     | −σ            | the clean data                              |
| eps      | (0, 1)     | α             | Ho et al. 2020                              |
| score    | (0, −1/σ)  | −α/σ          | Vincent 2011; Song & Ermon 2019             |
| v        | (−σ, α)    | α² + σ²       | Salimans & Ho 2022                          |
| velocity | (α̇, σ̇)     | α·σ̇ − σ·α̇     | Lipman et al. 2023                          |
| edm      | (σ/(s·N), −α·s/N) | −N/s   | Karras et al. 2022, N = √(α²s² + σ²)        |

In the last row s is the deviation of the data, `data_std`. Its target has variance 1 at every noise level, and so has
x_t/N, which the network is fed (`denoisers.Learned`); with s = 1 and α² + σ² = 1 it is −v.

Where D = 0 a target says nothing about one of the two: x0 at σ = 0, eps and score at α = 0. At fixed x_t the squared
errors of two targets a and b differ by the factor (D_a/D_b)².
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules import Schedule, check_schedule, check_time, transitions

TARGETS = ("x0", "eps", "score", "v", "velocity", "edm")


class Prediction(NamedTuple):
    """What a denoiser says of x_t: the clean data and the noise in it, both shaped like x_t."""

    x0: Tensor
    eps: Tensor


def expand(t: Tensor, like: Tensor) -> Tensor:
    """Give t, which has the leading dimensions of `like` or none, trailing ones so that it broadcasts over it."""
    _checks.tensor("t", t, finite=False)
    _checks.tensor("like", like, finite=False)
    if t.shape != like.shape[: t.ndim]:
        raise ValueError(
            f"t must be a single number or have the leading shape of x, got {tuple(t.shape)} for x of shape "
            f"{tuple(like.shape)}."
        )
    return t.reshape(t.shape + (1,) * (like.ndim - t.ndim))


def row(name: str, schedule: Schedule, t: Tensor, *, data_std: float = 1.0) -> tuple[Tensor, Tensor]:
    """The row (p, q) of a target, y = p·x₀ + q·ε, each shaped like t; `data_std` counts for edm.

    Raises:
        ValueError: for an unknown target, or where the row is infinite (score at σ = 0, velocity where dσ/dt is).
    """
    _checks.choice("name", name, TARGETS)
    check_schedule(schedule)
    check_time(t)
    data_std = _checks.number("data_std", data_std, above=0)
    if name == "x0":
        return torch.ones_like(t), torch.zeros_like(t)
    if name == "eps":
        return torch.zeros_like(t), torch.ones_like(t)
    if name == "v":
        return -schedule.sigma(t), schedule.alpha(t)
    if name == "velocity":
        return schedule.rates(t)
    sigma = schedule.sigma(t)
    if name == "edm":
        alpha = schedule.alpha(t)
        spread = torch.hypot(data_std * alpha, sigma)
        return sigma / (data_std * spread), -alpha * data_std / spread
    if not (sigma > 0).all():
        raise ValueError("the score target is infinite where sigma = 0. Use t > 0, or another target.")
    return torch.zeros_like(t), -1 / sigma


def determinant(name: str, schedule: Schedule, t: Tensor, *, data_std: float = 1.0) -> Tensor:
    """D = α·q − σ·p, shaped like t; where it is 0 the target does not determine x₀ and ε."""
    p, q = row(name, schedule, t, data_std=data_std)
    return schedule.alpha(t) * q - schedule.sigma(t) * p


def target(name: str, schedule: Schedule, t: Tensor, x0: Tensor, eps: Tensor, *, data_std: float = 1.0) -> Tensor:
    """The regression target y = p(t)·x₀ + q(t)·ε; x0 and eps (B, ...), t 0-dimensional or (B,)."""
    _checks.same_shape("x0", _checks.tensor("x0", x0), "eps", _checks.tensor("eps", eps))
    p, q = row(name, schedule, t, data_std=data_std)
    return expand(p, x0) * x0 + expand(q, x0) * eps


def solve(name: str, schedule: Schedule, t: Tensor, x_t: Tensor, y: Tensor, *, data_std: float = 1.0) -> Prediction:
    """x₀ and ε from x_t and the target y, by the 2×2 solve above.

    Raises:
        ValueError: where D = 0, so that the target does not determine them; for y that is not finite.
    """
    _checks.same_shape("y", _checks.tensor("y", y), "x_t", _checks.tensor("x_t", x_t))
    p, q = row(name, schedule, t, data_std=data_std)
    if name == "score":
        # −σ·score is eps: the same row without its division, which keeps D = α finite at small σ.
        q, y = torch.ones_like(q), -expand(schedule.sigma(t), y) * y
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    d = alpha * q - sigma * p
    if not (d != 0).all():
        raise ValueError(
            f"the target {name!r} does not determine x0 and eps where D = 0, which is so at some t in "
            f"{float(t.min()):g} … {float(t.max()):g}. Keep t inside (0, 1), or predict v, which never breaks."
        )
    p, q, alpha, sigma, d = (expand(value, x_t) for value in (p, q, alpha, sigma, d))
    return Prediction(x0=(q * x_t - sigma * y) / d, eps=(alpha * y - p * x_t) / d)


def add_noise(schedule: Schedule, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
    """The line itself: x_t = α(t)·x₀ + σ(t)·ε; x0 and eps (B, ...), t 0-dimensional or (B,)."""
    _checks.same_shape("x0", _checks.tensor("x0", x0), "eps", _checks.tensor("eps", eps))
    check_schedule(schedule)
    return expand(schedule.alpha(t), x0) * x0 + expand(schedule.sigma(t), x0) * eps


def add_more_noise(schedule: Schedule, s: Tensor, t: Tensor, x_s: Tensor, eps: Tensor) -> Tensor:
    """A draw of q(x_t|x_s), s < t, by ε like x_s (B, ...); s and t 0-dimensional or (B,). See `transitions.forward`."""
    _checks.same_shape("x_s", _checks.tensor("x_s", x_s, finite=False), "eps", _checks.tensor("eps", eps, finite=False))
    scale, std = transitions.forward(schedule, s, t)
    return expand(scale, x_s) * x_s + expand(std, x_s) * eps


def one_step_back(schedule: Schedule, s: Tensor, t: Tensor, x_t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
    """A draw of q(x_s|x_t, x₀), s < t, by ε; x_t, x0 and eps (B, ...), s and t 0-dimensional or (B,).

    See `transitions.backward`.
    """
    _checks.same_shape("x_t", _checks.tensor("x_t", x_t, finite=False), "x0", _checks.tensor("x0", x0, finite=False))
    _checks.same_shape("x_t", x_t, "eps", _checks.tensor("eps", eps, finite=False))
    of_x0, of_x_t, std = (expand(part, x_t) for part in transitions.backward(schedule, s, t))
    return of_x0 * x0 + of_x_t * x_t + std * eps
