"""What makes small diffusion models of digits better, and what does not: a table from stored rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scoreboard import NARROW, table

from diffusion_teach.metrics.features import JUDGES

PLACE = "<!-- the ablation -->"
HEAD = ("One thing changed", *(f"By the {judge}" for judge in JUDGES), "Illegible", "Time an image")

Row = Mapping[str, Any]


def markdown(rows: Mapping[str, Row], paces: Mapping[str, Row]) -> str:
    """The table in Markdown."""
    return table(HEAD, lines(rows, paces))


def lines(rows: Mapping[str, Row], paces: Mapping[str, Row]) -> Iterator[list[str]]:
    """A line a change; what leaves the training as it is takes as long."""
    for name, row in rows.items():
        distances = (f"{row[j]['times_floor']:.1f}{NARROW}±{NARROW}{row[j]['std']:.1f}" for j in JUDGES)
        time = f"{paces[name]['times_base']:.1f}{NARROW}×" if name in paces else "1"
        yield [row["label"], *distances, f"{100 * row['illegible']:.0f}{NARROW}%", time]
