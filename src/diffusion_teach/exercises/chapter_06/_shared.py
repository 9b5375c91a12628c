"""What the exercises of chapter 6 share."""

from __future__ import annotations

import torch
from torch import Tensor

# Coarse steps, so that a neighbour's table entry is seen to be another one; at k = 3 the two shares differ.
BETAS = torch.tensor([0.1, 0.15, 0.2, 0.3])
SHAPE = (20_000, 1, 2, 2)
Shares = tuple[float, ...]


def shares(value: Tensor, *parts: Tensor) -> tuple[Shares, Tensor]:
    """How much of each part there is in a value, by least squares, and what is left over, shaped like it."""
    columns = torch.stack([part.flatten() for part in parts], dim=1)
    found = torch.linalg.lstsq(columns, value.flatten().unsqueeze(1)).solution
    return tuple(found.flatten().tolist()), value - (columns @ found).view(value.shape)


def no_gaussian(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) - 0.5) * 12**0.5


def one_an_image(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape[0], 1, 1, 1, generator=generator).expand(shape)
