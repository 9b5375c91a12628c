"""Glasses of ink side by side, as frames of a film: a dot is a small square, so that many frames make a small file."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.colors import to_rgb
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots import style

SHADES = (0.0, 0.5, 0.75, 1.0)  # of no dot in a place, one, two, three and more
PLACES, SCREEN = 150, 2
"""Where a dot can lie, along a side of a glass, and screen pixels of each."""
GAP = 12
COLORS = (style.DATA, style.MODEL)


def glasses(dots: Sequence[Tensor], wall: float) -> Tensor:
    """One frame, (H, W, 3) uint8: two glasses next to one another, open at the top, of data and of a model.

    Args:
        dots: two sets (N, 2); what lies outside its glass is not drawn.
        wall: each glass is the square from −wall to wall.
    """
    if len(dots) != len(COLORS):
        raise ValueError(f"dots must be a set for each of {len(COLORS)} glasses, got {len(dots)}.")
    _checks.number("wall", wall, above=0)
    panels = [_glass(f"dots[{i}]", x, wall, color) for i, (x, color) in enumerate(zip(dots, COLORS, strict=True))]
    gap = _colour(style.CARD).expand(len(panels[0]), GAP, 3)
    row = [gap] + [part for panel in panels for part in (panel, gap)]
    frame = torch.cat(row, dim=1)
    margin = _colour(style.CARD).expand(GAP, frame.shape[1], 3)
    return (torch.cat([margin, frame, margin]) * 255).round().to(torch.uint8)


def _colour(name: str) -> Tensor:
    return torch.tensor(to_rgb(name))


def _glass(name: str, dots: Tensor, wall: float, color: str) -> Tensor:
    """A glass (H, W, 3) of values in [0, 1], walls included."""
    _checks.tensor(name, dots, ("N", 2), finite=False)
    shown = dots.detach().cpu().double()
    shown = shown[(shown.abs() <= wall).all(dim=1)]
    place = ((shown / wall + 1) / 2 * PLACES).long().clamp(max=PLACES - 1)
    number = torch.bincount((PLACES - 1 - place[:, 1]) * PLACES + place[:, 0], minlength=PLACES**2)
    shade = torch.tensor(SHADES)[number.clamp(max=len(SHADES) - 1)].reshape(PLACES, PLACES, 1)
    water = torch.lerp(_colour(style.CARD).expand(PLACES, PLACES, 3), _colour(color).expand(PLACES, PLACES, 3), shade)
    water = water.repeat_interleave(SCREEN, 0).repeat_interleave(SCREEN, 1)
    size = PLACES * SCREEN
    glass = _colour(style.GREY).repeat(size + SCREEN, size + 2 * SCREEN, 1)
    glass[:size, SCREEN:-SCREEN] = water
    return glass
