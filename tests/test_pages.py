"""The pages to look things up in are true to the chapters and to the bibliography."""

from __future__ import annotations

import calendar
import json
import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
MONTHS = list(calendar.month_name)[1:]
SOURCE = re.compile(r"\{cite(?::t)?\}`[\w,]+`|\]\(\.\./notebooks/\d\d[a-z]?_\w+\.ipynb\)")
LETTER = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]")
NO_LETTER = re.compile(r"\\(mathcal|mathrm|mathbb|text|bar|dot|hat|tilde|nabla|log|mid|top)(?![a-zA-Z])")


def works() -> dict[str, str]:
    """When each work of the bibliography first appeared, as the history writes it: "June 2014", or a year."""
    found = {}
    for entry in (BOOK / "references.bib").read_text(encoding="utf-8").split("\n@")[1:]:
        fields = dict(re.findall(r"\b(appeared|eprint|year) = \{([^}]*)\}", entry))
        year, _, month = fields.get("appeared", "").partition("-")
        if not year and "eprint" in fields:
            short, month = re.findall(r"(?:^|/)(\d\d)(\d\d)", fields["eprint"])[0]
            year = f"{'19' if short > '90' else '20'}{short}"
        year = year or fields["year"]
        found[entry[entry.index("{") + 1 : entry.index(",")]] = f"{MONTHS[int(month) - 1]} {year}" if month else year
    return found


def steps() -> list[tuple[str, str]]:
    """Each step of the history: its date, and its text."""
    page = (BOOK / "timeline.md").read_text(encoding="utf-8")
    return re.findall(r"\*\*([^·*]+) · [^*]+\*\*[^\n]*\n\n(.*?)\n:::", page, re.DOTALL)


def after_the_steps() -> str:
    return (BOOK / "timeline.md").read_text(encoding="utf-8").split("\n::::\n")[1]


def when(date: str) -> tuple[int, int]:
    """A date to sort by; a year alone comes before its months."""
    *month, year = date.split()
    return int(year), MONTHS.index(month[0]) + 1 if month else 0


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.;])\s+(?=[A-Z{])", text.strip())


def chapter(number: str) -> str:
    """The text of a chapter, without its code."""
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def letters(text: str) -> set[str]:
    """The letters in the formulas of a text: σ is \\sigma."""
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.DOTALL)
    return {letter for pair in formulas for letter in LETTER.findall(NO_LETTER.sub(" ", "".join(pair)))}


def test_a_date_is_that_of_the_first_public_appearance() -> None:
    assert works()["goodfellow2014generative"] == "June 2014"
    assert works()["neal2001annealed"] == "March 1998"
    assert works()["hyvarinen2005estimation"] == "2005"
    assert works()["huang2024gan"] == "December 2024"  # arXiv's is of January 2025


def test_every_date_of_the_history_is_that_of_its_work() -> None:
    known, found = works(), steps()
    assert len(found) > 15
    for date, text in found:
        keys = [key for group in re.findall(r"\{cite(?::t)?\}`([\w,]+)`", text) for key in group.split(",")]
        assert known[keys[0]] == date, keys[0]
    dated = re.findall(r"\{cite:t\}`(\w+)`\s+\(([^)]+)\)", "\n".join(text for _, text in found) + after_the_steps())
    assert len(dated) > 30
    assert [(key, date) for key, date in dated if known[key] != " ".join(date.split())] == []
    assert [when(date) for date, _ in found] == sorted(when(date) for date, _ in found)


def test_every_sentence_of_the_history_has_a_source() -> None:
    assert [sentence for _, text in steps() for sentence in sentences(text) if not SOURCE.search(sentence)] == []
    paragraphs = [text for text in after_the_steps().split("\n\n") if text.startswith("**")]
    assert [text for text in paragraphs[:-1] if not SOURCE.search(text)] == []


def test_the_glossary_is_sorted_and_has_its_sources() -> None:
    _, *terms = (BOOK / "glossary.md").read_text(encoding="utf-8").split("\n## ")
    names = [term.split("\n")[0] for term in terms]
    plain = [unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower() for name in names]
    assert plain == sorted(set(plain))
    assert [name for name, term in zip(names, terms, strict=True) if not re.search(r"\n\*Source:\* .", term)] == []
    for name, term in zip(names, terms, strict=True):
        assert SOURCE.search(term.split("*Source:*")[1]), name


def rows_of_letters() -> list[list[str]]:
    page = (BOOK / "notation.md").read_text(encoding="utf-8").split("## What one can ask")[0]
    rows = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| $")]
    return [[row[0], row[-1]] for row in rows]


def test_a_chapter_that_the_notation_names_uses_the_letter() -> None:
    rows = rows_of_letters()
    used: dict[str, set[str]] = {}
    assert len(rows) > 40
    for head, elsewhere in rows:
        wanted = letters(head)
        for number in re.findall(r"\b(0\d|1\d)(?=[:,)]| and)", elsewhere):
            used.setdefault(number, letters(chapter(number)))
            assert wanted & used[number], f"chapter {number} has no {head}"


@pytest.mark.parametrize(
    ("text", "found"), [("$\\sigma_t x$ and $$W z$$", {"\\sigma", "t", "x", "W", "z"}), ("s", set())]
)
def test_letters_are_those_of_formulas(text: str, found: set[str]) -> None:
    assert letters(text) == found
