"""The exponential moving average of a model's weights, from which one samples."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from diffusion_teach import _checks


class EMA:
    """An exponential moving average of a model's weights, θ̄ ← d·θ̄ + (1 − d)·θ, buffers copied as they are.

    For the first steps the decay is held to (1 + n)/(10 + n), so that the average forgets the initial weights.

    Args:
        model: the model that is trained.
        decay: d, in [0, 1).
        warmup: whether to hold the decay at first.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999, *, warmup: bool = True) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {_checks.describe(model)}.")
        self.decay = _checks.number("decay", decay, least=0, below=1)
        self.warmup = warmup
        self.updates = 0
        self.source = model
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self) -> None:
        """Take in the model's weights of now."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        averages: list[Tensor] = list(self.model.parameters())
        weights: list[Tensor] = list(self.source.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, buffer in zip(self.model.buffers(), self.source.buffers(), strict=True):
            average.copy_(buffer)
