"""Every notebook keeps the book's rules, and every rule finds the fault that it is there for."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from diffusion_teach import claims
from tools import notebook_rules as rules
from tools import stamp

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CLAIMS = {
    f"claim-{k}": claims.Claim(f"claim-{k}", "99_trial", f"x is at most 1.00{k}.", {"x": claims.at_most(1.0)})
    for k in range(4)
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path: Path, rule: Callable[..., Any]) -> None:
    assert list(rule(rules.Notebook.read(path))) == []


def code(source: str, *outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def shown(data: dict[str, str], **note: Any) -> dict[str, Any]:
    return nbformat.v4.new_output("display_data", data=data, metadata={"diffusion_teach": note} if note else {})


def claimed(k: int) -> dict[str, Any]:
    claim = CLAIMS[f"claim-{k}"]
    return shown({"text/plain": claim.line}, claim=claim.id, measured={"x": 0.5})


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rules.Notebook:
    """A small chapter without a fault."""
    monkeypatch.setattr(claims, "TABLE", CLAIMS)
    url, branch = stamp.repository()
    head = (
        f"# 99 · A trial\n\n{stamp.badge('99_trial.ipynb', url, branch)}\n\n- **Reading:** 5 minutes\n"
        "- **Running:** 3 seconds on two cores\n- **Needs:** nothing\n- **Afterwards you can:** try again"
    )
    text = (
        "## What we claimed\n\nSee [there](there.md), and $x < y$.\n\n## Exercises\n\n"
        "| a | b |\n|---|---|\n| $p(x \\mid y)$ | 1 |\n\n"
        "<details>\n<summary>Hint</summary>\n\nThink of `x | y`.\n\n</details>\n\n## Go deeper\n\nRead."
    )
    picture = shown({"image/png": base64.b64encode(b"a picture").decode()}, alt="A small picture of nothing.")
    cells = [
        nbformat.v4.new_markdown_cell(head),
        code(stamp.INSTALL.format(url=url), tags=("install",)),
        code("draw()", picture),
        code("claims.check('all', x=0.5)", *map(claimed, range(4))),
        nbformat.v4.new_markdown_cell(text),
        code("exercises.check('one', 1)"),
        code("exercises.check('two', 2)"),
        code("print(0.123)", nbformat.v4.new_output("stream", text="0.123\n"), tags=("nbval-ignore-output",)),
    ]
    for count, cell in enumerate([cell for cell in cells if cell.cell_type == "code"], start=1):
        cell.execution_count = count
    for name in ("notebooks/there.md", "book/assets/colab.svg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    path = tmp_path / "notebooks" / "99_trial.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return rules.Notebook.read(path)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_no_rule_finds_a_fault_where_there_is_none(good: rules.Notebook, rule: Callable[..., Any]) -> None:
    assert list(rule(good)) == []


def output(kind: str, **fields: Any) -> Callable[[list[dict[str, Any]]], None]:
    """A fault: one more output of the cell that draws."""
    return lambda cells: cells[2]["outputs"].append(dict(nbformat.v4.new_output(kind, **fields)))


def source(number: int, old: str, new: str) -> Callable[[list[dict[str, Any]]], None]:
    """A fault: other words in a cell."""

    def plant(cells: list[dict[str, Any]]) -> None:
        text = "".join(cells[number]["source"])
        assert old in text
        cells[number]["source"] = text.replace(old, new)

    return plant


def field(number: int, name: str, value: Any) -> Callable[[list[dict[str, Any]]], None]:
    """A fault: another value in a cell."""
    return lambda cells: cells[number].update({name: value})


def again(*sources: str) -> Callable[[list[dict[str, Any]]], None]:
    """A fault: other code in the cells that draw and check."""

    def plant(cells: list[dict[str, Any]]) -> None:
        for number, text in zip((2, 3, 5), sources, strict=True):
            cells[number]["source"] = text

    return plant


FAULTS: list[tuple[Callable[..., Any], str, Callable[[list[dict[str, Any]]], None]]] = [
    (rules.is_valid, "repeated", lambda cells: cells[1].update(id=cells[2]["id"])),
    (rules.is_valid, "not a valid", lambda cells: cells[2].pop("metadata")),
    (rules.is_executed_in_order, "counts", field(3, "execution_count", 7)),
    (rules.is_executed_in_order, "counts", field(3, "execution_count", None)),
    (rules.has_no_errors, "ValueError", output("error", ename="ValueError", evalue="no", traceback=[])),
    (rules.has_no_errors, "stderr", output("stream", name="stderr", text="UserWarning: old")),
    (rules.shows_only_text_and_pictures, "text/html", output("display_data", data={"text/html": "<b>x</b>"})),
    (rules.shows_only_text_and_pictures, "svg", output("display_data", data={"image/svg+xml": "<svg/>"})),
    (rules.shows_only_text_and_pictures, "gif", output("display_data", data={"image/gif": "R0lG"})),
    (rules.shows_nothing_that_varies, "address", output("stream", text="<object at 0x7f3a2b>")),
    (rules.shows_nothing_that_varies, "progress", output("stream", text=" 50%|█████     | 5/10")),
    (rules.shows_nothing_that_varies, "number", output("stream", text="loss 0.0312")),
    (rules.shows_nothing_that_varies, "number", output("stream", text="loss 3e-05")),
    (
        rules.keeps_to_its_claims,
        "not the line",
        lambda cells: cells[3]["outputs"][0]["data"].update({"text/plain": "✓"}),
    ),
    (rules.keeps_to_its_claims, "does not hold", lambda cells: note(cells[3])["measured"].update(x=2.0)),
    (rules.keeps_to_its_claims, "the table has", lambda cells: cells[3]["outputs"].pop()),
    (rules.keeps_to_its_claims, "nothing is compared", field(3, "metadata", {"tags": ["nbval-ignore-output"]})),
    (rules.has_short_cells, "26 lines", field(2, "source", "x = 1\n" * 26)),
    (rules.fits_the_page, "89 columns", field(2, "source", "x" * 89)),
    (
        rules.fits_the_page,
        "89 columns",
        field(2, "outputs", [{"output_type": "stream", "name": "stdout", "text": "x" * 89}]),
    ),
    (
        rules.fits_the_page,
        "89 columns",
        output("execute_result", data={"text/plain": "x" * 89}, execution_count=1),
    ),
    (rules.folds_what_only_plots, "hide-input", source(2, "draw()", "picture = draw()\nplots.show(picture)")),
    (rules.can_run_any_cell_again, "'x' again", again("x = 1", "draw(x)", "x = 2")),
    (rules.can_run_any_cell_again, "'x' again", again("x = 1", "def f():\n    return x", "x = 2")),
    (rules.can_run_any_cell_again, "'x' again", again("x = 1\ny = [x for _ in y]", "x += 1", "pass")),
    (rules.can_run_any_cell_again, "'f' again", again("def f():\n    return 1", "y = f()", "def f():\n    return 2")),
    (rules.can_run_any_cell_again, "'x' again", again("x = 1", "draw(x)", "from y import x")),
    (rules.can_run_any_cell_again, "'x' again", again("import x", "x.draw()", "x = 1")),
    (rules.is_stamped, "badge", source(0, "blob/main", "blob/master")),
    (rules.is_stamped, "install", source(1, "find_spec", "find")),
    (rules.is_stamped, "install", field(1, "metadata", {})),
    (rules.has_a_head, "minutes", source(0, "5 minutes", "a while")),
    (rules.has_a_head, "seconds", source(0, "**Running:**", "**Runs:**")),
    (rules.has_a_head, "needs", source(0, "- **Needs:** nothing\n", "")),
    (rules.has_its_sections, "Exercises", source(4, "## Exercises", "## Tasks")),
    (rules.has_its_sections, "exactly one title", source(4, "## Go deeper", "# Go deeper")),
    (rules.has_its_sections, "1 exercises", source(6, "exercises.check", "exercise.check")),
    (rules.folds_so_that_it_works_everywhere, "under 'Answer'", source(4, ">Hint<", ">Answer<")),
    (rules.folds_so_that_it_works_everywhere, "another form", source(4, "</summary>\n\n", "</summary>\n")),
    (rules.folds_so_that_it_works_everywhere, "heading", source(4, "Think", "### Think")),
    (rules.describes_its_pictures, "alternative", lambda cells: cells[2]["outputs"][0].update(metadata={})),
    (rules.is_plain_markdown, "MyST", source(4, "Read.", ":::{note}\nRead.\n:::")),
    (rules.is_plain_markdown, "HTML", source(4, "Read.", "<div>Read.</div>")),
    (rules.is_plain_markdown, "inside a formula", source(4, "\\mid", "|")),
    (rules.points_to_what_exists, "gone.md", source(4, "there.md", "gone.md")),
    (rules.points_to_what_exists, "machine", source(2, "draw()", "open('/{}/me/x')".format("home"))),
]


def note(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["outputs"][0]["metadata"]["diffusion_teach"]


@pytest.mark.parametrize(("rule", "words", "plant"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_fault_is_found(good: rules.Notebook, rule: Any, words: str, plant: Any) -> None:
    content = copy.deepcopy(good.content)
    plant(content["cells"])
    found = list(rule(rules.Notebook(good.path, content, good.size)))
    assert any(words in violation for violation in found), found


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ("x = 1\ndraw(x)", "x = 2\ndraw(x)", "for x in range(3):\n    draw(x)"),
        ("x = 1", "def f(x):\n    return x", "x = 2"),
        ("x = 1", "y = [x for x in range(3)]", "x = 2"),
        ("import x", "x.draw()", "import x"),
        ("x = 1", "draw(y)", "from y import x"),
        ("x = 1", "with open(y) as x:\n    draw(x)", "x: int = 2"),
    ],
)
def test_names_that_nobody_else_reads_may_be_bound_again(
    good: rules.Notebook, first: str, second: str, third: str
) -> None:
    content = copy.deepcopy(good.content)
    again(first, second, third)(content["cells"])
    assert list(rules.can_run_any_cell_again(rules.Notebook(good.path, content, good.size))) == []


def test_a_cell_that_plots_and_makes_something_is_not_folded(good: rules.Notebook) -> None:
    content = copy.deepcopy(good.content)
    again("picture = draw()\nplots.show(picture)", "use(picture)", "claims.check('one')\nplots.show(draw())")(
        content["cells"]
    )
    assert list(rules.folds_what_only_plots(rules.Notebook(good.path, content, good.size))) == []


def test_a_large_notebook_is_found(good: rules.Notebook) -> None:
    assert list(rules.is_small(rules.Notebook(good.path, good.content, 600_000)))
    content = json.loads(json.dumps(good.content))
    animation = base64.b64encode(b"\x89PNG" + bytes(33) + b"acTL").decode()
    content["cells"][2]["outputs"][0]["data"]["image/png"] = animation
    assert not list(rules.is_small(rules.Notebook(good.path, content, 600_000)))
    assert list(rules.is_small(rules.Notebook(good.path, content, 1_100_000)))


def test_stamping_corrects_badge_and_install_cell_and_keeps_outputs(good: rules.Notebook) -> None:
    content = copy.deepcopy(good.content)
    source(0, "blob/main", "blob/master")(content["cells"])
    source(1, "find_spec", "find")(content["cells"])
    stamped = stamp.stamp_notebook(json.dumps(content), good.path.name, *stamp.repository())
    result = rules.Notebook(good.path, json.loads(stamped), good.size)
    assert not list(rules.is_stamped(result))
    assert [cell.get("outputs") for cell in result.content["cells"]] == [
        cell.get("outputs") for cell in good.content["cells"]
    ]


def test_stamping_leaves_numbers_as_they_are_written() -> None:
    numbers = ["1.29556e-6", "1.29556e-06", "0.10", "-0.0", "1E5", "3"]
    text = f'{{"cells": [], "metadata": {{"x": [{", ".join(numbers)}]}}}}'
    stamped = stamp.stamp_notebook(text, "99_trial.ipynb", *stamp.repository())
    assert re.findall(r"^   (.+?),?$", stamped, re.MULTILINE) == numbers
