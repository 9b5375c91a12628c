r"""Improved techniques for training score-based generative models (Song and Ermon 2020), in the paper's letters.

1. σ_1 as large as the largest distance between two training images.
2. The ratio γ of neighbouring levels from the dimension D, so that their shells overlap by half:
   Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ) ≈ .5.
3. s_θ(x, σ) = s_θ(x)/σ: no noise level goes in, the answer is scaled by it.
4. T as large as one can pay, then ε so that s_T²/σ_i², the variance that T steps leave of data at a point, is near 1
   (proposition 3). Here a step is x + α_i·s_θ + √(2α_i)·z with α_i = ε·σ_i²/σ_L²: the same ε is twice the step of 2019.
5. Sampling with an exponential moving average of the weights, which is `training.EMA`.

And, not among the five, at the end of sampling one denoising step, x + σ_L²·s_θ(x, σ_L), which Jolicoeur-Martineau et
al. (2021) found to matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import torch
from torch import Tensor

from diffusion_teach import _checks


def overlap(γ: float, D: int) -> float:
    """Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ): the share of level σ within 3 deviations of the next larger, γσ.

    In D dimensions σ·z lies on a shell of radius about N(σ√D, σ²/2).
    """
    shift = math.sqrt(2 * _checks.integer("D", D)) * (_checks.number("γ", γ, least=1) - 1)
    Φ = NormalDist().cdf
    return Φ(shift + 3 * γ) - Φ(shift - 3 * γ)


def ratio(D: int, share: float = 0.5) -> float:
    """Technique 2: the γ > 1 whose `overlap` in D ≥ 5 dimensions is the share, by bisection."""
    _checks.integer("D", D, least=5)
    _checks.number("share", share, above=0, most=0.99)  # above, the overlap first rises a little with γ
    low, high = 1.0, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if overlap(middle, D) > share else (low, middle)
    return low


def variance_after(r: float, γ: float, T: int) -> float:
    """s_T²/σ_i² of proposition 3, with r = ε/σ_L²: T steps at level i on data at a point, begun with γ²."""
    _checks.number("r", r, above=0, below=2)
    _checks.number("γ", γ, least=1)
    settled = 2 * r / (1 - (1 - r) ** 2)
    return (1 - r) ** (2 * _checks.integer("T", T)) * (γ**2 - settled) + settled


@torch.no_grad()
def denoise(s_θ: Callable[[Tensor, float], Tensor], x: Tensor, σ_L: float) -> Tensor:
    """The last step, x + σ_L²·s_θ(x, σ_L), without noise; x (B, …)."""
    return x + σ_L**2 * s_θ(x, σ_L)
