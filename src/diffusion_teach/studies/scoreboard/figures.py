"""The scoreboard of digits as a figure: a line a contender, a panel a measure, what real digits score dashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffusion_teach.plots import style

Row = Mapping[str, Any]


def scoreboard(rows: Mapping[str, Row], title: str = "Generators of digits, beside real digits") -> Figure:
    """Distance, precision and density, recall and coverage, and the time of a sample.

    Args:
        rows: by name, as `studies.scoreboard.rows` gives them.
        title: over the whole figure.
    """
    fig, axes = style.subplots(1, 4, panel=(2.35, 0.9 + 0.3 * len(rows)), title=title, share_y=True)
    places = range(len(rows))
    distance, quality, reach, cost = axes
    distance.plot([row["times_floor"] for row in rows.values()], places, "o", color=style.MODEL)
    distance.axvline(1, **style.EXACT_LINE)
    distance.set(xscale="log", xlabel="times the floor", title="Fréchet distance")
    _pair(quality, rows, "precision", "density")
    quality.set(xlabel="share, or multiple", title="do they look real?")
    _pair(reach, rows, "recall", "coverage")
    reach.set(xlabel="share of real digits", title="do they reach all?")
    cost.plot([1000 * row["seconds_per_sample"] for row in rows.values()], places, "o", color=style.MODEL)
    cost.set(xscale="log", xlabel="milliseconds", title="a sample costs")
    distance.set_yticks(places, [row["label"] for row in rows.values()])
    distance.invert_yaxis()
    return fig


def _pair(ax: Axes, rows: Mapping[str, Row], first: str, second: str) -> None:
    """Two measures of each row, and dashed what real digits score in each."""
    for name, mark, colour in ((first, "o", style.MODEL), (second, "s", style.OTHER)):
        ax.plot([row[name] for row in rows.values()], range(len(rows)), mark, color=colour, label=name, alpha=0.8)
    real = next(iter(rows.values()))
    for name in (first, second):
        ax.axvline(real[f"{name}_real"], **style.EXACT_LINE)
    ax.set_xlim(0, 1.2)
    ax.legend(fontsize=7, loc="lower left")
