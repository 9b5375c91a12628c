r"""The samplers of EDM (Karras et al. 2022), in the paper's letters, with its σ(t) = t and s(t) = 1.

    t_i = (σ_max^{1/ρ} + i/(N−1)·(σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ for i < N, and t_N = 0      (eq. 5)
    γ_i = min(S_churn/N, √2 − 1) where S_tmin ≤ t_i ≤ S_tmax, else 0                        (algorithm 2)

Algorithm 1, the deterministic one, is algorithm 2 with S_churn = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor


def time_steps(N: int, σ_min: float = 0.002, σ_max: float = 80.0, ρ: float = 7.0) -> Tensor:
    """t_0 > … > t_{N−1} = σ_min, and t_N = 0, shape (N + 1,), float64 (eq. 5)."""
    i = torch.arange(N, dtype=torch.float64)
    root = σ_max ** (1 / ρ) + i / (N - 1) * (σ_min ** (1 / ρ) - σ_max ** (1 / ρ))
    return torch.cat([root**ρ, root.new_zeros(1)])


@torch.no_grad()
def algorithm_2(
    D_θ: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    t: Tensor,
    *,
    S_churn: float = 0.0,
    S_tmin: float = 0.0,
    S_tmax: float = math.inf,
    S_noise: float = 1.0,
    generator: Generator | None = None,
) -> Tensor:
    """From x_0 ~ N(0, t_0²·I), (B, …), to x_N at t_N = 0."""
    N = len(t) - 1
    for i in range(N):
        inside = S_tmin <= t[i] <= S_tmax
        γ = min(S_churn / N, math.sqrt(2) - 1) if inside else 0.0
        t̂ = t[i] + γ * t[i]
        if γ > 0:
            ε = S_noise * torch.randn(x.shape, dtype=x.dtype, generator=generator)
            x = x + (t̂**2 - t[i] ** 2).sqrt() * ε
        d = (x - D_θ(x, t̂)) / t̂  # dx/dt at t̂
        x_next = x + (t[i + 1] - t̂) * d  # Euler
        if t[i + 1] != 0:  # Heun's correction
            d_next = (x_next - D_θ(x_next, t[i + 1])) / t[i + 1]
            x_next = x + (t[i + 1] - t̂) * (d + d_next) / 2
        x = x_next
    return x
