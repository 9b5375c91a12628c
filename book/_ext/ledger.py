"""The ledger: every claim beside what the stored notebook and ten seeds measured, and the fault that it catches."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffusion_teach import claims

PLACE = "<!-- the ledger -->"
NOT_RUN = "\n## What is cited and not run\n"
HOLDS = "✓ holds"
CLASSES = {HOLDS: "holds", "does not hold": "fails", "not measured": "unmeasured"}  # of a verdict
RESULTS = Path(__file__).resolve().parents[2] / "tools" / "faults" / "results"

Figures = dict[str, Any]  # by name: a number, or a list with one number a seed


def markdown(notebooks: Path, results: Path = RESULTS, facts: Mapping[int, str] | None = None) -> str:
    """The ledger's tables in MyST Markdown, one a chapter, from the notebooks of a folder and the faults' results.

    `facts` are the places of the thirteen facts on their page, to which a claim that bears on one links.
    """
    stored = measured(notebooks)
    parts = []
    for path in sorted(notebooks.glob("*.ipynb")):
        rows = [claim for claim in claims.TABLE.values() if claim.chapter == path.stem]
        if rows:
            found = trials(results / f"{path.stem}.json")
            parts.append(f"### {title(path)}\n\n{folded(rows, stored, table(path.stem, rows, stored, found, facts))}")
    return "\n\n".join(parts)


def filters(facts: Mapping[int, str]) -> str:
    """Where `ledger.js` puts its menus, with the names of the thirteen facts; without a script there is nothing."""
    names = "|".join(f"{number}. {name}" for number, name in sorted(facts.items()))
    return f'<div id="ledger-filter" data-facts="{html.escape(names)}"></div>'


def cited(text: str) -> str:
    """The page's own table of what is not run: each row with the marks by which `ledger.js` finds it."""
    before, section = text.split(NOT_RUN, 1) if NOT_RUN in text else (text, "")
    lines = section.splitlines(keepends=True)
    for i, line in enumerate(lines):
        numbers = re.findall(r"\(facts\.md#(\d+)-", line)
        if line.startswith("| ") and numbers:
            statement, rest = line.removeprefix("| ").split(" | ", 1)
            lines[i] = f"| {statement} {mark('cited', 'cited', 'not-run', map(int, numbers))} | {rest}"
    return before + (NOT_RUN if section else "") + "".join(lines)


def mark(words: str, kind: str, verdict: str, facts: Iterable[int]) -> str:
    """Words of a row that tell `ledger.js`, by their classes, its kind, its verdict and the facts it bears on."""
    return f"[{words}]{{.claim .{kind} .{verdict}{''.join(f' .fact-{number}' for number in facts)}}}"


def folded(rows: Sequence[claims.Claim], stored: dict[str, Figures], table: str) -> str:
    """A chapter's table, to be unfolded: the line that one sees tells how many claims it has and whether they hold."""
    held = sum(verdict(claim, stored) == HOLDS for claim in rows)
    count = f"{len(rows)} claim{'s' * (len(rows) > 1)}"
    hold = "all hold" if held == len(rows) > 1 else "it holds" if held == len(rows) else f"{held} hold"
    return f'<details class="chapter-claims">\n<summary>{count}, {hold}</summary>\n\n{table}\n\n</details>'


def title(path: Path) -> str:
    """A notebook's title: its first heading."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line.removeprefix("# ")
    return path.stem


def measured(notebooks: Path) -> dict[str, Figures]:
    """What the stored outputs measured, by claim."""
    found: dict[str, Figures] = {}
    for path in sorted(notebooks.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                note = output.get("metadata", {}).get("diffusion_teach", {})
                if "claim" in note:
                    found[note["claim"]] = note["measured"]
    return found


def trials(path: Path) -> dict[str, Any]:
    """What became of a chapter's faults and what ten seeds measured, as `python -m tools.faults` stores it."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {"faults": [], "seeds": {}}


def table(
    chapter: str,
    rows: Iterable[claims.Claim],
    stored: dict[str, Figures],
    trials: dict[str, Any],
    facts: Mapping[int, str] | None = None,
) -> str:
    """One chapter's claims as a Markdown table: what is claimed, what was measured, and which fault is noticed."""
    lines = ["| Claim | Measured here; over ten seeds; claimed | Fault that it catches |", "|---|---|---|"]
    for claim in rows:
        source = f"{{cite:t}}`{claim.source}`" if claim.source else "this book"
        printed = f"; printed there: {claim.printed}" if claim.printed else ""
        link = f"**[{claim.id}](notebooks/{chapter}.ipynb)**"
        said = verdict(claim, stored)
        marked = mark(said, "stored" if claim.stored else "live", CLASSES[said], claim.facts)
        cells = [
            f"{link} {marked}: {claim.sentence} ({source}{printed}{bearing(claim, facts or {})})",
            figures(claim, stored.get(claim.id, {}), trials["seeds"]),
            faults(claim, trials["faults"]),
        ]
        lines.append("| " + " | ".join(as_cell(text) for text in cells) + " |")
    return "\n".join(lines)


def as_cell(text: str) -> str:
    """A text as a table's cell holds it."""
    return text.replace("|", "\\|").replace(" %", "\N{NO-BREAK SPACE}%")


def bearing(claim: claims.Claim, facts: Mapping[int, str]) -> str:
    """The facts that a claim bears on, each with a link to its entry."""
    links = [f"[{number}](facts.md#{facts[number]})" for number in claim.facts if number in facts]
    return f"; fact{'s' * (len(links) > 1)} {', '.join(links)}" if links else ""


def faults(claim: claims.Claim, outcomes: list[dict[str, Any]]) -> str:
    """The faults planted under a claim: the smallest caught, and the largest let through, where they have a size."""
    if claim.stored:
        return f"stored; measured again by `{claim.stored}`"
    parts = []
    for one in outcomes:
        if one["claim"] != claim.id or not one["caught"]:
            continue
        parts.append(one["name"])
        if one["caught"] is not True:
            parts[-1] += f" {one['caught']:.2g}" + (f" ({one['passed']:.2g} passes)" if one["passed"] else "")
    return "<br>".join(parts) or "–"


def figures(claim: claims.Claim, values: Figures, seeds: dict[str, dict[str, Figures]]) -> str:
    """Each figure of a claim: what was measured here, the range over the seeds, and what it must be."""
    others = [found[claim.id] for found in seeds.values() if claim.id in found]
    parts = []
    for name, bound in claim.bounds.items():
        spread = number([value for found in others for value in found.get(name, [])])
        parts.append(f"*{name.replace('_', ' ')}* {number(values.get(name))}; {spread}; {bound}")
    return "<br>".join(parts)


def number(value: float | list[float] | None) -> str:
    """A figure in words."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not values:
        return "–"
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return low if low == high else f"{low} to {high}"


def verdict(claim: claims.Claim, stored: dict[str, Figures]) -> str:
    """Whether the stored measurement bears the claim out."""
    if claim.id not in stored:
        return "not measured"
    return "does not hold" if claim.failures(stored[claim.id]) else HOLDS
