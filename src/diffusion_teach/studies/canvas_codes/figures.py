"""The study's figures: what each term of the autoencoder buys, and obedience against guidance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from diffusion_teach import plots
from diffusion_teach.plots import COLOURS, EXACT_LINE
from diffusion_teach.studies.canvas_codes import obedience, terms

ALT_TERMS = (
    "Three measures of eight autoencoders, with four channels of latent and with one, by the terms of their loss: "
    "squared error, blur and the multiplications of a training step."
)
ALT_OBEDIENCE = (
    "Left, the share of canvases that show all that the caption says against the strength of guidance, for the latent "
    "and the pixel model, single digits and pairs, with the ceiling of real canvases. Right, the Fréchet distance."
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
    fig, (left, right) = plots.subplots(1, 2, panel=(4.6, 3.2))
    for model, mark in zip(obedience.MODELS, ("o", "s"), strict=True):
        there = [w for w in obedience.GUIDANCE if f"{model}, w = {w:g}" in rows]
        of = [rows[f"{model}, w = {w:g}"] for w in there]
        for group, line in zip(obedience.GROUPS[:2], ("-", "--"), strict=True):
            colour = COLOURS.model if model == obedience.MODELS[0] else COLOURS.rival
            values = [100 * row[group]["all"] for row in of]
            left.plot(there, values, mark + line, color=colour, label=f"{model}, {group}")
        for judge, line in zip(obedience.JUDGES, ("-", "--"), strict=True):
            values = [row["frechet"][judge] / rows["canvases"]["frechet"][judge] for row in of]
            colour = COLOURS.model if model == obedience.MODELS[0] else COLOURS.rival
            right.plot(there, values, mark + line, color=colour, label=f"{model}, by the {judge}")
    if "canvases" in rows:
        left.axhline(100 * rows["canvases"]["single"]["all"], **EXACT_LINE)
        right.axhline(1, **EXACT_LINE)
    left.set(xlabel="guidance w", ylabel="per cent that obey all", ylim=(0, 100))
    right.set(xlabel="guidance w", ylabel="Fréchet distance, over real canvases'", yscale="log")
    left.legend(fontsize=7)
    right.legend(fontsize=7)
    return fig
