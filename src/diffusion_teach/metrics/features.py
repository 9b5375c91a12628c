"""The feature space of the book's metrics: the last hidden layer of the shipped digit classifier."""

from __future__ import annotations

import functools
from typing import cast

import torch
from torch import Tensor

from diffusion_teach import _checks, checkpoints
from diffusion_teach.networks.classifier import Classifier


@functools.cache
def pretrained() -> Classifier:
    """The frozen classifier of the shipped checkpoint: evaluation mode, no gradients for its weights, loaded once."""
    return cast(Classifier, checkpoints.model("classifier"))


@torch.no_grad()
def evaluate(model: Classifier, x: Tensor, *, batch: int = 500, features: bool = False) -> Tensor:
    """The logits (B, 10) of many images, or with `features` their features (B, 84), computed batch by batch.

    Args:
        x: (B, 1, 28, 28) in [−1, 1].
        batch: images at a time; bounds the memory.
    """
    _checks.tensor("x", x, ("B", 1, 28, 28))
    _checks.integer("batch", batch)
    compute = model.features if features else model
    return torch.cat([compute(part) for part in x.split(batch)])
