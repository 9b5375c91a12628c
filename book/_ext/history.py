"""Where a chapter stands in the history: its year and paper, and the chapters before and after it, by their dates.

All of it is read from the history's page, `timeline.md`: a step whose head ends in `chapter [05](…)` is that chapter's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import ledger

PAGE = "timeline"
STEP = re.compile(r"^\*\*(?P<date>[^·*]+) · [^*]+\*\*(?P<head>[^\n]*)\n\n(?P<text>.*?)\n:::", re.MULTILINE | re.DOTALL)
CHAPTER = re.compile(r"\]\((?:\.\./)?notebooks/(\w+)\.ipynb\)")
CITED = re.compile(r"\{cite(?::t)?\}`(\w+)")
TITLE = re.compile(r"^@\w+\{(\w+),.*?^\s*title = \{(.+?)\},?$", re.MULTILINE | re.DOTALL)
HEAD = "- **Reading:**"


@dataclass(frozen=True)
class Moment:
    """A chapter in the history: when its paper appeared, and which it is."""

    chapter: str
    date: str
    paper: str


def moments(page: str) -> list[Moment]:
    """The chapters of a history, in its order; one that no head names stands where it is first mentioned."""
    steps = list(STEP.finditer(page))
    named = {chapter: step for step in steps for chapter in CHAPTER.findall(step["head"])}
    for step in steps:
        for chapter in CHAPTER.findall(step["text"]):
            named.setdefault(chapter, step)
    ordered = sorted(named.items(), key=lambda item: (item[1].start(), item[0]))
    return [
        Moment(chapter, step["date"], found[1]) for chapter, step in ordered if (found := CITED.search(step["text"]))
    ]


def titles(bibliography: str) -> dict[str, str]:
    """What each work of a bibliography is called."""
    return {key: re.sub(r"[{}\\]", "", title) for key, title in TITLE.findall(bibliography)}


def with_history(notebook: str, chapter: str, source: Path) -> str:
    """A chapter's notebook with its year and paper at the head, and the ways to its neighbours in history."""
    known = moments((source / f"{PAGE}.md").read_text(encoding="utf-8"))
    places = [i for i, moment in enumerate(known) if moment.chapter == chapter]
    if not places:
        return notebook
    place = places[0]
    before = known[place - 1] if place else None
    after = known[place + 1] if place + 1 < len(known) else None
    content = json.loads(notebook)
    ways = " · ".join(
        f"{word} [{_title(source, moment.chapter)}]({moment.chapter}.ipynb), {moment.date}"
        for word, moment in (("before it", before), ("after it", after))
        if moment
    )
    ways = f"{ways} · [all of it](../{PAGE}.md)"
    name = titles((source / "references.bib").read_text(encoding="utf-8")).get(known[place].paper, "")
    paper = f"- **Paper:** {known[place].date}, {{cite:t}}`{known[place].paper}`" + (f", *{name}*" if name else "")
    first = content["cells"][0]
    text = "".join(first["source"])
    first["source"] = text.replace(HEAD, f"{paper}\n- **In history:** {ways}\n{HEAD}", 1)
    last = f":::{{container}} in-history\n**In history:** {ways}\n:::"
    content["cells"].append({"cell_type": "markdown", "id": "in-history", "metadata": {}, "source": last})
    return json.dumps(content)


def _title(source: Path, chapter: str) -> str:
    """A chapter's title without what stands behind the colon."""
    path = source / "notebooks" / f"{chapter}.ipynb"
    return ledger.title(path).split(":")[0] if path.exists() else chapter
