r"""Muon: momentum whose step is made orthogonal, for the weight matrices inside a network.

The gradient of a weight matrix is often nearly of low rank: a few directions get all of the step. Muon replaces the
momentum G = U·S·Vᵀ by about U·Vᵀ, all of whose singular values are alike, so that every direction moves. In a short
training it learns roughly twice as much from each image as AdamW. Nothing in diffusion depends on it.

Biases, embeddings, and the first and last layers stay with AdamW.

Source: Jordan et al. (2024), "Muon: An optimizer for hidden layers in neural networks".
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, devices

COEFFICIENTS, ROUNDS = (3.4445, -4.7750, 2.0315), 5
"""A quintic whose iteration drives all singular values in (0, 1] to about 1 (0.7 to 1.2) in five rounds."""
MOMENTUM = 0.95
"""Of the gradient, Nesterov's."""


def adamw(
    parameters: Iterable[nn.Parameter],
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    weight_decay: float = 0.0,
) -> torch.optim.AdamW:
    """AdamW, which without weight decay is Adam, in one kernel for all weights where their device has it."""
    weights = _parameters("parameters", parameters)
    return torch.optim.AdamW(
        weights,
        lr=_checks.number("lr", lr, above=0),
        betas=_checks.pair("betas", betas, least=0, below=1),
        weight_decay=_checks.number("weight_decay", weight_decay, least=0),
        fused=all(devices.fused(weight.device) for weight in weights),
    )


def _parameters(name: str, value: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    weights: list[nn.Parameter] = [] if isinstance(value, Tensor) or not isinstance(value, Iterable) else list(value)
    if isinstance(value, (list, tuple)) and not value:
        raise ValueError(f"{name} is empty, and at least one weight is needed.")
    if not weights or not all(isinstance(weight, nn.Parameter) for weight in weights):
        raise TypeError(f"{name} must be weights, as model.parameters() gives, got {_checks.describe(value)}.")
    return weights


def orthogonalised(matrix: Tensor) -> Tensor:
    """About U·Vᵀ of each matrix U·S·Vᵀ (..., m, n): the same directions, singular values between 0.6 and 1.3.

    A singular value below 1/800 of the matrix's norm ends below that, at a⁵ = 485 times its share of the norm.

    Newton–Schulz iteration X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ: matrix products only.
    """
    _checks.tensor("matrix", matrix, ("...", "m", "n"), finite=False)
    a, b, c = COEFFICIENTS
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for weights of two or more dimensions; a kernel (out, in, h, w) counts as the matrix (out, in·h·w).

    Args:
        parameters: the weights.
        lr: how far a step goes, the same along every direction; scaled by √(out/(in·h·w)) where that exceeds 1.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float = 0.02) -> None:
        weights = _parameters("parameters", parameters)
        if any(weight.ndim < 2 for weight in weights):
            shapes = [tuple(weight.shape) for weight in weights]
            raise ValueError(
                f"parameters of Muon must be of two or more dimensions each, got shapes {shapes}. Give biases to AdamW."
            )
        lr = _checks.number("lr", lr, above=0)
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step along the orthogonalised momentum of every weight that has a gradient."""
        if closure is not None:
            raise TypeError(f"closure must be None, got {_checks.describe(closure)}. Compute the gradients beforehand.")
        for group in self.param_groups:
            alike: dict[tuple[int, ...], list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(tuple(weight.flatten(1).shape), []).append(weight)
            for (rows, columns), weights in alike.items():  # one batch of products serves all matrices of a shape
                steps = orthogonalised(torch.stack([self._ahead(weight) for weight in weights]))
                scale = max(1.0, rows / columns) ** 0.5
                for weight, step in zip(weights, steps, strict=True):
                    weight.add_(step.view(weight.shape), alpha=-scale * group["lr"])

    def _ahead(self, weight: nn.Parameter) -> Tensor:
        """Nesterov's momentum of a weight as a matrix: its gradient, and where the average of those before points."""
        assert weight.grad is not None
        average = self.state[weight].setdefault("average", torch.zeros_like(weight))
        average.lerp_(weight.grad, 1 - MOMENTUM)
        return weight.grad.lerp(average, MOMENTUM).flatten(1)


def muon_and_adamw(
    model: nn.Module,
    inside: Iterable[nn.Parameter],
    *,
    lr: float = 0.02,
    adamw_lr: float = 5e-3,
    betas: tuple[float, float] = (0.9, 0.99),
) -> list[torch.optim.Optimizer]:
    """Muon for the weights inside, AdamW for all other parameters of the model: for `training.fit(optimizers=…)`."""
    weights, all_ = _parameters("inside", inside), list(_checks.module("model", model).parameters())
    known = {id(weight) for weight in weights}
    if known - {id(weight) for weight in all_}:
        raise ValueError("inside must be weights of the model, and some are not.")
    rest = [weight for weight in all_ if id(weight) not in known]
    adamw_lr, betas = _checks.number("adamw_lr", adamw_lr, above=0), _checks.pair("betas", betas, least=0, below=1)
    return [Muon(weights, lr), *([adamw(rest, lr=adamw_lr, betas=betas)] if rest else [])]
