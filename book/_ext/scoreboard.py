"""The scoreboard: every shipped generator of digits beside real digits, from the stored rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PLACE = "<!-- the scoreboard -->"
QUALITY = ("Model", "Distance", "Precision", "Recall", "Density", "Coverage", "Label KL")
COST = ("Model", "Checkpoint", "Calls", "ms", "Weights", "Steps")
SHARES = ("precision", "recall", "density", "coverage")
NARROW = "\N{NO-BREAK SPACE}"

Row = Mapping[str, Any]


def markdown(rows: Mapping[str, Row]) -> str:
    """Two tables in Markdown: how good the samples are, real digits first, and what they cost."""
    found = list(rows.values())
    return table(QUALITY, [real(found[0]), *map(quality, found)]) + "\n\n" + table(COST, map(cost, found))


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table whose columns but the first are set to the right."""
    parts = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in parts)


def real(row: Row) -> list[str]:
    """What real digits score."""
    spread = f"1{NARROW}±{NARROW}{row['floor_std'] / row['floor']:.1f}"
    return ["*real digits*", spread, *(f"{row[f'{name}_real']:.2f}" for name in SHARES), f"{row['label_kl_floor']:.4f}"]


def quality(row: Row) -> list[str]:
    """How good a contender's samples are."""
    spread = f"{NARROW}±{NARROW}{row['frechet_std'] / row['floor']:.1f}" if "frechet_std" in row else ""
    distance = f"{row['times_floor']:.1f}{spread}"
    return [row["label"], distance, *(f"{row[name]:.2f}" for name in SHARES), f"{row['label_kl']:.4f}"]


def cost(row: Row) -> list[str]:
    """What a contender costs."""
    weights, steps = f"{row['parameters'] / 1e6:.2f}{NARROW}M", f"{row['training_steps']:,}"
    seconds = row["seconds_per_sample"]
    milliseconds = f"{1000 * seconds:.2g}" if seconds < 0.1 else f"{1000 * seconds:.0f}"
    return [row["label"], f"`{row['checkpoint']}`", f"{row['evaluations']:,}", milliseconds, weights, steps]
