r"""Hyvärinen 2005, "Estimation of non-normalized statistical models by score matching", in its own letters.

A model p(ξ; θ) = q(ξ; θ)/Z(θ) with a Z that nobody can compute. Its score function is ψ(ξ; θ) = ∇_ξ log p(ξ; θ), which
does not contain Z. Theorem 1: if p(x)·ψ(x) vanishes at infinity, then up to a constant the Fisher divergence is

    J(θ) = E_x Σᵢ [∂ᵢψᵢ(x; θ) + ½ψᵢ(x; θ)²].

The paper solves the Gaussian in closed form. For every exponential family, log q(ξ; θ) = Σₖ θₖFₖ(ξ), ψ is linear in θ
and J quadratic, so that its minimum is one linear solve, θ̂ = −(E K Kᵀ)⁻¹ E h, with K = ∇F(x) and h = ΔF(x). That is
Hyvärinen 2007, "Some extensions of score matching", and here `estimate`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks


def J(grad_F: Tensor, laplace_F: Tensor, theta: Tensor) -> Tensor:
    """The objective at θ, a scalar: E[θᵀh + ½‖Kᵀθ‖²].

    Args:
        grad_F: ∂ᵢFₖ(x), shape (B, m, n) for m features of n-dimensional data.
        laplace_F: Σᵢ ∂ᵢ²Fₖ(x), shape (B, m).
        theta: (m,).
    """
    _checks.tensor("grad_F", grad_F, ("batch", "features", "dimensions"))
    _checks.tensor("laplace_F", laplace_F, tuple(grad_F.shape[:2]))
    _checks.tensor("theta", theta, (grad_F.shape[1],))
    psi = torch.einsum("bmn,m->bn", grad_F, theta)
    return (laplace_F @ theta + 0.5 * psi.square().sum(1)).mean()


def estimate(x: Tensor, grad_F: Callable[[Tensor], Tensor], laplace_F: Callable[[Tensor], Tensor]) -> Tensor:
    """θ̂ of an exponential family from data x (B, n), by one linear solve (Hyvärinen 2007); shape (m,).

    Raises:
        ValueError: when the features are linearly dependent on the data, so that θ is not determined.
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    K, h = grad_F(x), laplace_F(x)
    _checks.tensor("grad_F(x)", K, (len(x), "features", x.shape[1]))
    _checks.tensor("laplace_F(x)", h, (len(x), K.shape[1]))
    moments = torch.einsum("bmn,bkn->mk", K, K) / len(x)
    if torch.linalg.matrix_rank(moments) < len(moments):
        raise ValueError(f"{len(moments)} features are linearly dependent on these data. Drop one, or bring more data.")
    return -torch.linalg.solve(moments, h.mean(0))
