r"""Spectral normalisation (Miyato et al. 2018): each weight matrix divided by its largest singular value.

    W̄ = W / σ(W),   σ(W) = max ‖Wh‖ / ‖h‖

A layer h ↦ W̄h then stretches nothing, and a network's slope is at most the product of its activations' slopes (1 for
ReLU, 1.0998… for SiLU). σ comes from power iteration, algorithm 1 of the paper:

    v ← Wᵀu / ‖Wᵀu‖,   u ← Wv / ‖Wv‖,   σ ≈ uᵀWv.

The angle to the top singular vectors shrinks by (σ₂/σ₁)² an iteration, and σ's relative error by its square. Weights
change little in a step of training, so u is kept from step to step, and one iteration a step follows them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from diffusion_teach import _checks
from diffusion_teach.networks.mlp import BatchedLinear

LAYERS = (nn.Linear, nn.Conv2d, BatchedLinear)
FIRST_ITERATIONS = 30  # before training, from a random u


def power_iteration(weight: Tensor, u: Tensor, steps: int = 1) -> tuple[Tensor, Tensor]:
    """Iterate on matrices (..., o, i) from vectors u (..., o).

    Returns:
        σ (...), which one can differentiate in the weight while u and v count as constants, and the new u (..., o).

    Raises:
        ValueError: for shapes that do not fit.
    """
    _checks.tensor("weight", weight, ("...", "o", "i"), finite=False)
    _checks.tensor("u", u, tuple(weight.shape[:-1]), finite=False)
    if u.dtype != weight.dtype:
        raise TypeError(f"u must be of the weight's dtype, {weight.dtype}, got {_checks.describe(u)}.")
    steps = _checks.integer("steps", steps)
    with torch.no_grad():
        column = u.unsqueeze(-1)
        for _ in range(steps):
            row = nn.functional.normalize(weight.mT @ column, dim=-2)
            column = nn.functional.normalize(weight @ row, dim=-2)
    return (column * (weight @ row)).sum(dim=(-2, -1)), column.squeeze(-1)


class SpectralNorm(nn.Module):
    """W ↦ W / σ(W), a parametrization of one weight; in training mode each use first iterates.

    Args:
        weight: (o, i), (M, i, o) of M members, each divided by its own σ, or a convolution's (o, i, k, k), which is
            seen as a matrix (o, i·k·k), as in the paper.
        generator: draws the first u.
    """

    u: Tensor

    def __init__(self, weight: Tensor, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        matrix = _matrix(weight)
        _checks.generator(generator)
        u = torch.randn(matrix.shape[:-1], generator=generator, dtype=matrix.dtype)
        self.register_buffer("u", power_iteration(matrix.detach(), u, FIRST_ITERATIONS)[1])

    def forward(self, weight: Tensor) -> Tensor:
        """The weight divided by its largest singular value, in its own shape."""
        matrix = _matrix(weight)
        _checks.tensor("weight", matrix, (*self.u.shape, "i"), finite=False)
        if self.training:
            sigma, u = power_iteration(matrix, self.u)
            self.u.copy_(u)
        else:
            sigma = (self.u.unsqueeze(-2) @ matrix).norm(dim=-1).squeeze(-1)
        return weight / sigma.reshape(sigma.shape + (1,) * (weight.ndim - sigma.ndim))


def spectral_normalise(network: nn.Module, *, generator: torch.Generator | None = None) -> nn.Module:
    """Put `SpectralNorm` on the weight of every linear and convolutional layer of a network, in place.

    Returns:
        The network. Layers use normalised weights; what is trained is each layer's `parametrizations.weight.original`.

    Raises:
        ValueError: where it has no such layer, or one that is normalised already.
    """
    _checks.generator(generator)
    layers = [layer for layer in _checks.module("network", network).modules() if isinstance(layer, LAYERS)]
    if not layers:
        raise ValueError("network has no linear or 2D convolutional layer to normalise.")
    for layer in layers:
        if parametrize.is_parametrized(layer, "weight"):
            raise ValueError("a layer of the network is normalised already. Normalise each network once.")
        parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, generator=generator))
    return network


def _matrix(weight: Tensor) -> Tensor:
    _checks.tensor("weight", weight, finite=False)
    matrix = weight.flatten(1) if weight.ndim == 4 else weight
    return _checks.tensor("weight", matrix, ("...", "o", "i"), finite=False)
