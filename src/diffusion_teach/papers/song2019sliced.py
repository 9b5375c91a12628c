r"""Song, Garg, Shi & Ermon 2019, "Sliced score matching", in its own letters.

Hyvärinen's objective needs the trace of the Jacobian of the score s_m, d derivatives for d dimensions. Project instead
on random directions v with E[vvᵀ] positive definite:

    J(θ; p_v) = E_{p_v} E_{p_d} [vᵀ∇ₓs_m(x; θ)v + ½(vᵀs_m(x; θ))²]      (eq. 7)

With E[vvᵀ] = I the second term can be taken over v in closed form, which is SSM-VR, usually with less variance:

    J(θ; p_v) = E_{p_v} E_{p_d} [vᵀ∇ₓs_m(x; θ)v + ½‖s_m(x; θ)‖²]        (eq. 8)

One product vᵀ∇ₓs_m costs one backward pass, whatever d is: first s_m·v, then its gradient in x, then that times v.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks


def projections(x: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """v ~ p_v, shaped like x, with independent entries ±1 (Rademacher), so that E[vvᵀ] = I."""
    _checks.tensor("x", x)
    return torch.randn(x.shape, dtype=x.dtype, generator=_checks.generator(generator)).sign()


def ssm_vr(s_m: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """The objective of eq. 8 at data x (B, d) and directions v (B, d), a scalar."""
    _checks.tensor("x", x, ("batch", "dimensions"))
    _checks.same_shape("v", _checks.tensor("v", v), "x", x)
    x = x.detach().requires_grad_(True)
    s = s_m(x)
    v_grad_s = torch.autograd.grad((v * s).sum(), x, create_graph=True)[0]
    return ((v_grad_s * v).sum(1) + 0.5 * s.square().sum(1)).mean()
