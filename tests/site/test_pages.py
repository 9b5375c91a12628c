"""Every page, loaded once from its file: at three widths, in light and in dark, on paper, and by axe.

A page is loaded once, since that costs most; then its width and its theme change, as a reader's do.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.site import pages
from tests.site.pages import STATES, Visit, built, every_page

WHOLE = ((360, "light"), (1280, "dark"))  # of which a picture shows more than what one sees first
# A page of each kind: templates, scripts and policies that differ.
KINDS = (
    "index",
    "notebooks/00_ink",
    "ledger",
    "search",
    "api/samplers",
    "playground_field",
    "playground_digits",
    "playground_duel",
)


def examine(visit: Visit, screenshots: Path) -> None:
    """Look at an opened page in every way."""
    reference = visit.name.startswith("api/")
    for width, theme in STATES:
        visit.turn(width, theme)
        visit.look()
        if (width, theme) in WHOLE or not reference:
            visit.picture(screenshots, f"{width}_{theme}", whole=(width, theme) in WHOLE and not reference)
    visit.weigh()
    visit.on_paper(screenshots)
    visit.accessibility()


@every_page
def test_a_page_is_as_it_should_be(calm_page: Page, name: str, screenshots: Path) -> None:
    visit = Visit(calm_page, name)
    visit.open(built(name).as_uri(), 360, "light")
    examine(visit, screenshots)
    visit.passes()


@pytest.mark.parametrize("name", KINDS)
def test_a_page_comes_from_a_server_too(calm_page: Page, name: str, served: str) -> None:
    """From `python -m http.server`, and loaded in the dark, on a desk."""
    built(name)
    visit = Visit(calm_page, name)
    visit.open(f"{served}/{name}.html", 1280, "dark")
    visit.look()
    visit.passes()


PLANTED = r"""() => {
    const style = document.createElement("style"), box = document.createElement("div");
    style.textContent = `
        .wide { width: 1400px }
        html[data-theme=light] .faint + .faint { color: #bbb }
        html[data-theme=dark] .faint + .faint { color: #444 }
        .held { height: 40px; overflow: auto; width: 90px }
        .held * { height: 200px; width: 20px }
        .small button { border: 0; height: 9px; padding: 0; width: 9px }`;
    box.innerHTML = `<div class="wide">wide</div><span class="math">x</span><img src="nothing.png"><img alt="" src="https://example.org/a.png">
        <p class="faint">Who can read this?</p><p class="faint">Who can read this?</p>
        <div class="held"><div>Who can reach this?</div></div>
        <div class="cell_input"><pre>${"0123456789 ".repeat(20)}</pre></div>
        <p class="small"><button>a</button><button>b</button></p><details><summary>shut</summary>more</details>`;
    const fold = box.querySelector("details");
    fold.addEventListener("toggle", () => { fold.open = false; });
    document.head.append(style);
    document.querySelector(".bd-article").append(box);
    console.error("planted");
}"""
FOUND = (
    *("360 light: console: planted", "360 light: no alternative text", "360 light: not loaded", "1280 dark: too heavy"),
    *(f"{width} {theme}: the page is" for width, theme in STATES),
    *(f"{width} {theme}: formulas, and no MathJax" for width, theme in STATES),
    *(f"1280 {theme}: code is wider than its column" for theme in ("light", "dark")),
    *("718 light: on paper something is folded", "718 light: <DIV wide> ends at 14"),
    *("1280 dark: color-contrast", "1280 light: color-contrast", "1280 light: image-alt"),
    *("360 light: scrollable-region-focusable", "360 light: target-size"),
)


def test_what_is_wrong_is_found(calm_page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a page is looked at for, broken at once on one."""
    monkeypatch.setattr(pages, "MOST", 10)
    visit = Visit(calm_page, "api/devices")
    visit.open(built(visit.name).as_uri(), 360, "light")
    calm_page.evaluate(PLANTED)
    examine(visit, tmp_path)
    missed = [line for line in FOUND if not any(found.startswith(line) for found in visit.found)]
    assert missed == []
    with pytest.raises(AssertionError, match=r"(?s)on paper something is folded.*asked another host: https://example"):
        visit.passes()


def test_no_other_host_is_asked_and_the_wish_is_counted(page: Page, outside: list[str]) -> None:
    page.set_content('<img src="https://example.org/planted.png">')
    page.wait_for_function("document.images[0].complete")
    assert outside == ["https://example.org/planted.png"]
    assert page.evaluate("document.images[0].naturalWidth") == 0
