"""The scoreboard: every shipped generator of digits beside real digits, from the stored rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLACE = "<!-- the scoreboard -->"
HEAD = (
    "Model",
    "Fréchet distance, times its floor",
    "Precision",
    "Recall",
    "Density",
    "Coverage",
    "Label KL, nats",
    "Evaluations a sample",
    "Milliseconds a sample",
    "Weights",
    "Training steps",
)


def markdown(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The table in Markdown: what real digits score first, then a line a contender."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|" + "---:|" * (len(HEAD) - 1)]
    lines.append("| " + " | ".join(real(next(iter(rows.values())))) + " |")
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows.values()]
    return "\n".join(lines)


def real(row: Mapping[str, Any]) -> list[str]:
    """What real digits score, in the order of the head."""
    shares = [f"{row[f'{name}_real']:.2f}" for name in ("precision", "recall", "density", "coverage")]
    spread = f"1 ± {row['floor_std'] / row['floor']:.1f}"
    return ["*real digits*", spread, *shares, f"{row['label_kl_floor']:.4f}", "–", "–", "–", "–"]


def cells(row: Mapping[str, Any]) -> list[str]:
    """A contender's figures, in the order of the head."""
    spread = f" ± {row['frechet_std'] / row['floor']:.1f}" if "frechet_std" in row else ""
    number = "" if row["count"] == 2000 else f" ({row['count']} images)"
    return [
        f"{row['label']}, `{row['checkpoint']}`",
        f"{row['times_floor']:.1f}{spread}{number}",
        *(f"{row[name]:.2f}" for name in ("precision", "recall", "density", "coverage")),
        f"{row['label_kl']:.4f}",
        f"{row['evaluations']:,}",
        f"{1000 * row['seconds_per_sample']:.2g}",
        f"{row['parameters'] / 1e6:.2f} M",
        f"{row['training_steps']:,}",
    ]
