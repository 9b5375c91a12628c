r"""Penalties on a discriminator's gradient in its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks


def slopes(logits: Tensor, x: Tensor) -> Tensor:
    """∇ₓD at each point, (..., B, d), from the logits (..., B) of the points x (..., B, *event) of d numbers each.

    Raises:
        ValueError: where x does not require gradients, or the logits were not computed from it.
    """
    _checks.tensor("logits", logits, tuple(x.shape[: logits.ndim]), finite=False)
    if not x.requires_grad:
        raise ValueError("x must require gradients before the discriminator sees it. Call x.requires_grad_() first.")
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.flatten(logits.ndim)


def gradient_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """R₁ or R₂ of weight 1, ½·E‖∇ₓD‖², from logits (..., B) and their points x (..., B, *event), per member (...)."""
    return 0.5 * slopes(logits, x).square().sum(-1).mean(-1)


def lipschitz_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    """E(‖∇D(x̂)‖ − 1)² at x̂ = u·real + (1 − u)·fake, per member (...), from points (..., B, *event) and u (..., B)."""
    between = torch.lerp(fake, real, u.reshape(u.shape + (1,) * (real.ndim - u.ndim))).requires_grad_()
    norms = torch.linalg.vector_norm(slopes(judged(discriminator, between), between), dim=-1)
    return (norms - 1).square().mean(-1)


def judged(discriminator: nn.Module, x: Tensor) -> Tensor:
    """The logits (..., B) of points."""
    logits: Tensor = discriminator(x)
    return logits.squeeze(-1)
