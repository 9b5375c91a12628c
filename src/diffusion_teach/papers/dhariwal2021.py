r"""Diffusion Models Beat GANs on Image Synthesis (Dhariwal and Nichol 2021), in the paper's letters.

p_φ(y|x_t) is a classifier of noisy images, s the gradient scale. Algorithm 1 moves the mean of an ancestral step by
s·Σ·∇ log p_φ(y|x_t). Algorithm 2 does it to the noise, for DDIM,

    ε̂       = ε_θ(x_t) − s·√(1 − ᾱ_t)·∇ log p_φ(y|x_t)
    x_{t−1} = √ᾱ_{t−1}·(x_t − √(1 − ᾱ_t)·ε̂)/√ᾱ_t + √(1 − ᾱ_{t−1})·ε̂
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def gradient(log_p_φ: Callable[[Tensor, int], Tensor], x: Tensor, t: int) -> Tensor:
    """∇ log p_φ(y|x_t) of each row, shaped like x (B, …)."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        return torch.autograd.grad(log_p_φ(x, t).sum(), x)[0]


@torch.no_grad()
def sample(
    ε_θ: Callable[[Tensor, int], Tensor],
    log_p_φ: Callable[[Tensor, int], Tensor],
    x: Tensor,
    ᾱ: Tensor,
    *,
    s: float = 1.0,
) -> Tensor:
    """Algorithm 2: from x_T (B, …) to x_0; ᾱ (T + 1,), ᾱ_0 = 1; log_p_φ is (B,)."""
    for t in range(len(ᾱ) - 1, 0, -1):
        ε̂ = ε_θ(x, t) - s * (1 - ᾱ[t]).sqrt() * gradient(log_p_φ, x, t)
        x̂_0 = (x - (1 - ᾱ[t]).sqrt() * ε̂) / ᾱ[t].sqrt()
        x = ᾱ[t - 1].sqrt() * x̂_0 + (1 - ᾱ[t - 1]).sqrt() * ε̂
    return x
