"""The scoreboard of digits as a figure: a line a contender, a panel a measure, what real digits score dashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.plots import style

Row = Mapping[str, Any]


def scoreboard(rows: Mapping[str, Row], title: str = "Generators of digits, beside real digits") -> Figure:
    """Distance by both judges, precision and recall by both, and the time of a sample.

    Args:
        rows: by name, as `studies.scoreboard.rows` gives them.
        title: over the whole figure.
    """
    fig, axes = style.subplots(1, 4, panel=(2.35, 0.9 + 0.3 * len(rows)), title=title, share_y=True)
    places = range(len(rows))
    distance, quality, reach, cost = axes
    _by_both(distance, rows, "times_floor")
    distance.axvline(1, **style.EXACT_LINE)
    distance.set(xscale="log", xlabel="times the floor", title="Fréchet distance")
    distance.legend(fontsize=7, title="by the", title_fontsize=7)
    for ax, name in ((quality, "density"), (reach, "coverage")):
        _by_both(ax, rows, name)
        for judge, line in zip(JUDGES, ("--", ":"), strict=True):
            ax.axvline(next(iter(rows.values()))[judge][f"{name}_real"], **{**style.EXACT_LINE, "linestyle": line})
        ax.set_xlim(0, 1.2)
    quality.set(xlabel="density", title="do they look real?")
    reach.set(xlabel="coverage", title="do they reach all?")
    cost.plot([1000 * row["seconds_per_sample"] for row in rows.values()], places, "o", color=style.MODEL)
    cost.set(xscale="log", xlabel="milliseconds", title="a sample costs")
    distance.set_yticks(places, [row["label"] for row in rows.values()])
    distance.invert_yaxis()
    return fig


def _by_both(ax: Axes, rows: Mapping[str, Row], name: str) -> None:
    """A score of each row by both judges."""
    for judge, mark, colour in zip(JUDGES, "os", (style.MODEL, style.OTHER), strict=True):
        values = [row[judge][name] for row in rows.values()]
        ax.plot(values, range(len(rows)), mark, color=colour, label=judge, alpha=0.8)
