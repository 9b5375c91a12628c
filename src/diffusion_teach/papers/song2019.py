r"""Generative modeling by estimating gradients of the data distribution (Song and Ermon 2019), in the paper's letters.

Noise levels σ_1 > … > σ_L, a geometric sequence, and one network s_θ(x, σ) for all of them:

    ℓ(θ; σ)   = ½ E‖s_θ(x̃, σ) + (x̃ − x)/σ²‖²,  x̃ ~ N(x, σ²I)            (eq. 5)
    L(θ)      = 1/L Σ_i λ(σ_i)·ℓ(θ; σ_i),  λ(σ) = σ²                        (eq. 6 and section 4.2)
    algorithm 1:  α_i = ε·σ_i²/σ_L²,  x̃ ← x̃ + α_i/2·s_θ(x̃, σ_i) + √α_i·z,  T times at each level
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks

Network = Callable[[Tensor, float], Tensor]


def levels(σ_1: float, σ_L: float, L: int) -> Tensor:
    """σ_1, …, σ_L with one ratio from each to the next, shape (L,), float64; L = 1 is σ_1 alone."""
    _checks.number("σ_L", σ_L, above=0)
    _checks.number("σ_1", σ_1, least=σ_L)
    return torch.logspace(math.log10(σ_1), math.log10(σ_L), _checks.integer("L", L), dtype=torch.float64)


def loss(s_θ: Network, x: Tensor, σ: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """L(θ) over data x (B, …) at levels σ (L,), each image at every level, summed over pixels: a scalar (eqs. 5, 6)."""
    total = torch.zeros((), dtype=x.dtype)
    for σ_i in σ.tolist():
        x̃ = x + σ_i * torch.randn(x.shape, dtype=x.dtype, generator=generator)
        error = s_θ(x̃, σ_i) + (x̃ - x) / σ_i**2
        total = total + σ_i**2 * 0.5 * error.square().flatten(1).sum(1).mean()
    return total / len(σ)


@torch.no_grad()
def algorithm_1(
    s_θ: Network,
    x̃: Tensor,
    σ: Tensor,
    *,
    ε: float,
    T: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Annealed Langevin dynamics from x̃ (B, …) down the levels σ (L,).

    The noise of the last one stays in.
    """
    for σ_i in σ.tolist():
        α_i = ε * σ_i**2 / float(σ[-1]) ** 2
        for _ in range(T):
            z = torch.randn(x̃.shape, dtype=x̃.dtype, generator=generator)
            x̃ = x̃ + α_i / 2 * s_θ(x̃, σ_i) + math.sqrt(α_i) * z
    return x̃
