r"""Consistency Models (Song et al. 2023), in the paper's letters.

The path is x + t·z: t is the deviation of the noise, from ε to T.

    f_θ(x, t) = c_skip(t)·x + c_out(t)·F_θ(x, t)                                                       (eq. 5)
    c_skip = σ_data²/((t − ε)² + σ_data²),   c_out = σ_data·(t − ε)/√(σ_data² + t²)                     (appendix C)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor], Tensor]


def time_steps(N: int, ε: float, T: float, ρ: float = 7.0) -> Tensor:
    """t_1 = ε < … < t_N = T, (N,), of Karras et al. (2022)."""
    i = torch.arange(1, N + 1, dtype=torch.float64)
    return (ε ** (1 / ρ) + (i - 1) / (N - 1) * (T ** (1 / ρ) - ε ** (1 / ρ))) ** ρ


def consistency_function(F_θ: Network, ε: float, σ_data: float) -> Network:
    """f_θ, which is x at t = ε whatever F_θ says."""

    def f_θ(x: Tensor, t: Tensor) -> Tensor:
        c_skip = σ_data**2 / ((t - ε) ** 2 + σ_data**2)
        c_out = σ_data * (t - ε) / (σ_data**2 + t**2).sqrt()
        return c_skip[:, None] * x + c_out[:, None] * F_θ(x, t)

    return f_θ


def distillation_step(f_θ: Network, f_θ_bar: Network, D: Network, x: Tensor, t: Tensor, n: Tensor, z: Tensor) -> Tensor:
    """Algorithm 2's squared distances (B,) for data x (B, d), n (B,) in 0 … N − 2, noise z, and a denoiser D.

    Φ is one Euler step of the flow from t_{n+1} to t_n, with dx/dt = (x − D(x, t))/t; f_θ_bar is the average of f_θ.
    """
    t_n, t_next = t[n], t[n + 1]
    x_next = x + t_next[:, None] * z
    x_hat = x_next + ((t_n - t_next) / t_next)[:, None] * (x_next - D(x_next, t_next))
    return (f_θ(x_next, t_next) - f_θ_bar(x_hat, t_n)).square().sum(1)


def multistep_sample(f_θ: Network, x_T: Tensor, T: float, τ: Tensor, z: Tensor, ε: float) -> Tensor:
    """Algorithm 1: x from x_T (B, d), then by way of the deviations τ (K,), falling, with noise z (K, B, d)."""
    x = f_θ(x_T, torch.full((len(x_T),), T, dtype=x_T.dtype))
    for τ_n, z_n in zip(τ, z, strict=True):
        x̂ = x + (τ_n**2 - ε**2).sqrt() * z_n
        x = f_θ(x̂, τ_n.expand(len(x)))
    return x
