"""Other views of an image: turned and shifted, or a crop. Paper (−1) fills what lies outside."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks


def turned_and_shifted(
    x: Tensor, *, degrees: float = 10.0, pixels: float = 2.0, generator: torch.Generator | None = None
) -> Tensor:
    """Turn each image by up to ±degrees and shift it by up to ±pixels, uniformly.

    Args:
        x: (B, C, H, W) in [−1, 1].

    Returns:
        (B, C, H, W).
    """
    _checks.tensor("x", x, ("B", "C", "H", "W"))
    degrees, pixels = _checks.number("degrees", degrees, least=0), _checks.number("pixels", pixels, least=0)
    turn, right, down = torch.rand(3, len(x), generator=_checks.generator(generator), device=x.device) * 2 - 1
    angle = turn * math.radians(degrees)
    shift = torch.stack([right / x.shape[-1], down / x.shape[-2]], dim=-1) * (2 * pixels)
    cos, sin = angle.cos(), angle.sin()
    return _warped(x, torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=-1))


def cropped(x: Tensor, *, smallest: float = 0.4, generator: torch.Generator | None = None) -> Tensor:
    """A square piece of each image, enlarged to the image's size.

    Args:
        x: (B, C, H, W) in [−1, 1].
        smallest: the least side of a piece, a share of the image's in (0, 1]. Sides are uniform between it and 1, and
            so are the places inside the image.

    Returns:
        (B, C, H, W).
    """
    _checks.tensor("x", x, ("B", "C", "H", "W"))
    smallest = _checks.number("smallest", smallest, above=0, most=1)
    side, right, down = torch.rand(3, len(x), generator=_checks.generator(generator), device=x.device)
    side = smallest + (1 - smallest) * side
    right, down = ((1 - side) * (2 * place - 1) for place in (right, down))
    none = torch.zeros_like(side)
    return _warped(x, torch.stack([side, none, right, none, side, down], dim=-1))


def _warped(x: Tensor, matrices: Tensor) -> Tensor:
    """Images read at the places that affine maps (B, 6) send their pixels to; [−1, 1] spans the image."""
    grid = F.affine_grid(matrices.view(-1, 2, 3).to(x.dtype), list(x.shape), align_corners=False)
    return F.grid_sample(x + 1, grid, padding_mode="zeros", align_corners=False) - 1
