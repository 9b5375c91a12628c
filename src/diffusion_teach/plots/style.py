"""One style for the book: the data in one colour, the model in a second, the exact answer dashed in a third.

The colours are those of Okabe and Ito, which colour-blind readers tell apart. Every figure is a light card with its
own background, so that it reads as well on a dark page. The fonts come with matplotlib.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from diffusion_teach import _checks


class Colours(NamedTuple):
    """What each colour means, in every chapter."""

    data: str = "#0072B2"
    model: str = "#D55E00"
    exact: str = "#009E73"
    rival: str = "#CC79A7"
    other: str = "#E69F00"
    grey: str = "#6E6E6E"


COLOURS = Colours()
DATA, MODEL, EXACT, RIVAL, OTHER, GREY = COLOURS
CARD = "#FCFCFA"
INK = "#222222"
SISTER = "#6B4A00"
"""`OTHER`, darkened: the variant that stands beside it."""

DENSITY = LinearSegmentedColormap.from_list("density", [CARD, "#CFE3F0", "#8CBEDD", "#4A95C4"])

# How the exact answer is drawn, wherever it is drawn: axes.plot(x, y, **EXACT_LINE).
EXACT_LINE: dict[str, Any] = {"color": EXACT, "linestyle": (0, (4, 2)), "linewidth": 1.8}

DPI = 100
WIDEST = 9.6

_SETTINGS: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.facecolor": CARD,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.prop_cycle": cycler(color=[DATA, MODEL, EXACT, RIVAL, OTHER, GREY]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": DPI,
    "figure.facecolor": CARD,
    "figure.titlesize": 12,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
    "savefig.facecolor": CARD,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
}


def apply() -> None:
    """Make the book's style matplotlib's default; importing `diffusion_teach.plots` does so."""
    mpl.rcParams.update(_SETTINGS)


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    panel: tuple[float, float] = (4.2, 3.2),
    title: str = "",
    share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A figure of the book's style and its panels, row by row in one flat list: `fig, (left, right) = subplots(1, 2)`.

    Args:
        rows, columns: of panels.
        panel: width and height of a panel in inches; panels shrink so that the figure is at most 9.6 inches wide.
        title: over the whole figure.
        share_x, share_y: whether the panels share their axes.
    """
    _checks.integer("rows", rows)
    _checks.integer("columns", columns)
    width, height = (_checks.number("panel", float(side), above=0) for side in panel)
    shrink = min(1.0, WIDEST / (width * columns))
    fig = Figure(figsize=(width * columns * shrink, height * rows * shrink + (0.3 if title else 0)))
    FigureCanvasAgg(fig)
    axes = fig.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    if title:
        fig.suptitle(title)
    return fig, list(axes.flat)


Extent = tuple[float, float, float, float]


def as_extent(extent: float | Extent) -> Extent:
    """An extent (left, right, bottom, top); a number a stands for the square from −a to a."""
    if isinstance(extent, (int, float)):
        a = _checks.number("extent", extent, above=0)
        return -a, a, -a, a
    if len(extent) != 4 or not (extent[0] < extent[1] and extent[2] < extent[3]):
        raise ValueError(f"extent must be (left, right, bottom, top) with left < right, bottom < top, got {extent}.")
    return extent


def plane(ax: Axes, extent: float | Extent, *, title: str = "", labels: bool = True) -> Axes:
    """Make a panel a piece of the plane: equal units on both axes, and the limits of an extent."""
    left, right, bottom, top = as_extent(extent)
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    if title:
        ax.set_title(title)
    if labels:
        ax.set(xlabel="$x_1$", ylabel="$x_2$")
    return ax
