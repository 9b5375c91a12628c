"""The study's figures: what each term of the autoencoder buys, obedience against guidance, and the bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from diffusion_teach import plots
from diffusion_teach.plots import COLOURS, EXACT_LINE
from diffusion_teach.studies.canvas_codes import obedience, terms

ALT_TERMS = (
    "Three measures of six autoencoders, four with four channels of latent and two with one, by the terms of their "
    "loss: squared error, blur and the multiplications of a training step."
)
ALT_OBEDIENCE = (
    "Left, the per cent of canvases that show all that their sentence says against the strength of guidance, for the "
    "latent and the pixel model, single digits and pairs; dashed what is read right of real canvases. Right, the "
    "Fréchet distance of their digits, over that of real canvases, by the reader and by the encoder."
)
ALT_BILL = (
    "Two panels, of a training step and of a sample: multiplications, seconds and bytes of the latent, of pixels "
    "folded by four and by two, and of pixels as they are, as multiples of the latent's. Folded by four they are about "
    "1, by two about 4, and unfolded 20 or more."
)


def terms_figure(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A panel a measure; a bar for each row that is there, four channels and one beside each other."""
    measures = {
        "squared_error": "squared error",
        "blur": "half-grey pixels over ink",
        "step": "multiplications a step, over plain",
    }
    fig, axes = plots.subplots(1, len(measures), panel=(3.2, 2.8), title="The terms of an autoencoder's loss")
    kinds = list(dict.fromkeys(name.split(", ")[1] for name in terms.ROWS))
    for ax, (key, label) in zip(axes, measures.items(), strict=True):
        for number, channels in enumerate(("4 channels", "1 channel")):
            here = [kind for kind in kinds if f"{channels}, {kind}" in rows]
            values = [rows[f"{channels}, {kind}"][key] for kind in here]
            if key == "step" and values:
                values = [value / values[0] for value in values]
            places = [kinds.index(kind) + 0.4 * number - 0.2 for kind in here]
            colour = (COLOURS.model, COLOURS.data)[number]
            ax.bar(places, values, width=0.38, color=colour, label=channels)
        if key == "blur" and rows:
            ax.axhline(next(iter(rows.values()))["blur_originals"], **EXACT_LINE)
        ax.set(ylabel=label)
        ax.set_xticks(range(len(kinds)), kinds, rotation=20)
    axes[0].legend()
    return fig


def obedience_figure(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Obedience and distance against guidance, of the rows that are there."""
    fig, (left, right) = plots.subplots(1, 2, panel=(4.8, 3.9))
    for model, mark in zip(obedience.MODELS, ("o", "s"), strict=True):
        there = [w for w in obedience.GUIDANCE if f"{model}, w = {w:g}" in rows]
        of = [rows[f"{model}, w = {w:g}"] for w in there]
        colour, name = (COLOURS.model, "latent") if model == obedience.MODELS[0] else (COLOURS.rival, "pixels")
        for group, line in zip(obedience.GROUPS[:2], LINES, strict=True):
            values = [100 * row[group]["all"] for row in of]
            left.plot(there, values, mark, linestyle=line, color=colour, label=f"{name}, {group}")
        for judge, line in zip(obedience.JUDGES, LINES, strict=True):
            values = [row["frechet"][judge] / rows["canvases"]["frechet"][judge] for row in of]
            right.plot(there, values, mark, linestyle=line, color=colour, label=f"{name}, by the {judge}")
    if "canvases" in rows:
        for group, line in zip(obedience.GROUPS[:2], LINES, strict=True):
            truth = {**EXACT_LINE, "linestyle": line, "label": f"real canvases, {group}"}
            left.axhline(100 * rows["canvases"][group]["all"], **truth)
        right.axhline(1, **EXACT_LINE)
    left.set(xlabel="guidance w", ylabel="per cent", ylim=(0, 102), title="all that is said is shown")
    right.set(xlabel="guidance w", ylabel="times real canvases'", yscale="log", title="Fréchet distance of digits")
    right.set_yticks((1, 2, 5, 10), ("1", "2", "5", "10"))
    right.minorticks_off()
    for ax in (left, right):
        ax.legend(fontsize=7, handlelength=4, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    return fig


def bill_figure(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """What a training step and a sample cost, over the latent's: a panel each, a group of bars a row."""
    fig, axes = plots.subplots(1, 2, panel=(4.8, 3.0), share_y=True)
    for ax, (part, title) in zip(axes, {"train": "a training step", "sample": "a sample"}.items(), strict=True):
        for number, (label, colour) in enumerate(MEASURES.items()):
            values = [_over(rows["latent"][part], row[part], label) for row in rows.values()]
            places = [k + 0.27 * (number - 1) for k in range(len(values))]
            bars = ax.bar(places, values, width=0.25, color=colour, label=label)
            ax.bar_label(bars, [f"{value:.2g}" for value in values], fontsize=7)
        ax.set(yscale="log", title=title, ylim=(0.5, 150))
        ax.set_yticks((1, 10, 100), ("1", "10", "100"))
        ax.minorticks_off()
        ax.set_xticks(range(len(rows)), rows, rotation=15)
        ax.axhline(1, **EXACT_LINE)
    axes[0].set_ylabel("times the latent's")
    axes[0].legend(loc="upper left")
    return fig


LINES = ("-", (0, (3, 2)))
"""Of the first and of the second group or judge."""
MEASURES = {"multiplications": COLOURS.data, "seconds": COLOURS.model, "bytes": COLOURS.other}
"""What the bill is of, and its colour."""


def _over(base: Mapping[str, float], of: Mapping[str, float], label: str) -> float:
    return of["times_latent"] if label == "seconds" else of[label] / base[label]
