"""What the exercises of chapter 4 share."""

from __future__ import annotations

from torch import Tensor


def worst(value: Tensor, expected: Tensor) -> str:
    """Where an answer is farthest off: what was expected there, and what came."""
    place = int((value.detach() - expected).abs().argmax())
    return f"expected {float(expected.flatten()[place]):.4g}, yours is {float(value.flatten()[place]):.4g}"
