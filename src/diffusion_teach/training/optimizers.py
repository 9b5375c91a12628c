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

from diffusion_teach import _checks

COEFFICIENTS, ROUNDS = (3.4445, -4.7750, 2.0315), 5
"""A quintic whose iteration drives all singular values in (0, 1] to about 1 (0.7 to 1.2) in five rounds."""
MOMENTUM = 0.95
"""Of the gradient, Nesterov's."""


def orthogonalised(matrix: Tensor) -> Tensor:
    """About U·Vᵀ of each matrix U·S·Vᵀ (..., m, n): the same directions, singular values between 0.6 and 1.3.

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
        weights = list(parameters)
        if not weights or any(weight.ndim < 2 for weight in weights):
            raise ValueError(
                "Muon needs at least one weight, and each of two or more dimensions; got shapes "
                f"{[tuple(weight.shape) for weight in weights]}. Give biases to AdamW."
            )
        lr = _checks.number("lr", lr, above=0)
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step along the orthogonalised momentum of every weight that has a gradient."""
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
    weights = list(inside)
    known = {id(weight) for weight in weights}
    rest = [p for p in model.parameters() if id(p) not in known]
    return [Muon(weights, lr), torch.optim.AdamW(rest, lr=adamw_lr, betas=betas, weight_decay=0.0, fused=True)]
