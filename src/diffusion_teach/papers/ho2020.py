r"""Denoising Diffusion Probabilistic Models (Ho, Jain and Abbeel 2020): algorithms 1 and 2, in the paper's letters.

    q(x_t|x_{t−1}) = N(√α_t·x_{t−1}, β_t·I),  α_t = 1 − β_t                    (eq. 2)
    q(x_t|x_0)     = N(√ᾱ_t·x_0, (1−ᾱ_t)·I),  ᾱ_t = Π_{s≤t} α_s               (eq. 4)

Tables have T + 1 entries, with β_0 = 0 and ᾱ_0 = 1, so that β[t] is the paper's β_t for t = 1 … T.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from diffusion_teach import _checks

Network = Callable[[Tensor, Tensor], Tensor]


class Tables(NamedTuple):
    """β_t, α_t and ᾱ_t for t = 0 … T, each of shape (T + 1,)."""

    β: Tensor
    α: Tensor
    ᾱ: Tensor


def tables(betas: Tensor) -> Tables:
    """The tables of β_1 … β_T, shape (T,)."""
    β = torch.cat([betas.new_zeros(1), betas])
    return Tables(β, 1 - β, (1 - β).cumprod(0))


def q_step(x: Tensor, t: int, k: Tables, z: Tensor) -> Tensor:
    """One draw of q(x_t|x_{t−1}), with z ~ N(0, I) (eq. 2)."""
    return k.α[t].sqrt() * x + k.β[t].sqrt() * z


def q_jump(x_0: Tensor, t: int | Tensor, k: Tables, ε: Tensor) -> Tensor:
    """One draw of q(x_t|x_0), with ε ~ N(0, I) (eq. 4).

    t is a step number, or one for each image, (B, 1, …).
    """
    return k.ᾱ[t].sqrt() * x_0 + (1 - k.ᾱ[t]).sqrt() * ε


def posterior(x_0: Tensor, x_t: Tensor, t: int, k: Tables) -> tuple[Tensor, Tensor]:
    """Mean μ̃_t and variance β̃_t of q(x_{t−1}|x_t, x_0) (eq. 7)."""
    noise = 1 - k.ᾱ[t]
    of_x_0 = k.ᾱ[t - 1].sqrt() * k.β[t] / noise
    of_x_t = k.α[t].sqrt() * (1 - k.ᾱ[t - 1]) / noise
    return of_x_0 * x_0 + of_x_t * x_t, (1 - k.ᾱ[t - 1]) / noise * k.β[t]


def algorithm_1(
    ε_θ: Network,
    x_0: Tensor,
    k: Tables,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """The loss ‖ε − ε_θ(√ᾱ_t·x_0 + √(1−ᾱ_t)·ε, t)‖² at random t.

    It is summed over pixels and averaged over the images x_0 (B, …).
    """
    t = torch.randint(1, len(k.β), (len(x_0),), generator=generator)
    ε = torch.randn(x_0.shape, dtype=x_0.dtype, generator=generator)
    x_t = q_jump(x_0, t.view(-1, *[1] * (x_0.ndim - 1)), k, ε)
    return (ε - ε_θ(x_t, t)).square().flatten(1).sum(1).mean()


@torch.no_grad()
def algorithm_2(
    ε_θ: Network,
    x: Tensor,
    k: Tables,
    *,
    σ2: str = "β",
    generator: Generator | None = None,
) -> Tensor:
    """From x_T (B, …) down to x_0, with σ_t² = β_t, or β̃_t (section 3.2).

    Raises:
        ValueError: for another σ2.
    """
    _checks.choice("σ2", σ2, ("β", "β̃"))
    for t in range(len(k.β) - 1, 0, -1):
        z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
        if t == 1:
            z = torch.zeros_like(x)  # the last step adds no noise
        ε = ε_θ(x, torch.tensor(t))
        mean = (x - k.β[t] / (1 - k.ᾱ[t]).sqrt() * ε) / k.α[t].sqrt()
        lower = (1 - k.ᾱ[t - 1]) / (1 - k.ᾱ[t])  # β̃_t over β_t
        variance = k.β[t] if σ2 == "β" else k.β[t] * lower
        x = mean + variance.sqrt() * z
    return x
