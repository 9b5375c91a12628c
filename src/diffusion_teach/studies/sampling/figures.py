"""The study's figure: quality against evaluations, and against seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from diffusion_teach import plots
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.plots import EXACT_LINE
from diffusion_teach.studies.sampling.measure import EVALUATIONS, METHODS, ROWS

ALT = (
    "Fréchet distances of digits in multiples of their floor, for seven samplers and two judges. SDE 2M is near the "
    "floor from nine evaluations on; Heun and EDM first rise, and come down last. The same against seconds."
)


def figure(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Of the rows that are there: a line for each method, a column for each judge, the upper row by evaluations."""
    fig, axes = plots.subplots(2, len(JUDGES), panel=(4.4, 2.9), share_y=True, title="2,000 digits of one network")
    for column, judge in enumerate(JUDGES):
        above, below = axes[column], axes[len(JUDGES) + column]
        for number, method in enumerate(METHODS):
            found = [rows[name] for name, row in ROWS.items() if row.method == method and name in rows]
            asked = [row.evaluations for name, row in ROWS.items() if row.method == method and name in rows]
            values = [row[judge]["times_floor"] for row in found]
            look = "o-" if number < 5 else "s--"
            above.loglog(asked, values, look, color=f"C{number % 6}", label=method)
            below.loglog([row["seconds"] for row in found], values, look, color=f"C{number % 6}")
        for ax, label, places in (
            (above, "evaluations", EVALUATIONS),
            (below, "seconds for 2,000 digits, on one core", (5, 10, 20, 40)),
        ):
            ax.axhline(1, **EXACT_LINE)
            ax.set(xlabel=label)
            ax.set_xticks(places, [str(place) for place in places])
            ax.set_yticks((1, 2, 5, 10), ("1", "2", "5", "10"))
            ax.minorticks_off()
        above.set_title(f"by the {judge}")
    for ax in (axes[0], axes[len(JUDGES)]):
        ax.set_ylabel("distance, times its floor")
    axes[0].legend(fontsize=7)
    return fig
