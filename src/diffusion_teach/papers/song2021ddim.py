r"""Denoising Diffusion Implicit Models (Song, Meng and Ermon 2021), in the paper's letters.

The paper's α_t is what DDPM and the rest of this book call ᾱ_t. Of the steps τ_1 < … < τ_S that are taken,

    x_{τ_{i−1}} = √α_{τ_{i−1}}·x̂_0 + √(1 − α_{τ_{i−1}} − σ²)·ε_θ + σ·z          (eq. 12)
    σ(η)        = η·√((1 − α_{τ_{i−1}})/(1 − α_{τ_i}))·√(1 − α_{τ_i}/α_{τ_{i−1}})   (eq. 16)
    σ̂           = √(1 − α_{τ_i}/α_{τ_{i−1}})                                    (section 5)

σ̂ is the variance β that DDPM's best figure was drawn with; its mean keeps the σ of η = 1, and only z's factor is σ̂.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor


@torch.no_grad()
def sample(
    ε_θ: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    α: Tensor,
    τ: Sequence[int],
    *,
    η: float = 0.0,
    σ̂: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """From x_T (B, …) down the steps τ, listed as they rise; α (T + 1,), α_0 = 1."""
    for i in range(len(τ) - 1, -1, -1):
        t, s = τ[i], τ[i - 1] if i else 0
        ε = ε_θ(x, torch.tensor(t))
        x̂_0 = (x - (1 - α[t]).sqrt() * ε) / α[t].sqrt()  # "predicted x_0"
        forward = (1 - α[t] / α[s]).sqrt()
        σ = η * ((1 - α[s]) / (1 - α[t])).sqrt() * forward
        direction = (1 - α[s] - σ**2).sqrt() * ε  # "direction pointing to x_t"
        x = α[s].sqrt() * x̂_0 + direction
        if η > 0 and s > 0:  # nothing is drawn on the way to x_0
            z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
            x = x + (forward if σ̂ else σ) * z
    return x
