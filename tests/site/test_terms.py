"""A linked term shows what it means: under the pointer, with the keyboard; by touch it is a link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site.pages import ALL, STATES, Visit, built, names

CHAPTER = "notebooks/05_ncsn"
TERM = "a.term[data-meaning]"


@pytest.fixture
def chapter(page: Page) -> Page:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(reduced_motion="reduce")
    page.goto(built(CHAPTER).as_uri())
    return page


def test_every_chapter_has_terms_that_lead_to_the_glossary() -> None:
    chapters = [name for name in names() if name.startswith("notebooks/")]
    assert chapters
    for name in chapters:
        links = re.findall(r'<a class="term[^>]*>', built(name).read_text(encoding="utf-8"))
        assert len(links) > 3, name
        assert all(
            'href="../glossary.html#' in link and not re.search(r'data-meaning="[^"]*[\\$]', link) for link in links
        )


def test_a_pointer_sees_the_meaning_and_can_go_to_it(chapter: Page) -> None:
    term, tip = chapter.locator(TERM).first, chapter.locator("#meaning")
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()
    expect(tip).to_have_text(term.get_attribute("data-meaning") or "-")
    tip.hover()
    chapter.wait_for_timeout(600)
    expect(tip).to_be_visible()
    chapter.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    term.hover()
    chapter.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_the_keyboard_sees_the_meaning(chapter: Page) -> None:
    term, tip = chapter.locator(TERM).nth(1), chapter.locator("#meaning")
    chapter.keyboard.press("Tab")  # or a browser that has seen no key shows no focus
    term.focus()
    expect(tip).to_have_text(term.get_attribute("data-meaning") or "-")
    expect(term).to_have_attribute("aria-describedby", "meaning")
    chapter.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    expect(term).to_be_focused()
    term.blur()
    term.focus()
    expect(tip).to_be_visible()
    chapter.keyboard.press("Tab")
    expect(term).not_to_have_attribute("aria-describedby", "meaning")


def test_a_tap_follows_the_link(browser: Browser) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(built(CHAPTER).as_uri())
    page.locator(TERM).first.tap()
    page.wait_for_url(re.compile(r"/glossary\.html#"))
    context.close()


def test_the_meaning_fits_and_is_accessible(chapter: Page, screenshots: Path) -> None:
    visit, tip = Visit(chapter, "meaning"), chapter.locator("#meaning")
    visit.ready_for_axe()
    for width, theme in STATES:
        visit.turn(width, theme)
        for i in range(3):
            chapter.locator(TERM).nth(i).hover()
            expect(tip).to_be_visible()
            box = tip.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert chapter.evaluate("document.documentElement.scrollWidth") <= width
        visit.picture(screenshots, f"{width}_{theme}")
        visit.axe({}, "#meaning", ALL)
    visit.passes()
