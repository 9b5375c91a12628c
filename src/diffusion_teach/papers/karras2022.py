r"""Elucidating the design space of diffusion-based generative models (Karras et al. 2022), in the paper's letters.

# Preconditioning, loss and noise distribution (table 1, column "Ours", and section 5)

    D_θ(x; σ) = c_skip(σ)·x + c_out(σ)·F_θ(c_in(σ)·x; c_noise(σ))                                 (eq. 7)
    loss = E_{σ,y,n}[λ(σ)·‖D_θ(y + n; σ) − y‖²],   n ~ N(0, σ²I),   ln σ ~ N(P_mean, P_std²)      (eq. 8)

c_in and c_out give what the network is fed and asked for unit variance, c_skip makes c_out as small as it can be, and
λ = 1/c_out² lets every σ count alike at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

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


def D_θ(F_θ: Network, x: Tensor, σ: Tensor, σ_data: float = SIGMA_DATA) -> Tensor:  # noqa: N802
    """The denoiser that F_θ makes (eq. 7); x (B, d), σ (B, 1)."""
    c = preconditioning(σ, σ_data)
    return c.c_skip * x + c.c_out * F_θ(c.c_in * x, c.c_noise)


def λ(σ: Tensor, σ_data: float = SIGMA_DATA) -> Tensor:
    """The weight on the denoiser's squared error, 1/c_out²."""
    return (σ**2 + σ_data**2) / (σ * σ_data) ** 2


def training_σ(
    shape: tuple[int, ...],
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Levels to train at, ln σ ~ N(P_mean, P_std²)."""
    return torch.exp(P_MEAN + P_STD * torch.randn(shape, generator=generator))
