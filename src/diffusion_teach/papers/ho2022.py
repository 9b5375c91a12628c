r"""Classifier-Free Diffusion Guidance (Ho and Salimans 2022), in the paper's letters.

λ is the log-SNR, α_λ² = 1/(1 + e^{−λ}), σ_λ² = 1 − α_λ²; z_λ is what this book calls x_t. For λ_1 < … < λ_T, which rise
from noise to data,

    ε̃          = (1 + w)·ε_θ(z, c) − w·ε_θ(z)                               (eq. 6)
    μ̃_{λ'|λ}   = e^{λ−λ'}·(α_{λ'}/α_λ)·z + (1 − e^{λ−λ'})·α_{λ'}·x̃          (eq. 3)
    σ̃²_{λ'|λ}  = (1 − e^{λ−λ'})·σ²_{λ'}                                      (eq. 3)
    σ²_{λ|λ'}  = (1 − e^{λ−λ'})·σ²_λ                                       (eq. 2)
    z_{λ'}     ~ N(μ̃_{λ'|λ}, (σ̃²_{λ'|λ})^{1−v}·(σ²_{λ|λ'})^v)              (eq. 4)

w = 0 is no guidance. Many programs count from 1 and call 1 + w the scale.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor


def conditioning_dropout(
    c: Tensor,
    ø: int,
    p_uncond: float,
    generator: Generator | None = None,
) -> Tensor:
    """Algorithm 1: c ← ø with probability p_uncond, each (B,) for itself."""
    return torch.where(torch.rand(c.shape, generator=generator) < p_uncond, ø, c)


@torch.no_grad()
def sample(
    ε_θ: Callable[[Tensor, Tensor, Tensor | None], Tensor],
    z: Tensor,
    c: Tensor,
    λ: Tensor,
    *,
    w: float,
    v: float = 0.0,
    generator: Generator | None = None,
) -> Tensor:
    """Algorithm 2: from z ~ N(0, I) (B, …) up the log-SNRs λ (T,); without c: None."""
    α, σ = torch.sigmoid(λ).sqrt(), torch.sigmoid(-λ).sqrt()
    for t in range(len(λ)):
        ε̃ = (1 + w) * ε_θ(z, λ[t], c) - w * ε_θ(z, λ[t], None)
        x̃ = (z - σ[t] * ε̃) / α[t]
        if t == len(λ) - 1:
            return x̃
        r = (λ[t] - λ[t + 1]).exp()
        μ̃ = r * (α[t + 1] / α[t]) * z + (1 - r) * α[t + 1] * x̃
        variance = ((1 - r) * σ[t + 1] ** 2) ** (1 - v) * ((1 - r) * σ[t] ** 2) ** v
        noise = torch.randn(z.shape, dtype=z.dtype, generator=generator)
        z = μ̃ + variance.sqrt() * noise
    return z
