"""Where a chapter stands in the history, as the history's page says."""

from __future__ import annotations

import json
from pathlib import Path

import history
import nbformat

BOOK = Path(history.__file__).resolve().parents[1]
STEP = ":::{{container}} step\n**{} · A step** [score]{{.family}} · {}\n\n{}\n:::\n"
PAGE = "\n".join(
    [
        STEP.format("2005", "chapter [02](../notebooks/02_b.ipynb)", "{cite:t}`first2005` says."),
        STEP.format("June 2014", "fact", "{cite}`second2014,other` says. Chapter [01](../notebooks/01_a.ipynb)."),
        STEP.format(
            "July 2019", "chapter [03](notebooks/03_c.ipynb)", "{cite:t}`third2019`; [01](notebooks/01_a.ipynb)."
        ),
    ]
)
BIB = "@article{first2005,\n  author = {A},\n  title = {On {S}cores},\n  booktitle = {No}\n}\n"


def notebook(title: str) -> str:
    head = nbformat.v4.new_markdown_cell(f"# {title}\n\n- **Reading:** 5 minutes\n- **Running:** 3 seconds")
    return nbformat.writes(nbformat.v4.new_notebook(cells=[head]))


def book(folder: Path) -> Path:
    (folder / "notebooks").mkdir()
    (folder / "timeline.md").write_text(PAGE, encoding="utf-8")
    (folder / "references.bib").write_text(BIB, encoding="utf-8")
    for name, title in {"01_a": "1 · A: more", "02_b": "2 · B", "03_c": "3 · C"}.items():
        (folder / "notebooks" / f"{name}.ipynb").write_text(notebook(title), encoding="utf-8")
    return folder


def test_a_step_whose_head_names_a_chapter_is_the_chapters_and_otherwise_the_first_that_mentions_it() -> None:
    assert history.moments(PAGE) == [
        history.Moment("02_b", "2005", "first2005"),
        history.Moment("01_a", "June 2014", "second2014"),
        history.Moment("03_c", "July 2019", "third2019"),
    ]


def test_a_chapters_head_has_its_paper_and_its_neighbours_in_history(tmp_path: Path) -> None:
    source = book(tmp_path)
    first, last = json.loads(history.with_history(notebook("2 · B"), "02_b", source))["cells"]
    ways = "after it [1 · A](01_a.ipynb), June 2014 · [all of it](../timeline.md)"
    assert first["source"].splitlines()[2:4] == [
        "- **Paper:** 2005, {cite:t}`first2005`, *On Scores*",
        f"- **In history:** {ways}",
    ]
    assert ways in last["source"]
    both = json.loads(history.with_history(notebook("1 · A"), "01_a", source))["cells"][0]["source"]
    assert "before it [2 · B](02_b.ipynb), 2005 · after it [3 · C](03_c.ipynb), July 2019 ·" in both
    assert "- **Paper:** June 2014, {cite:t}`second2014`\n" in both


def test_a_chapter_without_a_step_stays_as_it_is(tmp_path: Path) -> None:
    text = notebook("0 · Ink")
    assert history.with_history(text, "00_ink", book(tmp_path)) == text


def test_every_chapter_but_the_first_stands_in_the_history() -> None:
    """The first tells of ink, which has no paper here."""
    known = history.moments((BOOK / "timeline.md").read_text(encoding="utf-8"))
    chapters = {path.stem for path in (BOOK / "notebooks").glob("*.ipynb")}
    assert {moment.chapter for moment in known} == chapters - {"00_ink"}
    named = history.titles((BOOK / "references.bib").read_text(encoding="utf-8"))
    assert [moment.chapter for moment in known if moment.paper not in named] == []
