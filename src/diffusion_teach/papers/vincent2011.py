r"""Vincent 2011, "A connection between score matching and denoising autoencoders", in its own letters.

Clean data x, corrupted data x̃ with q_σ(x̃|x) = N(x̃; x, σ²I). Two objectives for a score model ψ(x̃; θ):

    J_ESM(θ) = E_{q_σ(x̃)} ½‖ψ(x̃; θ) − ∂ log q_σ(x̃)/∂x̃‖²            (eq. 8; the target is unknown)
    J_DSM(θ) = E_{q_σ(x, x̃)} ½‖ψ(x̃; θ) − ∂ log q_σ(x̃|x)/∂x̃‖²        (eq. 9; the target is (x − x̃)/σ²)

They differ by a constant, as ∂ log q_σ(x̃)/∂x̃ = E[∂ log q_σ(x̃|x)/∂x̃ | x̃] (the paper's appendix). A denoising
autoencoder with tied weights is such a ψ: its reconstruction error is J_DSM times σ⁴, up to a factor.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks


def corrupt(x: Tensor, sigma: float, *, generator: torch.Generator | None = None) -> Tensor:
    """x̃ ~ q_σ(x̃|x) = N(x, σ²I), shaped like x."""
    _checks.tensor("x", x)
    _checks.number("sigma", sigma, above=0)
    return x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=_checks.generator(generator))


def denoising_target(x: Tensor, x_tilde: Tensor, sigma: float) -> Tensor:
    """∂ log q_σ(x̃|x)/∂x̃ = (x − x̃)/σ²: the arrow from the corrupted point back to the clean one (eq. 10)."""
    _checks.same_shape("x", _checks.tensor("x", x), "x_tilde", _checks.tensor("x_tilde", x_tilde))
    return (x - x_tilde) / _checks.number("sigma", sigma, above=0) ** 2


def J_DSM(psi: Callable[[Tensor], Tensor], x: Tensor, x_tilde: Tensor, sigma: float) -> Tensor:
    """Denoising score matching over pairs (B, n), a scalar (eq. 9)."""
    return 0.5 * (psi(x_tilde) - denoising_target(x, x_tilde, sigma)).square().sum(1).mean()
