r"""Penalties on a discriminator's gradient in its input: R₁ and R₂, centred at 0, and WGAN-GP's, centred at 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks


def input_gradients(logits: Tensor, x: Tensor) -> Tensor:
    """∇ₓD at each point, (..., B, d), from the logits (..., B) of the points x (..., B, *event) of d numbers each.

    Raises:
        ValueError: where x does not require gradients, or the logits were not computed from it.
    """
    _checks.tensor("x", x, finite=False)
    _checks.tensor("logits", logits, finite=False)
    _checks.tensor("logits", logits, tuple(x.shape[: logits.ndim]), finite=False)
    if not x.requires_grad:
        raise ValueError("x must require gradients before the discriminator sees it. Call x.requires_grad_() first.")
    gradient = None
    if logits.requires_grad:
        (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True, allow_unused=True)
    if gradient is None:
        raise ValueError("logits must come from x by a discriminator: leave out torch.no_grad(), detach() and item().")
    return gradient.flatten(logits.ndim)


def zero_centred_penalty(gradients: Tensor) -> Tensor:
    """½·E‖∇ₓD‖² from gradients (..., B, d), per member (...): R₁ on data, R₂ on generated points, of weight 1.

    Source: Mescheder et al. (2018), eqs. 9 and 10.
    """
    _checks.tensor("gradients", gradients, ("...", "B", "d"), finite=False)
    return 0.5 * gradients.square().sum(-1).mean(-1)


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    """WGAN-GP's E(‖∇D(x̂)‖ − 1)² at x̂ = u·real + (1 − u)·fake, per member (...).

    Args:
        discriminator: maps points to logits (..., B, 1).
        real, fake: points (..., B, *event).
        u: (..., B) in [0, 1].

    Source: Gulrajani et al. (2017), eq. 3.
    """
    _checks.same_shape("fake", _checks.tensor("fake", fake), "real", _checks.tensor("real", real))
    if not ((_checks.tensor("u", u) >= 0) & (u <= 1)).all() or u.shape != real.shape[: u.ndim]:
        raise ValueError(f"u must lie in [0, 1] and hold one number for each point, got {_checks.describe(u)}.")
    share = u.to(real).reshape(u.shape + (1,) * (real.ndim - u.ndim))
    between = torch.lerp(fake.to(real), real, share).requires_grad_()
    norms = torch.linalg.vector_norm(input_gradients(logits_of(discriminator, between), between), dim=-1)
    return (norms - 1).square().mean(-1)


def logits_of(discriminator: nn.Module, x: Tensor) -> Tensor:
    """The logits (..., B) of points."""
    logits: Tensor = _checks.module("discriminator", discriminator)(_checks.tensor("x", x, finite=False))
    return _checks.tensor("what discriminator returns", logits, ("...", 1), finite=False).squeeze(-1)
