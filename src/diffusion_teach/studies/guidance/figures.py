"""The study's figures: every score over w, and what is learned from what was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from diffusion_teach import plots
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.plots import COLOURS, EXACT_LINE
from diffusion_teach.studies.guidance import learned_from
from diffusion_teach.studies.guidance.measure import STRENGTHS

Rows = Mapping[str, Mapping[str, Any]]
SHOWN = {
    "times_floor": "distance, times its floor",
    "label_accuracy": "label read as asked",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
"""The panels: what a score is called."""
HUES = dict(zip(JUDGES, (COLOURS.model, COLOURS.data), strict=True))


def over_w(rows: Rows) -> Figure:
    """Each score over w, a point a set and a line through the means, by both judges; dashed what real digits score."""
    fig, axes = plots.subplots(2, 3, panel=(3.1, 2.4), title="2,000 digits asked for by label, guided by w")
    there = [w for w in STRENGTHS if f"w = {w:g}" in rows]
    for ax, (key, label) in zip(axes, SHOWN.items(), strict=True):
        for judge, hue in HUES.items():
            sets = [rows[f"w = {w:g}"][judge][key] for w in there]
            for w, values in zip(there, sets, strict=True):
                ax.plot([w] * len(values), values, ".", color=hue, alpha=0.5)
            ax.plot(there, [sum(values) / len(values) for values in sets], "-", color=hue, label=judge)
            if "real" in rows:
                values = rows["real"][judge][key]
                ax.axhline(sum(values) / len(values), **{**EXACT_LINE, "color": hue, "linewidth": 1.0})
        ax.set_xscale("symlog", linthresh=0.25)
        ax.set_xticks([0, 0.25, 0.5, 1, 2, 4, 8], ["0", "¼", "½", "1", "2", "4", "8"])
        ax.minorticks_off()
        ax.set(title=label)
    axes[0].legend()
    for ax in axes[3:]:
        ax.set_xlabel("w")
    return fig


OVER_W = (
    "Six panels over w, two judges each, dashed what real digits score. The distance is least at little or no guidance "
    "and rises; labels are read as asked more often; precision rises first and then falls, recall falls from the start."
)


def lessons(rows: Rows) -> Figure:
    """The accuracy on real test digits of classifiers that learned from a row's digits, a point a set."""
    names = [name for name in learned_from.ROWS if name in rows]
    fig, (ax,) = plots.subplots(panel=(7.2, 3.4), title="Learned from 2,000 digits or fewer, tested on real ones")
    for place, name in enumerate(names):
        hue = COLOURS.data if name.startswith("real") else COLOURS.model
        hue = COLOURS.grey if name == "mean pictures" else hue
        values = [100 * value for value in rows[name]["accuracy"]]
        ax.plot(values, [place] * len(values), "o", color=hue, alpha=0.6)
        if values and min(values) < LEAST:
            ax.text(LEAST + 0.2, place, f"{sum(values) / len(values):.0f}", color=hue, va="center")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel="per cent of 10,000 real test digits read rightly", xlim=(LEAST, 100))
    return fig


LEAST = 86.0
"""Where the axis of accuracies begins, per cent."""
LESSONS = (
    "Accuracies of classifiers that learned from generated and from real digits. Those of little guidance teach about "
    "as much as real ones; the more guidance, the less; the ten mean pictures teach least."
)
