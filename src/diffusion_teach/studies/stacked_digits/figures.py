"""Figures of stacked digits: what they are, and how many of a thousand kinds a generator makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.metrics.stacked_modes import StackedModes
from diffusion_teach.plots import style
from diffusion_teach.plots.grids import INK, as_bytes

LOOK: tuple[tuple[str, str], ...] = (
    ("o", style.RIVAL),
    ("s", style.OTHER),
    ("P", style.SISTER),
    ("^", style.MODEL),
    ("v", style.DATA),
    ("D", style.GREY),
)
"""Mark and colour of a row, in the order of the rows."""


def stacks(images: Tensor, titles: Sequence[str], *, title: str = "") -> Figure:
    """Stacks in colour, and under each its three channels.

    Args:
        images: (N, 3, 28, 28) in [−1, 1]; channels are red, green and blue light, and where there is no ink, none.
        titles: over each, such as the number that it shows.
        title: over the whole figure.
    """
    _checks.tensor("images", images, ("N", stacked_mnist.CHANNELS, "H", "W"))
    if len(titles) != len(images):
        raise ValueError(f"titles must name each of the {len(images)} stacks, got {len(titles)}.")
    fig, axes = style.subplots(1 + stacked_mnist.CHANNELS, len(images), panel=(1.05, 1.05), title=title)
    light = as_bytes(images.flatten(0, 1).unsqueeze(1)).view(images.shape)
    for k, text in enumerate(titles):
        column = axes[k :: len(images)]
        column[0].imshow(light[k].permute(1, 2, 0).numpy(), interpolation="nearest")
        column[0].set_title(text)
        for ax, channel in zip(column[1:], light[k], strict=True):
            ax.imshow(channel.numpy(), cmap=INK, vmin=0, vmax=255, interpolation="nearest")
    for ax in axes:
        ax.set(xticks=[], yticks=[])
    for row, name in enumerate(("stack", "red", "green", "blue")):
        axes[row * len(images)].set_ylabel(name)
    return fig


def histograms(
    counts: Mapping[str, Tensor], measured: Mapping[str, StackedModes], *, title: str = "", highest: float | None = None
) -> Figure:
    """Modes and divergence of each row, with the values that real stacks found dashed, and its sorted histogram.

    Args:
        counts: by label, how often each number occurs, (1000,).
        measured: of the same rows.
        title: over the whole figure.
        highest: the largest count that the histograms' axis shows.
    """
    if counts.keys() != measured.keys():
        raise ValueError(f"measured must have the rows of counts, {', '.join(counts)}; got {', '.join(measured)}.")
    fig, axes = style.subplots(1, 3, panel=(2.9, 0.9 + 0.3 * len(counts)), title=title)
    covered, divergence, shape = axes
    real = next(iter(measured.values()))
    for ax, level in ((covered, real.covered_real), (divergence, real.kl_uniform_real)):
        ax.axvline(level, **style.EXACT_LINE)
        ax.set_ylim(len(counts) - 0.5, -0.5)
    for place, (name, found) in enumerate(measured.items()):
        mark, colour = LOOK[place % len(LOOK)]
        look: dict[str, Any] = {"marker": mark, "color": colour, "markersize": 7, "linestyle": ""}
        covered.plot(found.covered, place, **look)
        divergence.plot(found.kl_uniform, place, **look)
        shape.plot(counts[name].sort(descending=True).values.numpy(), color=colour, label=name, linewidth=1.6)
    covered.set_yticks(range(len(counts)), list(counts))
    divergence.set_yticks(range(len(counts)), [""] * len(counts))
    covered.set(xlim=(0, 1.06 * stacked_mnist.KINDS), xlabel="numbers that occur, of 1,000", title="modes")
    divergence.set(xscale="log", xlabel="nats", title="KL from equal shares")
    shape.axhline(float(next(iter(counts.values())).sum()) / stacked_mnist.KINDS, **style.EXACT_LINE)
    shape.set(
        yscale="symlog", ylim=(0, highest), xlabel="numbers, the most frequent first", title="how often each occurs"
    )
    return fig
