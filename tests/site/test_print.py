"""Every page on paper: nothing is folded, and nothing is cut off."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.site.pages import built, every_page

PAPER = 718  # the pixels of an A4 page between its margins

# What ends beyond the paper, or is hidden by a box that would have to scroll.
CUT = r"""(paper) => {
    const found = [];
    for (const place of document.querySelectorAll(".bd-article *")) {
        if (place.closest("mjx-math, mjx-assistive-mml, svg, .visually-hidden, .sr-only, .playground")) continue;
        const box = place.getBoundingClientRect(), { overflowX } = getComputedStyle(place);
        if (box.width < 1) continue;
        if (box.right > paper + 1) found.push(`<${place.tagName} ${place.className}> ends at ${Math.round(box.right)}`);
        else if (overflowX !== "visible" && place.scrollWidth > place.clientWidth + 1 && place.clientWidth > 0)
            found.push(`<${place.tagName} ${place.className}> hides ${place.scrollWidth - place.clientWidth} pixels`);
    }
    return found.slice(0, 5);
}"""
FOLDED = "document.querySelectorAll('.bd-article details:not([open])').length"


@every_page
def test_on_paper(page: Page, name: str, screenshots: Path) -> None:
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.goto(built(name).as_uri())
    page.evaluate("async () => window.MathJax?.startup?.promise")
    folded = page.evaluate(FOLDED)
    page.emulate_media(media="print", color_scheme="light")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(FOLDED) == 0
    assert page.evaluate(CUT, PAPER) == []
    clip = {"x": 0, "y": 0, "width": PAPER, "height": 1400}
    path = screenshots / f"{name.replace('/', '-')}_paper.jpg"
    page.screenshot(path=path, type="jpeg", quality=70, full_page=True, clip=clip)  # type: ignore[arg-type]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(FOLDED) == folded
