r"""Improved denoising diffusion probabilistic models (Nichol and Dhariwal 2021), in the paper's letters.

    ᾱ_t = f(t)/f(0),  f(t) = cos²((t/T + s)/(1 + s)·π/2),  β_t = min(1 − ᾱ_t/ᾱ_{t−1}, .999)       (eq. 17)
    Σ_θ = exp(v·log β_t + (1 − v)·log β̃_t)                                                       (eq. 15)
    L_hybrid = L_simple + λ·L_vlb,  λ = .001                                                      (eq. 16)
    L_vlb = E_{t∼p_t}[L_t/p_t],  p_t ∝ √E[L_t²],  Σ p_t = 1                                       (eq. 18)

The cosine was chosen to be linear in the middle and flat at both ends; s keeps β₁ from being too small for a pixel's
grey levels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

HISTORY, UNIFORM = 10, 0.001


def cosine_alphas_bar(T: int, s: float = 0.008) -> Tensor:
    """ᾱ_0 … ᾱ_T, of which ᾱ_0 = 1 (eq. 17)."""
    t = torch.arange(T + 1, dtype=torch.float64)
    f = torch.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2
    return f / f[0]


def learned_variance(v: Tensor, β: Tensor, β̃: Tensor) -> Tensor:
    """Σ_θ between the two that are known, by an answer v of the network in [0, 1] (eq. 15)."""
    return torch.exp(v * β.log() + (1 - v) * β̃.log())


class LossAwareTimes:
    """p_t ∝ √E[L_t²] from the last ten losses of each t = 1 … T (eq. 18 and after it).

    Even until all have ten. A thousandth of the draws stays even, as in the released
    code, so that no t is forgotten.
    """

    def __init__(self, T: int) -> None:
        self.L = torch.full((T, HISTORY), math.nan, dtype=torch.float64)

    def p(self) -> Tensor:
        """p_1 … p_T, shape (T,)."""
        T = len(self.L)
        if self.L.isnan().any():
            return torch.full((T,), 1 / T, dtype=torch.float64)
        root = self.L.square().mean(1).sqrt()
        return (1 - UNIFORM) * root / root.sum() + UNIFORM / T

    def saw(self, t: Tensor, L_t: Tensor) -> None:
        """Note losses L_t (B,) of steps t (B,), 1 … T; the oldest goes."""
        for k, value in zip((t - 1).tolist(), L_t.tolist(), strict=True):
            self.L[k] = torch.cat([self.L[k, 1:], self.L.new_tensor([value])])
