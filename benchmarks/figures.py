"""The page's figures, in the book's style, from the stored figures alone; each picture names what it was drawn from."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.ours import TITLE
from benchmarks.peers import PEERS
from benchmarks.results import Results, fingerprint, quality_part
from benchmarks.tables import number
from diffusion_teach import plots
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.plots import COLOURS, EXACT_LINE, output

KEY = "drawn from"
COLOUR = dict(zip((TITLE, *PEERS), (COLOURS.model, COLOURS.data, COLOURS.rival), strict=True))


def speed(found: Results) -> Figure:
    """Images a second on the left; what of the machine's roof a training step reaches on the right."""
    rows = found["speed"]["contenders"]
    peaks = found["roofline"]
    fig, (left, right) = plots.subplots(1, 2, panel=(4.8, 3.4), title="Training: images a second, and why")
    for place, (name, row) in enumerate(rows.items()):
        low, middle, high = row["images_per_second"]
        alpha = 1.0 if name in COLOUR else 0.5
        left.barh(place, middle, color=COLOUR[name.split(",")[0]], alpha=alpha)
        left.plot([low, high], [place, place], color=COLOURS.grey, linewidth=2)
        left.annotate(number(middle), (high, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    names = [name.replace("denoising-diffusion-", "denoising-diffusion-\n").replace(", ", ",\n") for name in rows]
    left.set_yticks(range(len(rows)), names, fontsize=8)
    left.invert_yaxis()
    left.set(xlabel="images a second")
    left.margins(x=0.15)
    for precision, shade in (("float32", 0.45), ("bfloat16", 1.0)):
        curve = peaks["convolution_by_channels"][precision]
        channels = [int(c) for c in curve]
        right.plot(channels, list(curve.values()), **{**EXACT_LINE, "alpha": shade}, label=f"convolution, {precision}")
    for name in COLOUR:
        reached = rows[name]["operations"] / rows[name]["seconds"][1] / 1e9
        right.axhline(reached, color=COLOUR[name], linewidth=1.5, label=name)
    right.set(xscale="log", yscale="log", xlabel="channels", ylabel="10⁹ operations a second")
    right.set_xticks(channels, [str(c) for c in channels])
    _plain(right)
    right.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return fig


def quality(found: Results) -> Figure:
    """The distance against the time of training, both logarithmic, with the floor."""
    fig, axes = plots.subplots(1, len(JUDGES), panel=(4.4, 3.4), title="Time to quality", share_y=True)
    ticks = [row["limit"] for row in found[quality_part(TITLE)]["rows"]]
    for ax, judge in zip(axes, JUDGES, strict=True):
        for name, colour in COLOUR.items():
            rows = found[quality_part(name)]["rows"]
            distances = [row[judge]["times_floor"] for row in rows]
            ax.plot([row["seconds"] for row in rows], distances, "o-", color=colour, label=name)
        ax.axhline(1, **EXACT_LINE, label="real digits")
        ax.set(xscale="log", yscale="log", xlabel="seconds of training", title=f"by the {judge}")
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        _plain(ax)
    axes[0].set_ylabel("Fréchet distance, times its floor")
    axes[0].legend(fontsize=7)
    return fig


def scaling(found: Results) -> Figure:
    """A training step's milliseconds against batch, width and resolution, with the fitted power laws."""
    fig, axes = plots.subplots(1, 3, panel=(3.2, 2.8), title="What a training step costs")
    for ax, name in zip(axes, ("batch", "width", "resolution"), strict=True):
        curve = found["scaling"][name]
        x = [int(value) for value in curve["seconds"]]
        exponent, _, factor = curve["law"]
        ax.plot(x, [1000 * factor * value**exponent for value in x], **EXACT_LINE, label=f"exponent {exponent:.2f}")
        ax.plot(x, [1000 * value for value in curve["seconds"].values()], "o", color=COLOURS.model)
        ax.set(xscale="log", yscale="log", xlabel=name)
        ax.set_xticks(x, [str(value) for value in x])
        _plain(ax)
        ax.legend()
    axes[0].set_ylabel("milliseconds a step")
    return fig


def _plain(ax: Axes) -> None:
    """Numbers such as 20 and 50 on a logarithmic y axis, and no marks between those of x."""
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


FIGURES: dict[str, tuple[Callable[[Results], Figure], tuple[str, ...]]] = {
    "fast_speed.png": (speed, ("speed", "roofline")),
    "fast_quality.png": (quality, tuple(quality_part(name) for name in COLOUR)),
    "fast_scaling.png": (scaling, ("scaling",)),
}
"""By file name: how to draw it, and the parts that it needs."""


def draw(name: str, found: Results) -> bytes | None:
    """The PNG of a figure, with the fingerprint of its figures inside; None where a part is not measured yet."""
    make, needed = FIGURES[name]
    if not all(need in found for need in needed):
        return None
    picture = Image.open(io.BytesIO(output.png(make(found))))
    note = PngInfo()
    note.add_text(KEY, source(name, found))
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True, pnginfo=note)
    return file.getvalue()


def source(name: str, found: dict[str, Any]) -> str:
    """The fingerprint of the parts that a figure is drawn from."""
    return fingerprint({need: found[need] for need in FIGURES[name][1]})
