r"""Tackling the Generative Learning Trilemma with Denoising Diffusion GANs (Xiao et al. 2022), in the paper's letters.

    β_t = 1 − exp(−β_min/T − (β_max − β_min)(2t − 1)/(2T²)),   α_t = 1 − β_t,   ᾱ_t = Π α_s          (t = 1 … T)
    p_θ(x_{t−1}|x_t) = ∫ p(z)·q(x_{t−1}|x_t, x_0 = G_θ(x_t, z, t)) dz                                  (section 3.2)

D_φ is a probability, softplus its logit's losses; letters of arrays with an index t have T + 1 entries, the first
belongs to data.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

Generator = Callable[[Tensor, Tensor, int], Tensor]
Logit = Callable[[Tensor, Tensor, int], Tensor]


def noise_schedule(T: int, β_min: float = 0.1, β_max: float = 20.0) -> tuple[Tensor, Tensor]:
    """β_t and ᾱ_t, (T + 1,) each, with β_0 = 0: the variance-preserving SDE's at equal times."""
    t = torch.arange(1, T + 1, dtype=torch.float64)
    β = -torch.expm1(-β_min / T - (β_max - β_min) * (2 * t - 1) / (2 * T**2))
    β = torch.cat([torch.zeros(1, dtype=torch.float64), β])
    return β, (1 - β).cumprod(0)


def posterior(x_t: Tensor, x_0: Tensor, t: int, β: Tensor, ᾱ: Tensor, ε: Tensor) -> Tensor:
    """A draw of q(x_{t−1}|x_t, x_0), with the mean and the variance β̃_t of Ho et al. (2020, eq. 7)."""
    μ̃ = ᾱ[t - 1].sqrt() * β[t] * x_0 + (1 - β[t]).sqrt() * (1 - ᾱ[t - 1]) * x_t
    β̃ = (1 - ᾱ[t - 1]) / (1 - ᾱ[t]) * β[t]
    return μ̃ / (1 - ᾱ[t]) + β̃.sqrt() * ε


def losses(D_φ: Logit, x_before: Tensor, x_fake: Tensor, x_t: Tensor, t: int) -> tuple[Tensor, Tensor]:
    """The discriminator's loss (eq. 4) and the generator's, non-saturating, on true and made x_{t−1} beside x_t."""
    real, fake = D_φ(x_before, x_t, t), D_φ(x_fake, x_t, t)
    return softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()


def sample(G_θ: Generator, x_T: Tensor, z: Tensor, ε: Tensor, β: Tensor, ᾱ: Tensor) -> Tensor:
    """x_0 from x_T (B, …) in T steps, with z (T, B, …) for the generator and ε (T, B, …) for the posterior."""
    x = x_T
    for i, t in enumerate(range(len(β) - 1, 0, -1)):
        x = posterior(x, G_θ(x, z[i], t), t, β, ᾱ, ε[i])
    return x
