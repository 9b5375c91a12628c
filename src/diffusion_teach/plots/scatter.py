"""Samples in the plane."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots import style


def scatter(
    ax: Axes, points: Tensor, *, color: str = style.DATA, label: str = "", size: float = 4.0, most: int = 5000
) -> None:
    """Draw points (n, 2) in a panel, half transparent; at most the first `most` of them, and none outside floats."""
    _checks.tensor("points", points, ("n", 2), finite=False)
    shown = points.detach()[: _checks.integer("most", most)].cpu().double()
    shown = shown[torch.isfinite(shown).all(dim=1)]
    x, y = shown.T.numpy()
    ax.scatter(x, y, s=size, color=color, alpha=0.5, linewidths=0, label=label, rasterized=True)
