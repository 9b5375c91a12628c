"""What the book's Sphinx extension makes of the sources; that the site builds at all is the build's own test."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import animations
import api_pages
import diffusion_book
import finished_pages
import ledger
import nbformat
import pytest
import torch
from PIL import Image

from diffusion_teach import claims
from diffusion_teach.plots.animations import apng

CLAIM = claims.Claim("trial", "99_trial", "This | holds.", {"error": claims.at_most(0.5)}, printed="3.17", facts=(3,))


def notebook(*cells: dict[str, Any]) -> str:
    return nbformat.writes(nbformat.v4.new_notebook(cells=list(cells)))


def measuring(value: Any) -> dict[str, Any]:
    note = {"diffusion_teach": {"claim": "trial", "measured": {"error": value}}}
    output = nbformat.v4.new_output("display_data", data={"text/plain": CLAIM.line}, metadata=note)
    return nbformat.v4.new_code_cell("check", outputs=[output])


def test_links_to_the_books_pages_become_the_sites() -> None:
    text = notebook(nbformat.v4.new_markdown_cell("# T\n\n[n](../book/notation.md) and [d](06_ddpm.ipynb)"))
    cell = json.loads(diffusion_book.notebook_for_site(text))["cells"][0]
    assert cell["source"] == "# T\n\n[n](../notation.md) and [d](06_ddpm.ipynb)"


def test_alternative_texts_reach_the_place_where_myst_nb_reads_them() -> None:
    note = {"diffusion_teach": {"alt": "A curve."}}
    output = nbformat.v4.new_output("display_data", data={"image/png": "aGk="}, metadata=note)
    text = notebook(nbformat.v4.new_code_cell("draw", outputs=[output]))
    cell = json.loads(diffusion_book.notebook_for_site(text))["cells"][0]
    assert cell["metadata"]["mystnb"]["image"]["alt"] == "A curve."


def test_only_the_install_cell_is_folded() -> None:
    install = nbformat.v4.new_code_cell("install", metadata={"tags": ["install"]})
    text = notebook(install, nbformat.v4.new_code_cell("x = 1"))
    first, second = json.loads(diffusion_book.notebook_for_site(text))["cells"]
    assert "hide-input" in first["metadata"]["tags"]
    assert "tags" not in second["metadata"]


def test_scripts_of_one_page_exist_and_are_loaded_there_alone() -> None:
    assets = Path(diffusion_book.__file__).parent.parent / "assets"
    names = [name for names in diffusion_book.OF_ONE_PAGE.values() for name in names]
    assert [name for name in names if not (assets / name).is_file()] == []
    for page, wanted in [("glossary", []), *diffusion_book.OF_ONE_PAGE.items()]:
        loaded: list[str] = []
        app: Any = SimpleNamespace(
            add_css_file=loaded.append, add_js_file=lambda name, loading_method, to=loaded: to.append(name)
        )
        diffusion_book.scripts_of_one_page(app, page, "page.html", {}, None)
        assert loaded == list(wanted)


@pytest.mark.parametrize(
    ("suffix", "text", "outside"),
    [
        (".html", '<script src="https://cdn.example/x.js"></script>', True),
        (".html", '<link rel="stylesheet" href="//fonts.example/x.css">', True),
        (".html", '<img alt="a" src="http://example.org/x.png">', True),
        (".html", '<a href="https://arxiv.org/abs/2006.11239">a link</a>', False),
        (".html", '<img src="../_images/x.png"><script src="_static/x.js"></script>', False),
        (".css", "@import url('https://fonts.example/x.css');", True),
        (".css", "src: url(../fonts/x.woff2)", False),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(suffix: str, text: str, outside: bool) -> None:
    assert bool(diffusion_book.OUTSIDE[suffix].search(text)) is outside


@pytest.mark.parametrize(
    ("value", "figures", "verdict", "folded"),
    [
        (0.25, "*error* 0.25", "[✓ holds]{.claim .live .holds .fact-3}", "1 claim, it holds"),
        ([0.1, 0.2, 0.3], "*error* 0.1 to 0.3", "[✓ holds]{.claim .live .holds .fact-3}", "1 claim, it holds"),
        (0.75, "*error* 0.75", "[does not hold]{.claim .live .fails .fact-3}", "1 claim, 0 hold"),
    ],
)
def test_the_ledger_shows_what_a_notebook_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any, figures: str, verdict: str, folded: str
) -> None:
    monkeypatch.setattr(claims, "TABLE", {"trial": CLAIM})
    text = notebook(nbformat.v4.new_markdown_cell("# A trial"), measuring(value))
    (tmp_path / "99_trial.ipynb").write_text(text, encoding="utf-8")
    page = ledger.markdown(tmp_path, tmp_path)
    told = f"| **[trial](notebooks/99_trial.ipynb)** {verdict}: This \\| holds. (this book; printed there: 3.17)"
    assert f'### A trial\n\n<details class="chapter-claims">\n<summary>{folded}</summary>\n\n| Claim' in page
    assert page.splitlines()[-3] == f"{told} | {figures}; –; at most 0.5 | – |"
    faults = [
        {"claim": "trial", "name": "too long, by a share of", "caught": 0.25, "passed": 0.125},
        {"claim": "trial", "name": "a sign", "caught": True, "passed": None},
        {"claim": "trial", "name": "not noticed", "caught": None, "passed": True},
        {"claim": "other", "name": "of another", "caught": True, "passed": None},
    ]
    stored = {"faults": faults, "seeds": {"0": {"trial": {"error": [0.2]}}, "1": {"trial": {"error": [0.1, 0.4]}}}}
    (tmp_path / "99_trial.json").write_text(json.dumps(stored), encoding="utf-8")
    caught = "too long, by a share of 0.25 (0.12 passes)<br>a sign"
    last = ledger.markdown(tmp_path, tmp_path).splitlines()[-3]
    assert last == f"{told} | {figures}; 0.1 to 0.4; at most 0.5 | {caught} |"


def test_what_is_cited_and_not_run_has_its_marks() -> None:
    rows = "| Sora. ([fact 7](facts.md#7-sora), [8](facts.md#8-a-market)) | none | contested |\n"
    page = f"| no claim | (facts.md#1-x) |\n{ledger.NOT_RUN}\n| Statement | Source |\n|---|---|\n{rows}"
    assert ledger.cited(page) == page.replace(" | none", " [cited]{.claim .cited .not-run .fact-7 .fact-8} | none")


def test_a_claim_that_no_notebook_measured_says_so() -> None:
    assert ledger.verdict(CLAIM, {}) == "not measured"


def test_a_claim_that_is_read_from_a_study_says_how_it_is_measured_again() -> None:
    claim = claims.Claim("trial", "99_trial", "This holds.", {"error": claims.at_most(0.5)}, stored="python -m trial")
    assert ledger.faults(claim, []) == "stored; measured again by `python -m trial`"


def test_the_reference_has_the_public_modules_in_the_order_of_the_story() -> None:
    pages, names = list(api_pages.pages()), api_pages.module_names()
    assert pages.index("schedules") < pages.index("samplers") < pages.index("claims")
    assert not [name for name in names if "_checks" in name or "chapter_" in name]
    assert [name for modules in api_pages.pages().values() for name in modules] == names


def test_the_reference_has_a_page_a_package_and_keeps_no_old_one(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "gone.md").write_text("# gone", encoding="utf-8")
    names = api_pages.write(tmp_path)
    assert sorted(f"api/{path.stem}" for path in (tmp_path / "api").iterdir()) == sorted(names)
    schedules = tmp_path / "api" / "schedules.md"
    assert schedules.read_text(encoding="utf-8").startswith("# schedules\n")
    assert "automodule:: diffusion_teach.schedules.paths" in schedules.read_text(encoding="utf-8")
    assert "| [schedules](api/schedules.md) | Noise schedules: " in api_pages.markdown()
    written = schedules.stat().st_mtime_ns
    assert api_pages.write(tmp_path) == names
    assert schedules.stat().st_mtime_ns == written  # what has not changed is not built again


def test_docstrings_become_valid_restructured_text() -> None:
    lines = [
        "The score `s` of |x|² and *all* x_.",
        "",
        "    y = p·x₀",
        "",
        "- a list",
        "      x = 1",
        "",
        "Args:",
        "    x: (B, d) points.",
    ]
    assert api_pages.to_restructured_text(lines) == [
        "The score ``s`` of \\|x\\|² and \\*all\\* x\\_.",
        "",
        "",
        "::",
        "",
        "        y = p·x₀",
        "",
        "",
        "- a list",
        "",
        "  ::",
        "",
        "          x = 1",
        "",
        "",
        "Args:",
        "    x: (B, d) points.",
    ]


HEAD = '<html><head>\n<meta charset="utf-8" />\n{}</head><body>{}</body></html>'


def finished(folder: Path, head: str = "", body: str = "") -> str:
    page = folder / "page.html"
    page.write_text(HEAD.format(head, body), encoding="utf-8")
    finished_pages.finish(page, folder)
    text = page.read_text(encoding="utf-8")
    finished_pages.finish(page, folder)
    assert page.read_text(encoding="utf-8") == text  # a second build changes nothing
    return text


def test_a_pages_policy_allows_its_own_scripts_and_no_other(tmp_path: Path) -> None:
    text = finished(tmp_path, "<script>let a = 1;</script>", '<button onclick="window.print()">')
    digest = "'sha256-xY6QKfH9PRsQnLz56nj6MBwiK5oHg+im1Jkpdp1x/Ck='"
    assert f"script-src 'self' {digest};" in text
    assert "default-src 'none'" in text
    assert "unsafe-eval" not in text
    assert 'data-action="print"' in text
    assert "onclick" not in text


def test_a_picture_comes_late_has_its_size_and_leads_to_its_full_size(tmp_path: Path) -> None:
    (tmp_path / "_images").mkdir()
    Image.new("L", (30, 20)).save(tmp_path / "_images/a.png")
    text = finished(
        tmp_path, body='<p><img alt="A." src="_images/a.png" /></p><a href="b"><img src="_images/a.png"/></a>'
    )
    image = '<img alt="A." src="_images/a.png" loading="lazy" decoding="async" width="30" height="20" />'
    assert f'<p><a class="full-size" href="_images/a.png">{image}</a></p>' in text
    assert '<a href="b"><img src="_images/a.png" loading="lazy"' in text


def test_an_animation_has_its_frames_beside_it(tmp_path: Path) -> None:
    (tmp_path / "_images").mkdir()
    greys = [torch.full((8, 8), 80 * i, dtype=torch.uint8) for i in range(3)]
    (tmp_path / "_images/a.png").write_bytes(apng(greys, fps=10))
    text = finished(tmp_path, body='<img alt="A." src="_images/a.png" />')
    assert 'data-first="1" data-last="3" data-milliseconds="100" data-folder="_images/a_frames"' in text
    assert 'media="(prefers-reduced-motion: reduce)" srcset="_images/a_frames/000.webp"' in text
    shown = []
    for i in range(4):
        with Image.open(tmp_path / f"_images/a_frames/{i:03d}.webp") as frame:
            shown.append(frame.convert("L").getpixel((0, 0)))
    assert shown == [160, 0, 80, 160]
    assert animations.size(tmp_path / "page.html") is None
