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
    """Distance, density and coverage by both judges, the share of scrawls, and where it was measured a sample's time.

    Args:
        rows: by name, as `studies.scoreboard.rows` or `studies.equal_terms.rows` gives them.
        title: over the whole figure.
    """
    timed = all("seconds_per_sample" in row for row in rows.values())
    fig, axes = style.subplots(1, 4 + timed, panel=(2.1, 0.9 + 0.3 * len(rows)), title=title, share_y=True)
    places, first = range(len(rows)), next(iter(rows.values()))
    distance, quality, reach, scrawls = axes[:4]
    _by_both(distance, rows, "times_floor")
    distance.axvline(1, **style.EXACT_LINE)
    distance.set(xscale="log", xlabel="times the floor", title="Fréchet distance")
    for ax, name in ((quality, "density"), (reach, "coverage")):
        _by_both(ax, rows, name)
        for judge, line in zip(JUDGES, ("--", ":"), strict=True):
            ax.axvline(first[judge][f"{name}_real"], **{**style.EXACT_LINE, "linestyle": line})
        ax.set_xlim(0, 1.7 if name == "density" else 1.1)
    quality.set(xlabel="density", title="do they look real?")
    reach.set(xlabel="coverage", title="do they reach all?")
    reach.legend(fontsize=7, title="by the", title_fontsize=7, loc="lower left")
    scrawls.plot([100 * row["illegible"] for row in rows.values()], places, "o", color=style.MODEL)
    scrawls.axvline(100 * first["illegible_real"], **style.EXACT_LINE)
    scrawls.set(xscale="log", xlim=(0.7, 100), xlabel="per cent illegible", title="can they be read?")
    scrawls.set_xticks([1, 10, 100], ["1", "10", "100"])
    if timed:
        axes[4].plot([1000 * row["seconds_per_sample"] for row in rows.values()], places, "o", color=style.MODEL)
        axes[4].set(xscale="log", xlabel="milliseconds", title="a sample costs")
    distance.set_yticks(places, [row["label"] for row in rows.values()])
    distance.invert_yaxis()
    return fig


BESIDE, ABOVE, BELOW = (11, 0), (0, 15), (0, -15)
PLACES = {
    "vae": BESIDE,
    "gan": BESIDE,
    "rpgan": BESIDE,
    "consistency": BESIDE,
    "add": BESIDE,
    "ddgan": BESIDE,
    "ncsn": ABOVE,
    "ddpm-10": ABOVE,
    "ddpm-50": BELOW,
    "ddpm-1000": BELOW,
}
"""Where the name of each generator in the picture of the trilemma stands, in points off its disc."""
ELSEWHERE = {("consistency", "classifier"): (-12, 15)}
"""Where a name stands that would lie on another disc in the picture of one judge."""
TRILEMMA = (
    "Two panels, one for each judge: Fréchet distance over evaluations a sample, both in logarithms; each generator a "
    "disc, the fuller the more of the real digits it covers, and beside it the per cent. One-call generators lie at "
    "the left, mostly high; the diffusion model's lie low, from ten evaluations on."
)
"""What `trilemma` shows, in words."""


def trilemma(rows: Mapping[str, Row]) -> Figure:
    """Quality, coverage and speed at once: the distance over evaluations, and coverage as the share of a disc.

    Args:
        rows: by name, those of `studies.scoreboard.rows` and `studies.denoising_gan.rows`.
    """
    fig, axes = style.subplots(1, 2, panel=(4.8, 4.4), title="Quality, coverage, speed", share_y=True)
    for ax, judge in zip(axes, JUDGES, strict=True):
        for name, usual in PLACES.items():
            place = ELSEWHERE.get((name, judge), usual)
            row, scores = rows[name], rows[name][judge]
            x, y = row["evaluations"], scores["times_floor"]
            reached = min(scores["coverage"] / scores["coverage_real"], 1.0)
            ax.plot(x, y, "o", markersize=15, color=style.GREY, alpha=0.3)
            ax.plot(x, y, "o", markersize=15 * reached**0.5, color=style.MODEL)
            text, align = f"{row['label']}: {100 * reached:.0f} %", "left" if place[0] else "center"
            ax.annotate(text, (x, y), place, textcoords="offset points", fontsize=7, ha=align, va="center")
        ax.axhline(1, **style.EXACT_LINE)
        ax.set(xscale="log", yscale="log", xlim=(0.6, 9000), ylim=(0.5, 130))
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        ax.set_yticks([1, 10, 100], ["1", "10", "100"])
        ax.set(xlabel="evaluations a sample", title=f"by the {judge}")
    axes[0].set_ylabel("Fréchet distance, times the floor")
    return fig


def _by_both(ax: Axes, rows: Mapping[str, Row], name: str) -> None:
    """A score of each row by both judges, with its standard deviation where it is known."""
    for judge, mark, colour in zip(JUDGES, "os", (style.MODEL, style.OTHER), strict=True):
        values = [row[judge][name] for row in rows.values()]
        spreads = [_spread(row[judge], name) for row in rows.values()]
        ax.plot(values, range(len(rows)), mark, color=colour, label=judge, alpha=0.8)
        ax.errorbar(values, range(len(rows)), xerr=spreads, fmt="none", ecolor=colour, elinewidth=1)


def _spread(scores: Mapping[str, float], name: str) -> float:
    """Of a score over trainings, or of the distance over draws."""
    if name == "times_floor" and "frechet_std" in scores:
        return scores["frechet_std"] / scores["floor"]
    return scores.get(f"{name}_std", 0.0)
