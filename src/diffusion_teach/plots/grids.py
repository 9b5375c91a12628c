"""Pictures in rows and columns, over time too: digits as ink on paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.neighbours import nearest
from diffusion_teach.plots import style

INK = "gray_r"


def as_bytes(images: Tensor) -> Tensor:
    """Images (N, 1, H, W) in [−1, 1] or bytes (N, H, W), as bytes (N, H, W)."""
    _checks.tensor("images", images, floating=False)
    if images.dtype == torch.uint8:
        return _checks.tensor("images", images, ("N", "H", "W"), floating=False)
    _checks.tensor("images", images, ("N", 1, "H", "W"), finite=False)
    return mnist.to_uint8(images)


def mosaic(images: Tensor, columns: int, *, gap: int = 2) -> Tensor:
    """One picture (height, width) uint8 of many images, row by row, with paper between; missing ones are paper."""
    _checks.integer("columns", columns)
    pictures = as_bytes(images)
    n, height, width = pictures.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    sheet = torch.zeros(rows * columns, height + gap, width + gap, dtype=torch.uint8)
    sheet[:n, :height, :width] = pictures
    sheet = sheet.view(rows, columns, height + gap, width + gap).transpose(1, 2)
    return sheet.reshape(rows * (height + gap), columns * (width + gap))[: -gap or None, : -gap or None]


def image_grid(
    images: Tensor, columns: int = 8, titles: Sequence[str] | None = None, *, title: str = "", inches: float = 0.55
) -> Figure:
    """A figure of images in a grid, each with its own title if given.

    Args:
        images: (N, 1, H, W) in [−1, 1] or bytes (N, H, W).
        columns: images in a row.
        titles: one short text for each image.
        title: over the whole figure.
        inches: width of an image.
    """
    pictures = as_bytes(images)
    columns = min(_checks.integer("columns", columns), len(pictures))
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"titles must name each of the {len(pictures)} images, got {len(titles)} titles.")
    sheet = mosaic(pictures, columns, gap=2 if titles is None else 8)
    size = inches * columns, inches * columns * sheet.shape[0] / sheet.shape[1] + (0.1 if title else 0)
    fig, (ax,) = style.subplots(panel=(max(size[0], 2.5), size[1]), title=title)
    ax.imshow(sheet.numpy(), cmap=INK, vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    height, width = pictures.shape[1] + 8, pictures.shape[2] + 8
    for index, text in enumerate(titles or ()):
        row, column = divmod(index, columns)
        ax.text(column * width + (width - 8) / 2, row * height - 1, text, ha="center", va="bottom", fontsize=8)
    return fig


def image_rows(rows: Mapping[str, Tensor], *, title: str = "", column_titles: Sequence[str] | None = None) -> Figure:
    """A figure with one labelled row of images for each entry.

    Args:
        rows: label to images (N, 1, H, W) in [−1, 1] or bytes (N, H, W), the same N in every row.
        title: over the whole figure.
        column_titles: one short text for each column.
    """
    if not rows:
        raise ValueError("rows is empty, expected at least one label with its images.")
    counts = {label: len(images) for label, images in rows.items()}
    columns = max(counts.values())
    if min(counts.values()) != columns:
        raise ValueError(f"every row must hold the same number of images, got {counts}.")
    if column_titles is not None and len(column_titles) != columns:
        raise ValueError(f"column_titles must name each of the {columns} columns, got {len(column_titles)}.")
    inches = min(0.62, (style.WIDEST - 1.2) / columns)
    panel = (max(3.2, inches * columns + 1.2), inches * len(rows) + (0.3 if column_titles else 0))
    fig, (ax,) = style.subplots(panel=panel, title=title)
    pictures = [as_bytes(images) for images in rows.values()]
    sheet = mosaic(torch.cat(pictures), columns)
    ax.imshow(sheet.numpy(), cmap=INK, vmin=0, vmax=255, interpolation="nearest")
    ax.spines[:].set_visible(False)
    height, width = pictures[0].shape[1] + 2, pictures[0].shape[2] + 2
    ax.set_yticks([row * height + height / 2 for row in range(len(rows))], list(rows))
    ax.set_xticks([column * width + width / 2 for column in range(columns)], column_titles or [""] * columns)
    ax.tick_params(length=0, labelsize=9, bottom=False, top=False, labelbottom=False, labeltop=True)
    return fig


def strip(
    trajectory: Tensor | Sequence[Tensor], times: Tensor | Sequence[float], *, columns: int = 9, title: str = ""
) -> Figure:
    """A figure of images over time: one row an image, one column a time, the first and the last time among them.

    Args:
        trajectory: (T, n, 1, H, W) in [−1, 1], or the T tensors that a sampler yields; values outside are clamped.
        times: (T,) the time of each.
        columns: times shown, evenly spaced among the T; at least 2.
        title: over the whole figure.
    """
    steps = torch.stack([step.detach().cpu() for step in trajectory])
    _checks.tensor("trajectory", steps, ("T", "n", 1, "H", "W"), finite=False)
    clock = [float(t) for t in times]
    if len(clock) != len(steps):
        raise ValueError(f"times must give the time of each of the {len(steps)} steps, got {len(clock)}.")
    columns = min(_checks.integer("columns", columns, least=2), len(steps))
    chosen = torch.linspace(0, len(steps) - 1, columns).round().long()
    rows = {" " * row: as_bytes(steps[chosen, row]) for row in range(steps.shape[1])}
    return image_rows(rows, title=title, column_titles=[f"t = {clock[i]:.2f}" for i in chosen.tolist()])


def neighbours_grid(samples: Tensor, training: Tensor, *, columns: int = 10, title: str = "") -> Figure:
    """Samples over their nearest training images (Euclidean distance of the pixels): a copy would show.

    Args:
        samples: (N, 1, H, W) in [−1, 1]; the first `columns` of them are shown.
        training: (M, 1, H, W) in [−1, 1], or bytes (M, H, W).
    """
    shown = as_bytes(samples)[: _checks.integer("columns", columns)]
    known = as_bytes(training)
    which = nearest(shown.flatten(1).float(), known.flatten(1).float()).which
    return image_rows({"sample": shown, "nearest\ntraining image": known[which]}, title=title)
