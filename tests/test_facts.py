"""The thirteen facts: each has a claim that runs it or says why none does, and the pages that tell it lead there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import facts
import ledger
import nbformat
import pytest

from diffusion_teach import claims

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
PAGE = (ROOT / "book" / "facts.md").read_text(encoding="utf-8")
NUMBERS = range(1, facts.COUNT + 1)
PARTS = ("What is said.", "What is true.", "How sure.")
CITED = re.compile(r"\{cite(?::t)?\}`([\w,]+)`")


def section(number: int) -> str:
    """A fact's part of the page."""
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"there is no fact {number}"
    return found[0]


def test_the_page_has_each_fact_once_in_order() -> None:
    assert list(facts.anchors(PAGE)) == list(NUMBERS)
    assert [fact.number for fact in facts.on_the_page(PAGE)] == list(NUMBERS)
    for number in NUMBERS:
        (fact,) = facts.on_the_page(section(number))
        assert fact.number == number


@pytest.mark.parametrize("number", NUMBERS)
def test_a_fact_runs_or_is_marked(number: int) -> None:
    """A claim that a notebook measures itself bears on it; or it is to come in chapters that are not written yet."""
    (fact,) = facts.on_the_page(section(number))
    live = [claim for claim in fact.claims() if not claim.stored]
    awaited = [name for name in fact.to_come if not (NOTEBOOKS / f"{name}.ipynb").exists()]
    assert live or awaited or "**Cannot be run.**" in section(number)
    shown = facts.markdown(section(number), NOTEBOOKS)
    assert ("**Where it runs.**" in shown) == bool(fact.claims())
    assert ("**Not run yet.**" in shown) == (bool(awaited) and not fact.claims())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_fact_says_what_is_said_what_is_true_and_how_sure_we_are(number: int) -> None:
    text = section(number)
    where = [text.find(f"**{part}**") for part in PARTS]
    assert -1 not in where
    assert where == sorted(where)
    true = text[where[1] : where[2]]
    keys = {key for group in CITED.findall(true) for key in group.split(",")}
    assert keys
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    assert keys <= set(re.findall(r"^@\w+\{(\w+),", bibliography, re.MULTILINE))


def test_the_claims_that_lead_bear_on_their_fact() -> None:
    for fact in facts.on_the_page(PAGE):
        for name in fact.leads:
            assert fact.number in claims.TABLE[name].facts, name


def test_every_claim_that_bears_on_a_fact_stands_under_it() -> None:
    for number in NUMBERS:
        shown = facts.markdown(section(number), NOTEBOOKS)
        for claim in claims.TABLE.values():
            assert shown.count(f"**[{claim.id}](") == (number in claim.facts), claim.id


def test_a_claim_links_to_the_section_that_checks_it() -> None:
    found = facts.places(NOTEBOOKS)
    assert set(found) == set(ledger.measured(NOTEBOOKS))
    assert found["two-names-one-answer"] == "notebooks/08_score_sde.ipynb#one-network-two-names"
    assert sum("#" in place for place in found.values()) > len(found) / 2


def test_home_history_and_ledger_lead_to_the_facts() -> None:
    known = {f"facts.md#{place}" for place in facts.anchors(PAGE).values()}
    pages = {
        name: (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8") for name in ("index", "timeline", "ledger")
    }
    assert "](facts.md)" in pages["index"]
    assert set(re.findall(r"\((facts\.md#[^)]*)\)", pages["timeline"])) == known
    assert set(re.findall(r"\((facts\.md#[^)]*)\)", pages["ledger"])) <= known
    shown = ledger.markdown(NOTEBOOKS, facts=facts.anchors(PAGE))
    for claim in claims.TABLE.values():
        for number in claim.facts:
            assert f"[{number}](facts.md#{facts.anchors(PAGE)[number]})" in shown
    assert set(re.findall(r"\((facts\.md#[^)]*)\)", shown)) <= known


def test_the_growth_that_a_forecast_implies_is_what_the_page_says() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", section(8), re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        exec(code, {})
    assert shown.getvalue() == "11.55% a year\n"
    assert "It prints 11.55 %." in section(8)


LEDGER = '<a href="ledger.html#fact=7">the ledger</a>'


def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, count: int, stored: str = "") -> Path:
    """A folder with one notebook that measures a few claims on the seventh fact."""
    rows = [
        claims.Claim(
            f"trial-{k}", "99_trial", "This | holds.", {"error": claims.at_most(0.5)}, facts=(7,), stored=stored
        )
        for k in range(count)
    ]
    monkeypatch.setattr(claims, "TABLE", {row.id: row for row in rows})
    cells: list[Any] = [nbformat.v4.new_markdown_cell("# A trial\n\nText.\n\n## Try it\n\nMore.")]
    for row in rows:
        note = {"diffusion_teach": {"claim": row.id, "measured": {"error": 0.25}}}
        output = nbformat.v4.new_output("display_data", data={"text/plain": row.line}, metadata=note)
        cells.append(nbformat.v4.new_code_cell("check", outputs=[output]))
    (tmp_path / "99_trial.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return tmp_path


def test_what_stands_under_a_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = trial(tmp_path, monkeypatch, count=1)
    shown = facts.markdown("<!-- fact 7 · to come: 99_trial, 98_next -->", folder)
    head, *_, row, last = [line for line in shown.splitlines() if line]
    assert head == f"**Where it runs.** 1 claim in chapter [99](notebooks/99_trial.ipynb), all of them in {LEDGER}."
    told = "**[trial-0](notebooks/99_trial.ipynb#try-it)** ✓ holds: This \\| holds."
    assert row == f"| {told} | *error* 0.25; at most 0.5 |"
    assert last == "**Still to come.** It belongs to chapter 98, not written so far."


def test_the_claims_that_do_not_lead_are_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = trial(tmp_path, monkeypatch, count=5, stored="python -m trial")
    first, folded = facts.markdown("<!-- fact 7 · leads: trial-3 -->", folder).split(":::{dropdown} The other 4 claims")
    assert re.findall(r"trial-\d", first) == ["trial-3"]
    assert re.findall(r"trial-\d", folded) == ["trial-0", "trial-1", "trial-2", "trial-4"]
    assert first.count("(from a stored study)") == 1
    unnamed, _ = facts.markdown("<!-- fact 7 -->", folder).split(":::{dropdown}")
    assert re.findall(r"trial-\d", unnamed) == ["trial-0", "trial-1", "trial-2"]


def test_a_fact_without_claims_says_where_it_will_run(tmp_path: Path) -> None:
    shown = facts.markdown("<!-- fact 99 · to come: 98_next, 99_last -->", tmp_path)
    assert shown == "**Not run yet.** It belongs to chapters 98, 99, not written so far."
