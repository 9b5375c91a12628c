"""What the exercises of chapter 5 share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Score = Callable[[Tensor, float], Tensor]


def root(h: float) -> float:
    """The factor of the noise in a step of size h."""
    return (2 * h) ** 0.5
