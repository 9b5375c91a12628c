"""The study's figure: how far the digits of each schedule are from real ones, with its own steps and with all's."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any

from matplotlib.figure import Figure

from diffusion_teach import plots
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.plots import style
from diffusion_teach.studies.schedules.measure import SPACINGS

ALT = (
    "Fréchet distances of digits over their floor, a line a schedule, a panel a judge, each with its own steps and "
    "with those of all, which nearly agree. On Stable Diffusion's schedules and the shifted cosine they are least, on "
    "DDPM's linear one larger by a third; EDM's line is the largest by the classifier."
)
"""What `figure` shows, in words."""
LOOK = {"own": ("o", style.MODEL, "its own steps"), "common": ("s", style.OTHER, "the same steps for all")}


def figure(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A line a schedule, a panel a judge: the mean of ten trainings, and their standard deviation."""
    height = 1.0 + 0.36 * len(rows)
    title = "One short training of one network, by schedule: ten seeds each"
    fig, axes = plots.subplots(1, len(JUDGES), panel=(4.8, height), share_y=True, title=title)
    for ax, judge in zip(axes, JUDGES, strict=True):
        for way, shift in zip(SPACINGS, (-0.12, 0.12), strict=True):
            mark, colour, label = LOOK[way]
            values = [row[way][judge] for row in rows.values()]
            places = [place + shift for place in range(len(rows))]
            means, spreads = [fmean(v) for v in values], [stdev(v) for v in values]
            ax.errorbar(means, places, xerr=spreads, fmt=mark, color=colour, label=label, elinewidth=1)
        ax.set(title=f"by the {judge}", xlabel="Fréchet distance, times its floor")
        ax.set_xlim(left=0)
    axes[0].set_yticks(range(len(rows)), [row["label"] for row in rows.values()])
    axes[0].invert_yaxis()
    axes[-1].legend(fontsize=8, loc="lower left")
    return fig
