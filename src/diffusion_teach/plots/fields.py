"""Points, densities and score fields in the plane: the learned arrows on the exact ones."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots import style
from diffusion_teach.plots.style import Extent

CELLS = 160
"""Of a shaded panel, on a side."""

# The length r at which arrows are shortened, by panel: set by the first field, so that equal fields give equal arrows.
_references: WeakKeyDictionary[Axes, float] = WeakKeyDictionary()


def lattice(extent: float | Extent, count: int) -> Tensor:
    """The cell centres (count², 2) of a square lattice in an extent, row by row from the bottom."""
    _checks.integer("count", count, least=2)
    left, right, bottom, top = style.as_extent(extent)
    steps = (torch.arange(count) + 0.5) / count
    y, x = torch.meshgrid(bottom + (top - bottom) * steps, left + (right - left) * steps, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)], dim=1)


def scatter(
    ax: Axes, points: Tensor, *, color: str = style.DATA, label: str = "", size: float = 4.0, most: int = 5000
) -> None:
    """Draw points (n, 2) in a panel, half transparent; at most the first `most` of them, and none outside floats."""
    _checks.tensor("points", points, ("n", 2), finite=False)
    shown = points.detach()[: _checks.integer("most", most)].cpu().double()
    shown = shown[torch.isfinite(shown).all(dim=1)]
    x, y = shown.T.numpy()
    ax.scatter(x, y, s=size, color=color, alpha=0.5, linewidths=0, label=label, rasterized=True)


@torch.no_grad()
def draw_density(
    ax: Axes,
    log_prob: Callable[[Tensor], Tensor],
    extent: float | Extent,
    *,
    faint: bool = False,
    title: str = "",
) -> None:
    """Shade a panel by a density, darker where more; its root is shown, so that thin parts are seen.

    Args:
        ax: the panel.
        log_prob: (n, 2) to (n,), up to a constant.
        extent: (left, right, bottom, top), or a for the square from −a to a.
        faint: paler, as a background of arrows or points.
        title: of the panel.
    """
    style.plane(ax, extent, title=title)
    values = log_prob(lattice(extent, CELLS))
    _checks.tensor("what log_prob returns", values, (CELLS**2,), finite=False)
    shade = ((values.double() - values.max()) / 2).exp().reshape(CELLS, CELLS)
    ax.imshow(
        shade.numpy(),
        extent=style.as_extent(extent),
        origin="lower",
        cmap=style.DENSITY,
        vmin=0,
        vmax=2 if faint else 1,
        interpolation="bilinear",
        zorder=0,
    )


@torch.no_grad()
def draw_field(
    ax: Axes,
    score: Callable[[Tensor], Tensor],
    extent: float | Extent,
    *,
    color: str = style.MODEL,
    dashed: bool = False,
    count: int = 13,
    title: str = "",
) -> None:
    """Draw a field as arrows, or `dashed` as wide dashed lines from a dot, on which the arrows lie where they agree.

    Directions are true, long arrows are shortened by `shorten`. The first field of a panel sets how much, for the later
    ones too: draw the exact field first.

    Args:
        ax: the panel.
        score: (n, 2) to (n, 2).
        extent: (left, right, bottom, top), or a for the square from −a to a.
        color: of the arrows; `style.EXACT` with `dashed` for the exact field.
        dashed: wide dashed lines instead of arrows.
        count: arrows on a side.
        title: of the panel.
    """
    style.plane(ax, extent, title=title)
    points = lattice(extent, count)
    vectors = _checks.tensor("what score returns", score(points), (count**2, 2)).detach().float()
    reference = _references.setdefault(ax, float(vectors.norm(dim=1).median()) or 1.0)
    left, right, _, _ = style.as_extent(extent)
    arrows = shorten(vectors, reference) * (0.95 * (right - left) / count / reference)
    if dashed:
        ends = torch.stack([points, points + arrows], dim=1).numpy()
        dashes = LineCollection(list(ends), colors=color, linewidths=3.2, linestyles=(0, (1.1, 0.5)), capstyle="butt")
        dashes.set(zorder=2)
        ax.add_collection(dashes)
        x, y = points.T.numpy()
        ax.scatter(x, y, s=10, color=color, linewidths=0, zorder=2)
        return
    ax.quiver(
        *points.T.numpy(),
        *arrows.T.numpy(),
        angles="xy",
        scale_units="xy",
        scale=1,
        color=color,
        width=0.005,
        headwidth=4.5,
        zorder=3,
    )


def shorten(vectors: Tensor, longest: float) -> Tensor:
    """Shorten long arrows (n, 2) and keep their directions: v / √(1 + |v|²/r²), below r, and v where |v| ≪ r."""
    _checks.number("longest", longest, above=0)
    return vectors / (1 + vectors.square().sum(dim=1, keepdim=True) / longest**2).sqrt()
