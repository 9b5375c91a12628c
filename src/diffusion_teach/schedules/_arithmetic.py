"""What the schedules compute with, exact where numbers are small."""

from __future__ import annotations

import torch
from torch import Tensor


def rest(log_alpha: Tensor) -> Tensor:
    """1 − α², exact to the last digit where it is small, too."""
    return -torch.expm1(2 * log_alpha)
