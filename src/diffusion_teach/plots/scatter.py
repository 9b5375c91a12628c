"""Samples in the plane: one model beside the data, or the many members of a batched network in small panels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots import style
from diffusion_teach.plots.style import Extent


def scatter(
    ax: Axes, points: Tensor, *, color: str = style.DATA, label: str = "", size: float = 4.0, most: int = 5000
) -> None:
    """Draw points (n, 2) in a panel, half transparent; at most the first `most` of them, and none outside floats."""
    _checks.tensor("points", points, ("n", 2), finite=False)
    shown = points.detach()[: _checks.integer("most", most)].cpu().double()
    shown = shown[torch.isfinite(shown).all(dim=1)]
    x, y = shown.T.numpy()
    ax.scatter(x, y, s=size, color=color, alpha=0.5, linewidths=0, label=label, rasterized=True)


def legend(ax: Axes, *, columns: int = 1) -> None:
    """A legend whose marks are large and opaque enough to be seen, below the panel."""
    found = ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns, markerscale=2.5, handletextpad=0.4
    )
    for handle in found.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


def extent_of(points: Tensor, *, margin: float = 0.1) -> Extent:
    """The extent (left, right, bottom, top) of finite points (n, 2), with a margin on each side as a share of it."""
    _checks.tensor("points", points, ("n", 2))
    low, high = points.min(dim=0).values, points.max(dim=0).values
    room = margin * (high - low).clamp_min(1e-3)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return left, right, bottom, top


def members_grid(
    samples: Tensor,
    *,
    centres: Tensor | None = None,
    std: float | None = None,
    titles: Sequence[str] | None = None,
    extent: Extent | None = None,
    columns: int = 5,
    title: str = "",
    color: str = style.MODEL,
    most: int = 1000,
) -> Figure:
    """A figure with a small panel for each member (seed), the modes' centres drawn as rings.

    Args:
        samples: (M, N, 2).
        centres: (K, 2), the modes of the data.
        std: with centres, rings of radius 3 std: what lies inside is of high quality.
        titles: one for each member; by default "seed 0", "seed 1", ….
        extent: left, right, bottom, top; by default that of the centres, with a wide margin. Samples outside are cut.
        columns: panels in a row.
        title: over the whole figure.
        color: of the samples.
        most: samples drawn of each member.
    """
    _checks.tensor("samples", samples, ("M", "N", 2), finite=False)
    members = len(samples)
    names = [f"seed {member}" for member in range(members)] if titles is None else list(titles)
    if len(names) != members:
        raise ValueError(f"titles must name each of the {members} members, got {len(names)}.")
    if extent is None:
        inside = samples.flatten(0, 1) if centres is None else centres
        extent = extent_of(inside[torch.isfinite(inside).all(dim=1)], margin=0.1 if centres is None else 0.25)
    columns = min(_checks.integer("columns", columns), members)
    rows = math.ceil(members / columns)
    ratio = (extent[3] - extent[2]) / (extent[1] - extent[0])
    fig, axes = style.subplots(rows, columns, panel=(1.9, 1.9 * ratio + 0.3), title=title)
    for member, ax in enumerate(axes):
        if member >= members:
            ax.set_axis_off()
            continue
        style.plane(ax, extent, labels=False)
        ax.set_title(names[member], fontsize=9)
        ax.set(xticks=[], yticks=[])
        if centres is not None:
            modes(ax, centres, std)
        scatter(ax, samples[member], color=color, size=3.0, most=most)
    return fig


def modes(ax: Axes, centres: Tensor, std: float | None = None) -> None:
    """Draw the centres (K, 2) of the data's modes: dashed rings of radius 3 std, or small crosses without std."""
    _checks.tensor("centres", centres, ("K", 2))
    if std is None:
        x, y = centres.detach().double().T.numpy()
        ax.scatter(x, y, marker="+", s=22, color=style.EXACT, linewidths=0.8, zorder=1)
        return
    _checks.number("std", std, above=0)
    smallest = 0.02 * (ax.get_xlim()[1] - ax.get_xlim()[0])  # a ring that can be seen
    for centre in centres.tolist():
        radius = max(3 * std, smallest)
        ax.add_patch(Circle(centre, radius, fill=False, color=style.EXACT, linestyle=(0, (2, 1)), linewidth=0.8))
