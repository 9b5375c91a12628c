"""The smallest model that can be trained: a point that is drawn to 3."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Point(nn.Module):
    """One weight and one buffer."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([start], dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def loss(self) -> Tensor:
        return (self.theta - 3).square().sum()
