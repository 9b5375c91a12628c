"""The thirteen facts: beside what is said and what is true, the claims that run it, with what the notebooks measured.

The page has one section a fact, `## 3. One frame for two families`, which ends in a comment that this module replaces:

    <!-- fact 3 · leads: a-claim, another · to come: 14_transformers_and_flows -->

`leads` are the claims that say most of it; the others are folded in below them. `to come` are chapters that are not
written yet: as long as a fact has no claim that runs, they are its mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ledger
from mdit_py_plugins.anchors.index import slugify

from diffusion_teach import claims

COUNT = 13
FIRST = 3  # claims that lead where the page names none
PLACE = re.compile(r"<!-- fact (\d+)(?: · leads: ([\w, -]+?))?(?: · to come: ([\w, ]+?))? -->")
HEADING = re.compile(r"^## ((\d+)\. .+)$", re.MULTILINE)
PLAIN = re.compile(r"[\w ,:.'’()-]+")  # a heading whose place is named alike everywhere


@dataclass(frozen=True)
class Fact:
    """What the page's comment says of a fact."""

    number: int
    leads: tuple[str, ...] = ()
    to_come: tuple[str, ...] = ()

    def claims(self) -> list[claims.Claim]:
        """Every claim that bears on it, those that lead first."""
        bearing = {claim.id: claim for claim in claims.TABLE.values() if self.number in claim.facts}
        return [bearing.pop(name) for name in self.leads if name in bearing] + list(bearing.values())


def on_the_page(text: str) -> list[Fact]:
    """The facts of a page, as its comments name them."""
    return [_fact(found) for found in PLACE.finditer(text)]


def anchors(text: str) -> dict[int, str]:
    """Where each fact stands on the page: the names of its headings, as the site and GitHub make them."""
    return {int(number): slugify(heading) for heading, number in HEADING.findall(text)}


def titles(text: str) -> dict[int, str]:
    """What each fact of the page is called."""
    return {int(number): heading.split(". ", 1)[1] for heading, number in HEADING.findall(text)}


def markdown(text: str, notebooks: Path) -> str:
    """The page with each comment replaced by the claims of its fact, from the notebooks of a folder."""
    stored, sections = ledger.measured(notebooks), places(notebooks)
    return PLACE.sub(lambda found: runs(_fact(found), stored, sections, notebooks), text)


def runs(fact: Fact, stored: Mapping[str, ledger.Figures], sections: Mapping[str, str], notebooks: Path) -> str:
    """Where a fact runs, in Markdown: the claims that lead, the others folded, and the chapters still to come."""
    rows = fact.claims()
    awaited = [name for name in fact.to_come if not (notebooks / f"{name}.ipynb").exists()]
    parts = []
    if rows:
        chapters = sorted({claim.chapter for claim in rows})
        links = ", ".join(f"[{name.split('_')[0]}](notebooks/{name}.ipynb)" for name in chapters)
        where = f"{_count(len(rows), 'claim')} in {_words('chapter', chapters)} {links}"
        ledgers = f'<a href="ledger.html#fact={fact.number}">the ledger</a>'  # whose menus the address sets
        parts.append(f"**Where it runs.** {where}, all of them in {ledgers}.")
        first = len(fact.leads) or FIRST
        parts.append(table(rows[:first], stored, sections))
        if rows[first:]:
            rest = table(rows[first:], stored, sections)
            parts.append(f":::{{dropdown}} The other {_count(len(rows[first:]), 'claim')}\n{rest}\n:::")
    if awaited:
        numbers = ", ".join(name.split("_")[0] for name in awaited)
        lead = "**Not run yet.**" if not rows else "**Still to come.**"
        parts.append(f"{lead} It belongs to {_words('chapter', awaited)} {numbers}, not written so far.")
    return "\n\n".join(parts)


def table(rows: list[claims.Claim], stored: Mapping[str, ledger.Figures], sections: Mapping[str, str]) -> str:
    """Claims as a table: which, where, and what the stored notebook measured beside what is claimed."""
    lines = ["| Claim | Measured here; claimed |", "|---|---|"]
    for claim in rows:
        where = sections.get(claim.id, f"notebooks/{claim.chapter}.ipynb")
        kept = " *(from a stored study)*" if claim.stored else ""
        cells = [
            f"**[{claim.id}]({where})** {ledger.verdict(claim, dict(stored))}{kept}: {claim.sentence}",
            "<br>".join(
                f"*{name.replace('_', ' ')}* {ledger.number(stored.get(claim.id, {}).get(name))}; {bound}"
                for name, bound in claim.bounds.items()
            ),
        ]
        lines.append("| " + " | ".join(ledger.as_cell(text) for text in cells) + " |")
    return "\n".join(lines)


def places(notebooks: Path) -> dict[str, str]:
    """For each claim that a notebook checks, the section in which it does so, as the site links to it."""
    found = {}
    for path in sorted(notebooks.glob("*.ipynb")):
        where = f"notebooks/{path.name}"
        section = where
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for heading in re.findall(r"^##? (.+)$", "".join(cell["source"]), re.MULTILINE):
                    section = f"{where}#{slugify(heading)}" if PLAIN.fullmatch(heading) else where
            for output in cell.get("outputs", []):
                note: dict[str, Any] = output.get("metadata", {}).get("diffusion_teach", {})
                if "claim" in note:
                    found[note["claim"]] = section
    return found


def _fact(found: re.Match[str]) -> Fact:
    number, leads, to_come = found.groups()
    return Fact(int(number), *(tuple(filter(None, re.split(r",\s*", part or ""))) for part in (leads, to_come)))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number > 1)


def _words(what: str, many: list[str]) -> str:
    return what + "s" * (len(many) > 1)
