"""R3GAN, "The GAN is dead; long live the GAN!" (Huang et al. 2024, section 2): relativistic loss, two penalties.

With D the discriminator's logit, high on data, and f(t) = −log(1 + e^{−t}), the log of the logistic function:

    RpGAN:   D ascends E f(D(x) − D(G(z))),   G ascends E f(D(G(z)) − D(x))           (Jolicoeur-Martineau 2019)
    R₁ = γ/2 · E_{x∼p_data}‖∇ₓD‖²,   R₂ = γ/2 · E_{x∼p_g}‖∇ₓD‖²,   both descended by D    (Mescheder et al. 2018)

Each generated point is judged against a real one. That alone does not keep the modes (chapter 2 counts them); the
penalties, or both together, do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid as f


def discriminator_loss(D: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
    """−E f(D(x) − D(x_g)) over pairs of data x and generated points x_g, both (..., d); log 2 where D cannot tell."""
    return -f(D(x) - D(x_g)).mean()


def generator_loss(D: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
    """−E f(D(x_g) − D(x)): the same with the roles exchanged."""
    return -f(D(x_g) - D(x)).mean()


def penalty(D: nn.Module, x: Tensor, gamma: float) -> Tensor:
    """γ/2 · E‖∇ₓD(x)‖² on points (..., d), a scalar that one can differentiate: R₁ on data, R₂ on generated points."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return gamma / 2 * gradient.square().sum(-1).mean()
