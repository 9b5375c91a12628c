r"""Elucidating the design space of diffusion-based generative models (Karras et al. 2022), in the paper's letters.

# Preconditioning, loss and noise distribution (table 1, column "Ours", and section 5)

    D_θ(x; σ) = c_skip(σ)·x + c_out(σ)·F_θ(c_in(σ)·x; c_noise(σ))                                 (eq. 7)
    loss = E_{σ,y,n}[λ(σ)·‖D_θ(y + n; σ) − y‖²],   n ~ N(0, σ²I),   ln σ ~ N(P_mean, P_std²)      (eq. 8)

c_in and c_out give what the network is fed and asked for unit variance, c_skip makes c_out as small as it can be, and
λ = 1/c_out² lets every σ count alike at the start.

# Samplers (sections 3 and 4, with σ(t) = t and s(t) = 1)

    t_i = (σ_max^{1/ρ} + i/(N−1)·(σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ for i < N, and t_N = 0            (eq. 5)
    γ_i = min(S_churn/N, √2 − 1) where S_tmin ≤ t_i ≤ S_tmax, else 0                              (algorithm 2)

Algorithm 1, the deterministic one, is algorithm 2 with S_churn = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

SIGMA_DATA, P_MEAN, P_STD = 0.5, -1.2, 1.2

Network = Callable[[Tensor, Tensor], Tensor]


class Preconditioning(NamedTuple):
    """The paper's four functions at levels σ."""

    c_skip: Tensor
    c_out: Tensor
    c_in: Tensor
    c_noise: Tensor


def preconditioning(σ: Tensor, σ_data: float = SIGMA_DATA) -> Preconditioning:
    """Table 1, rows "Network and preconditioning"."""
    total = σ**2 + σ_data**2
    return Preconditioning(
        c_skip=σ_data**2 / total,
        c_out=σ * σ_data / total.sqrt(),
        c_in=1 / total.sqrt(),
        c_noise=σ.log() / 4,
    )


def D_θ(F_θ: Network, x: Tensor, σ: Tensor, σ_data: float = SIGMA_DATA) -> Tensor:
    """The denoiser that F_θ makes (eq. 7); x (B, d), σ (B, 1)."""
    c = preconditioning(σ, σ_data)
    return c.c_skip * x + c.c_out * F_θ(c.c_in * x, c.c_noise)


def λ(σ: Tensor, σ_data: float = SIGMA_DATA) -> Tensor:
    """The weight on the denoiser's squared error, 1/c_out²."""
    return (σ**2 + σ_data**2) / (σ * σ_data) ** 2


def training_σ(
    shape: tuple[int, ...],
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Levels to train at, ln σ ~ N(P_mean, P_std²)."""
    return torch.exp(P_MEAN + P_STD * torch.randn(shape, generator=generator))


def time_steps(N: int, σ_min: float = 0.002, σ_max: float = 80.0, ρ: float = 7.0) -> Tensor:
    """t_0 > … > t_{N−1} = σ_min, and t_N = 0, shape (N + 1,), float64 (eq. 5)."""
    i = torch.arange(N, dtype=torch.float64)
    root = σ_max ** (1 / ρ) + i / (N - 1) * (σ_min ** (1 / ρ) - σ_max ** (1 / ρ))
    return torch.cat([root**ρ, root.new_zeros(1)])


@torch.no_grad()
def algorithm_2(
    D_θ: Network,
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
