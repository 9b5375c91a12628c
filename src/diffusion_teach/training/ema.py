"""The exponential moving average of a model's weights, from which one samples."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from diffusion_teach import _checks


class EMA:
    """An exponential moving average of a model's weights, θ̄ ← d·θ̄ + (1 − d)·θ, buffers copied as they are.

    For the first steps the decay is held to (1 + n)/(10 + n), so that the average forgets the initial weights.

    Weights of 16 bits are averaged in 32: in 16 a step of 1 − d is lost in the rounding, and the average stands still.

    Args:
        model: the model that is trained.
        decay: d, in [0, 1).
        warmup: whether to hold the decay at first.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999, *, warmup: bool = True) -> None:
        self.source = _checks.module("model", model)
        self.decay = _checks.number("decay", decay, least=0, below=1)
        self.warmup = _checks.flag("warmup", warmup)
        self.updates = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        if any(weight.dtype in (torch.bfloat16, torch.float16) for weight in model.parameters()):
            self.model.float()

    @torch.no_grad()
    def update(self) -> None:
        """Take in the model's weights of now."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        averages: list[Tensor] = list(self.model.parameters())
        pairs = zip(averages, self.source.parameters(), strict=True)
        weights = [weight.to(average.dtype) for average, weight in pairs]
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, buffer in zip(self.model.buffers(), self.source.buffers(), strict=True):
            average.copy_(buffer)
