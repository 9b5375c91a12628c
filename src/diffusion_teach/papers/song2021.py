r"""Generative modeling through stochastic differential equations (Song et al. 2021), in the paper's letters.

SMLD's chain   x_i = x_{i−1} + √(σ_i² − σ_{i−1}²)·z_{i−1}                        (eq. 8)
DDPM's chain   x_i = √(1 − β_i)·x_{i−1} + √β_i·z_{i−1}                            (eq. 10)
reverse SDE    dx = [f(x, t) − g(t)²·∇_x log p_t(x)] dt + g(t) dw̄                 (eq. 6)
its flow       dx = [f(x, t) − ½g(t)²·∇_x log p_t(x)] dt = f̃(x, t) dt             (eq. 13)
likelihood     log p_0(x(0)) = log p_T(x(T)) + ∫ ∇·f̃(x(t), t) dt                  (eq. 39)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor

Score = Callable[[Tensor, Tensor], Tensor]


class SDE(Protocol):
    """dx = f(t)·x dt + g(t) dw, for t in [0, 1]: the drifts of VP, sub-VP and VE are linear in x."""

    def f(self, t: Tensor) -> Tensor:
        """The coefficient of the drift."""

    def g2(self, t: Tensor) -> Tensor:
        """g(t)²."""


def smld_step(x: Tensor, i: int, σ: Tensor, z: Tensor) -> Tensor:
    """x_i from x_{i−1}, with z ~ N(0, I) and the levels σ_0 < … < σ_N (eq. 8)."""
    return x + (σ[i] ** 2 - σ[i - 1] ** 2).sqrt() * z


def flow(s_θ: Score, x: Tensor, t: Tensor, sde: SDE) -> Tensor:
    """f̃(x, t), the probability flow's velocity (eq. 13)."""
    return sde.f(t) * x - 0.5 * sde.g2(t) * s_θ(x, t)


def log_likelihood(s_θ: Score, x: Tensor, t: Tensor, sde: SDE, σ_T: float) -> Tensor:
    """log p of x (B, d) at t[0], along rising times t, with Heun's steps (eq. 39).

    p_T is N(0, σ_T²·I).
    """

    def velocity_and_divergence(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            f̃, divergence = flow(s_θ, x, t, sde), torch.zeros(len(x), dtype=x.dtype)
            for i in range(x.shape[1]):
                (row,) = torch.autograd.grad(f̃[:, i].sum(), x, retain_graph=True)
                divergence = divergence + row[:, i]
        return f̃.detach(), divergence

    total = torch.zeros(len(x), dtype=x.dtype)
    for now, then in pairwise(t):
        h = then - now
        f̃, divergence = velocity_and_divergence(x, now)
        f̃_then, divergence_then = velocity_and_divergence(x + h * f̃, then)
        x = x + h * (f̃ + f̃_then) / 2
        total = total + h * (divergence + divergence_then) / 2
    log_p_T = -0.5 * (x / σ_T).square().sum(1)
    log_p_T = log_p_T - x.shape[1] * math.log(σ_T * math.sqrt(2 * math.pi))
    return log_p_T + total


@torch.no_grad()
def algorithm_2(s_θ: Score, x: Tensor, σ: Tensor, ε: Tensor, M: int, *, generator: Generator | None = None) -> Tensor:
    """Predictor–corrector sampling of the VE SDE, from x at σ_N down the levels σ (N + 1,) to σ_0.

    After each predictor's step M corrector's, of size ε_i at level i.
    """

    def z() -> Tensor:
        return torch.randn(x.shape, dtype=x.dtype, generator=generator)

    for i in range(len(σ) - 2, -1, -1):
        gap = σ[i + 1] ** 2 - σ[i] ** 2
        x = x + gap * s_θ(x, σ[i + 1]) + gap.sqrt() * z()
        for _ in range(M):
            x = x + ε[i] * s_θ(x, σ[i]) + (2 * ε[i]).sqrt() * z()
    return x
