r"""DPM-Solver and DPM-Solver++ (Lu et al. 2022a, 2022b), in the papers' letters.

λ = log(α/σ) is half of what this book calls log-SNR; t_λ is its inverse. A step goes from s = t_{i−1} to t = t_i, and
h_i = λ_{t_i} − λ_{t_{i−1}} > 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor], Tensor]


class Schedule(NamedTuple):
    """α, σ and λ of t, and t of λ."""

    α: Callable[[Tensor], Tensor]
    σ: Callable[[Tensor], Tensor]
    λ: Callable[[Tensor], Tensor]
    t: Callable[[Tensor], Tensor]


def dpm_solver_2(ε_θ: Network, x: Tensor, s: Tensor, t: Tensor, k: Schedule) -> Tensor:
    """One step of DPM-Solver-2 with r_1 = ½ (2022a, algorithm 1)."""
    h = k.λ(t) - k.λ(s)
    s_1 = k.t((k.λ(s) + k.λ(t)) / 2)
    u = k.α(s_1) / k.α(s) * x - k.σ(s_1) * torch.expm1(h / 2) * ε_θ(x, s)
    return k.α(t) / k.α(s) * x - k.σ(t) * torch.expm1(h) * ε_θ(u, s_1)


def dpm_solver_3(ε_θ: Network, x: Tensor, s: Tensor, t: Tensor, k: Schedule) -> Tensor:
    """One step of DPM-Solver-3 with r_1 = ⅓, r_2 = ⅔ (2022a, algorithm 2)."""
    r_1, r_2, h = 1 / 3, 2 / 3, k.λ(t) - k.λ(s)
    s_1, s_2 = k.t(k.λ(s) + r_1 * h), k.t(k.λ(s) + r_2 * h)
    ε = ε_θ(x, s)
    u_1 = k.α(s_1) / k.α(s) * x - k.σ(s_1) * torch.expm1(r_1 * h) * ε
    D_1 = ε_θ(u_1, s_1) - ε
    φ = torch.expm1(r_2 * h) / (r_2 * h) - 1
    u_2 = k.α(s_2) / k.α(s) * x - k.σ(s_2) * torch.expm1(r_2 * h) * ε
    u_2 = u_2 - k.σ(s_2) * r_2 / r_1 * φ * D_1
    D_2 = ε_θ(u_2, s_2) - ε
    x_t = k.α(t) / k.α(s) * x - k.σ(t) * torch.expm1(h) * ε
    return x_t - k.σ(t) / r_2 * (torch.expm1(h) / h - 1) * D_2


def dpm_solver_pp_2m(x_θ: Network, x: Tensor, t: Tensor, k: Schedule) -> Tensor:
    """DPM-Solver++ (2M) down the times t_0 > t_1 > … > t_M (2022b, algorithm 2)."""
    memory: tuple[Tensor, Tensor] | None = None
    for i in range(1, len(t)):
        h = k.λ(t[i]) - k.λ(t[i - 1])
        D = x_i = x_θ(x, t[i - 1])
        if memory is not None:
            before, h_before = memory
            r = h_before / h
            D = (1 + 1 / (2 * r)) * x_i - 1 / (2 * r) * before
        x = k.σ(t[i]) / k.σ(t[i - 1]) * x - k.α(t[i]) * torch.expm1(-h) * D
        memory = x_i, h
    return x
