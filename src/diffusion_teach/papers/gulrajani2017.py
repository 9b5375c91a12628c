"""Improved training of Wasserstein GANs (Gulrajani et al. 2017): the gradient penalty, in the paper's letters.

The critic of `arjovsky2017` is held to a slope of 1 not by clipping its weights, but by a term of its loss (eq. 3),

    λ·E_x̂ (‖∇_x̂ D(x̂)‖₂ − 1)²,   x̂ on the lines between data and generated points.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def gradient_penalty(D: nn.Module, x: Tensor, x_tilde: Tensor, epsilon: Tensor, lambda_: float = 10.0) -> Tensor:
    """λ·E(‖∇D(x̂)‖₂ − 1)² at x̂ = εx + (1 − ε)x̃, ε ∼ U[0, 1] of shape (..., 1): slopes below 1 are punished too."""
    x_hat = (epsilon * x + (1 - epsilon) * x_tilde).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x_hat).sum(), x_hat, create_graph=True)
    return lambda_ * (gradient.norm(dim=-1) - 1).square().mean()


def best_slope(W: Tensor, lambda_: float = 10.0) -> Tensor:
    """1 + W/(2λ), the slope s that maximises Ws − λ(s − 1)²: that of the best penalised critic of two points (ours)."""
    return 1 + W / (2 * lambda_)
