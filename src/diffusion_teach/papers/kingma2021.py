r"""Variational diffusion models (Kingma, Salimans, Poole and Ho 2021): the diffusion loss, in the paper's letters.

    q(z_t|x) = N(α_t·x, σ_t²·I),   SNR(t) = α_t²/σ_t² = exp(−γ(t))           (eqs. 1–3)
    σ_t² = sigmoid(γ(t)),   α_t² = sigmoid(−γ(t))                            (eq. 3, variance preserving)
    L_T(x) = (T/2)·E_{ε,i}[(exp(γ(t) − γ(s)) − 1)·‖ε − ε̂(z_t; t)‖²]          (eq. 14), s = (i − 1)/T, t = i/T
    L_∞(x) = ½·E_{ε,t}[γ'(t)·‖ε − ε̂(z_t; t)‖²]                               (eq. 17)

x and z are (B, D); losses are in nats, one for each x.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Gamma = Callable[[Tensor], Tensor]
Network = Callable[[Tensor, Tensor], Tensor]


def γ_linear(t: Tensor, *, γ_0: float = -13.3, γ_1: float = 5.0) -> Tensor:
    """The paper's start for a learned schedule: −log SNR rising at an even pace."""
    return γ_0 + (γ_1 - γ_0) * t


def z(x: Tensor, t: Tensor, γ: Gamma, ε: Tensor) -> Tensor:
    """A draw of q(z_t|x) at times t (B,)."""
    g = γ(t)[:, None]
    return torch.sigmoid(-g).sqrt() * x + torch.sigmoid(g).sqrt() * ε


def L_T(ε̂: Network, x: Tensor, i: Tensor, T: int, γ: Gamma, ε: Tensor) -> Tensor:
    """The loss of T levels as a level i (B,), 1 … T, and noise ε see it (eq. 14)."""
    s, t = (i - 1) / T, i / T
    error = (ε - ε̂(z(x, t, γ, ε), t)).square().sum(1)
    return T / 2 * torch.expm1(γ(t) - γ(s)) * error


def L_inf(ε̂: Network, x: Tensor, t: Tensor, γ: Gamma, ε: Tensor) -> Tensor:
    """The same in continuous time, as t (B,) and ε see it (eq. 17)."""
    with torch.enable_grad():
        time = t.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(γ(time).sum(), time)
    error = (ε - ε̂(z(x, t, γ, ε), t)).square().sum(1)
    return slope / 2 * error
