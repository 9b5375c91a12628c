"""The scoreboard's tables, from stored rows.

Every shipped generator of digits beside real digits, what the judges see, generators on equal terms, and canvases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from diffusion_teach.metrics.features import JUDGES

PLACE = "<!-- the scoreboard -->"
JUDGES_PLACE = "<!-- the judges -->"
EQUAL_PLACE = "<!-- on equal terms -->"
CANVASES_PLACE = "<!-- the canvases -->"
JUDGED = ("Model", "Distance", "Precision", "Recall", "Density", "Coverage")
BESIDES = ("Model", "Illegible", "Ink", "Label KL")
COST = ("Model", "Checkpoint", "Calls", "ms", "Weights", "Steps")
SHARES = ("precision", "recall", "density", "coverage")
NARROW = "\N{NO-BREAK SPACE}"
SYMBOLS = {"gamma": "γ", "beta1": "β₁", "muon": "Muon", "adamw": "AdamW", "lr": "rate"}

Row = Mapping[str, Any]


def markdown(rows: Mapping[str, Row]) -> str:
    """Tables in Markdown, real digits first: what each judge sees, what neither sees, and what samples cost."""
    found = list(rows.values())
    parts = [f"**By the {judge}:**\n\n{table(JUDGED, judged(found, judge))}" for judge in JUDGES]
    parts += [f"**Besides:**\n\n{table(BESIDES, besides(found))}", f"**Cost:**\n\n{table(COST, map(cost, found))}"]
    return "\n\n".join(parts)


def judges(rows: Mapping[str, Row]) -> str:
    """What both judges see of spoilt digits, as a table in Markdown."""
    lines = (
        [
            name,
            *(f"{row[judge]['times_floor']:.1f}{NARROW}±{NARROW}{row[judge]['std']:.1f}" for judge in JUDGES),
            f"{100 * row['illegible']:.1f}{NARROW}%",
        ]
        for name, row in rows.items()
    )
    return table(("Digits", *(f"By the {judge}" for judge in JUDGES), "Illegible"), lines)


def equal_terms(rows: Mapping[str, Row], shipped: Mapping[str, Row], beside: Mapping[str, str]) -> str:
    """Generators on equal terms, as two tables in Markdown: what they come to, and by which means.

    Beside each stands the shipped model that is drawn alike.
    """
    found = table(
        ("Model", *(f"By the {judge}" for judge in JUDGES), "Illegible", "As shipped"),
        (_found(row, shipped.get(beside.get(name, ""))) for name, row in rows.items()),
    )
    return found + "\n\n" + table(("Model", "Settings", "Trials", "Training, s", "Calls"), map(_means, rows.values()))


def canvases(rows: Mapping[str, Row]) -> str:
    """Models that read captions, as tables in Markdown: by each judge, real canvases first, and what it costs."""
    found = list(rows.values())
    if not found:
        return ""
    first, head = found[0], (*COST, "Obeyed")
    parts = [f"**By the {judge}:**\n\n{table(JUDGED, judged(found, judge, 'canvases'))}" for judge in first["judges"]]
    label, blank = f"*{first['count']:,} real canvases*", ["–"] * (len(COST) - 1)
    lines = [[label, *blank, f"{100 * first['obeyed_real']:.0f}{NARROW}%"]]
    lines += [[*cost(row), f"{100 * row['obeyed']:.0f}{NARROW}%"] for row in found]
    return "\n\n".join([*parts, f"**Besides:**\n\n{table(head, lines)}"])


def _found(row: Row, other: Row | None) -> list[str]:
    distances = (f"{row[j]['times_floor']:.1f}{NARROW}±{NARROW}{row[j]['times_floor_std']:.1f}" for j in JUDGES)
    shipped = "–" if other is None else f"{NARROW}/{NARROW}".join(f"{other[j]['times_floor']:.1f}" for j in JUDGES)
    return [row["label"], *distances, f"{100 * row['illegible']:.0f}{NARROW}%", shipped]


def _means(row: Row) -> list[str]:
    settings = ", ".join(f"{SYMBOLS.get(key, key)}{NARROW}{value:g}" for key, value in row["settings"].items())
    return [row["label"], settings, str(row["trials"]), f"{row['training_seconds']:.0f}", f"{row['evaluations']:g}"]


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table whose columns but the first are set to the right."""
    parts = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in parts)


def references(rows: Sequence[Row], what: str = "digits") -> list[tuple[str, Row]]:
    """For each number of images a row that says what as many real ones score, the most frequent number first."""
    counts = [row["count"] for row in rows]
    different = sorted(set(counts), key=counts.count, reverse=True)
    return [(f"*{count:,} real {what}*", rows[counts.index(count)]) for count in different]


def judged(rows: Sequence[Row], judge: str, what: str = "digits") -> Iterator[list[str]]:
    """How good samples are by a judge."""
    for label, row in references(rows, what):
        real = row[judge]
        spread = f"1{NARROW}±{NARROW}{real['floor_std'] / real['floor']:.1f}"
        yield [label, spread, *(f"{real[f'{name}_real']:.2f}" for name in SHARES)]
    for row in rows:
        scores = row[judge]
        spread = f"{NARROW}±{NARROW}{scores['frechet_std'] / scores['floor']:.1f}" if "frechet_std" in scores else ""
        yield [row["label"], f"{scores['times_floor']:.1f}{spread}", *(f"{scores[name]:.2f}" for name in SHARES)]


def besides(rows: Sequence[Row]) -> Iterator[list[str]]:
    """What distances do not tell."""
    of_real, made = ("illegible_real", "ink_real", "label_kl_floor"), ("illegible", "ink", "label_kl")
    lines = [(label, row, of_real) for label, row in references(rows)]
    for label, row, keys in [*lines, *((row["label"], row, made) for row in rows)]:
        scrawls, grey, labels = (row[key] for key in keys)
        yield [label, f"{100 * scrawls:.1f}{NARROW}%", f"{grey:.2f}", f"{labels:.4f}"]


def cost(row: Row) -> list[str]:
    """What a contender costs."""
    weights, steps = f"{row['parameters'] / 1e6:.2f}{NARROW}M", f"{row['training_steps']:,}"
    seconds = row["seconds_per_sample"]
    milliseconds = f"{1000 * seconds:.2g}" if seconds < 0.1 else f"{1000 * seconds:.0f}"
    return [row["label"], f"`{row['checkpoint']}`", f"{row['evaluations']:,}", milliseconds, weights, steps]
