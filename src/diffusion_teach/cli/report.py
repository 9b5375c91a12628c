"""What `diffusion-teach` says of recipes, checkpoints and scores: plain text in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from diffusion_teach import checkpoints, recipes
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.features import JUDGES

Row = dict[str, Any]


def recipe_rows() -> list[Row]:
    """Every recipe: name, parameters of its model, steps, batch, summary."""
    rows = []
    for name in recipes.names():
        recipe = recipes.get(name)
        with torch.random.fork_rng(devices=[]):
            count = sum(parameter.numel() for parameter in recipe.model().parameters())
        rows.append(
            {
                "name": name,
                "parameters": count,
                "steps": recipe.steps,
                "batch": recipe.batch,
                "summary": recipe.summary,
            }
        )
    return rows


def checkpoint_rows() -> list[Row]:
    """Every shipped checkpoint: name, bytes of its file, parameters, and what its card says of recipe and metrics."""
    rows = []
    for name in checkpoints.names():
        card = checkpoints.card(name)
        about = ("bytes", "parameters", "recipe", "steps", "seconds", "machine", "metrics")
        rows.append({"name": name, **{key: card[key] for key in about}})
    return rows


def listing(recipe_rows: Sequence[Row], checkpoint_rows: Sequence[Row]) -> str:
    """Both lists as text."""
    made = [
        [row["name"], f"{row['parameters']:,}", f"{row['steps']:,}", f"{row['batch']:,}", row["summary"]]
        for row in recipe_rows
    ]
    kept = [
        [row["name"], size(row["bytes"]), f"{row['parameters']:,}", quality(row["metrics"])] for row in checkpoint_rows
    ]
    parts = [
        "Recipes, to train",
        columns([["name", "parameters", "steps", "batch", "what it makes"], *made], right=(1, 2, 3)),
        "",
        "Checkpoints, trained and shipped",
        columns([["name", "file", "parameters", "quality, as its card states it"], *kept], right=(1, 2)),
    ]
    return "\n".join(parts)


def quality(metrics: Mapping[str, Any]) -> str:
    """The metrics of a model card in one line."""
    if all(judge in metrics for judge in JUDGES):
        times = " and ".join(f"{metrics[judge]['times_floor']:.1f} (by the {judge})" for judge in JUDGES)
        how = Sampling(metrics["sampler"], metrics["steps"])
        return f"Fréchet distance {times} times its floor, {metrics['count']:,} samples {how}"
    numbers = {key: value for key, value in metrics.items() if isinstance(value, (int, float))}
    return ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in numbers.items())


def evaluation(name: str, found: Mapping[str, Any]) -> str:
    """What `metrics.evaluation.evaluate` found, as a table: the model beside real digits; other metrics one a line."""
    if not all(judge in found for judge in JUDGES):
        return columns([[name, ""], *([key.replace("_", " "), _number(value)] for key, value in _flat(found))])
    guidance = f", guidance {found['guidance']:g}" if found["guidance"] else ""
    if guidance and "between" in found:
        guidance += " between log-SNRs {:g} and {:g}".format(*found["between"])
    how = Sampling(found["sampler"], found["steps"])
    head = f"{name}: {found['count']:,} samples {how}{guidance}"
    last = found["seed"] + found["repeats"] - 1
    seeds = f"seeds {found['seed']} to {last}" if found["repeats"] > 1 else f"seed {found['seed']}"
    head += f", {seeds}, {found['dtype']}"
    rows = [["", "model", "real digits", "blurred digits", ""]]
    for judge in JUDGES:
        rows += [[f"by the {judge}", "", "", "", ""], *_judged(found[judge])]
    for key, remark in REMARKS.items():
        if key in found:
            rows.append(_beside(key, found, remark))
    rows.append(["label KL", f"{found['label_kl']:.4f}", f"{found['label_kl_floor']:.4f}", "", "nats; 0: as real"])
    if "test_elbo" in found:
        rows.append(["ELBO", f"{found['test_elbo']:.2f}", "", "", "nats, of binarised test digits"])
    rows.append(["seconds a sample", f"{found['seconds_per_sample']:.2g}", "", "", ""])
    rows.append(["evaluations a sample", str(found["evaluations"]), "", "", "of the network"])
    return f"{head}\n\n{columns(rows, right=(1, 2, 3))}"


REMARKS = {
    "precision": "the share that looks real",
    "recall": "the share of real digits reached",
    "density": "the same two, robust to outliers;",
    "coverage": "density may pass 1",
    "illegible": "the share that the classifier is less than 90 % sure of",
    "ink": "the mean grey value, over the training digits'",
    "label_accuracy": "the share that shows what was asked for",
}
"""What the scores mean that stand beside those of real digits."""


def _judged(scores: Mapping[str, Any]) -> list[list[str]]:
    """The rows of one judge."""
    spread = f" ± {scores['frechet_std']:.2f}" if "frechet_std" in scores else ""
    floor, control = scores["floor"], scores["control"]
    rows = [
        [
            "Fréchet distance",
            f"{scores['frechet']:.2f}{spread}",
            f"{floor:.2f} ± {scores['floor_std']:.2f}",
            f"{control:.2f}",
            "lower is better; real digits are its floor",
        ],
        ["  over its floor", f"{scores['times_floor']:.2f}", "1", f"{control / floor:.2f}", ""],
        *(_beside(key, scores, REMARKS[key]) for key in ("precision", "recall", "density", "coverage")),
    ]
    return [[f"  {row[0]}", *row[1:]] for row in rows]


def _beside(key: str, scores: Mapping[str, Any], remark: str) -> list[str]:
    return [key.replace("_", " "), f"{scores[key]:.3f}", f"{scores[f'{key}_real']:.3f}", "", remark]


def size(count: int) -> str:
    """Bytes as kB or MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def columns(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows of texts under one another; the columns of `right` end, the others begin at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        padded = [text.rjust(width) if k in right else text.ljust(width) for k, (text, width) in enumerate(cells)]
        lines.append("  " + "   ".join(padded))
    return "\n".join(line.rstrip() for line in lines)


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values of nested tables, the names joined."""
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from ((f"{key} {inner}", one) for inner, one in _flat(value))
        else:
            yield key, value


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
