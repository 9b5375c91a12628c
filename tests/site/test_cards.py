"""Every page says what it is about, and has a picture to be shown with elsewhere."""

from __future__ import annotations

import html
import re

from PIL import Image
from playwright.sync_api import Page, expect

from tests.site.pages import built, every_page, names

PROPERTY = re.compile(r'<meta (?:name|property)="(?P<key>[\w:]+)" content="(?P<value>[^"]*)" />')


def said(name: str) -> dict[str, str]:
    """What the head of a page says of it."""
    head = built(name).read_text(encoding="utf-8").split("</head>")[0]
    return {found["key"]: html.unescape(found["value"]) for found in PROPERTY.finditer(head)}


@every_page
def test_a_page_says_what_it_is_about(name: str) -> None:
    found = said(name)
    assert 40 <= len(found["description"]) <= 240
    assert found["description"] == found["og:description"]
    assert not re.search(r"[\\$<>{}]|\bNone\b", found["description"])
    assert found["og:title"]
    card = built(name).parent / found["og:image"]
    with Image.open(card) as picture:
        assert picture.size == (1200, 630)
        assert len(picture.getcolors(100) or []) > 3
    assert card.stat().st_size < 300_000


def test_no_two_chapters_say_the_same_or_have_the_same_card() -> None:
    chapters = [said(name) for name in names() if name.startswith("notebooks/")]
    for key in ("description", "og:image", "og:title"):
        assert len({found[key] for found in chapters}) == len(chapters)


def test_the_home_page_shows_every_chapter_by_its_picture(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(built("index").as_uri())
    links = page.locator("ul.chapters > li a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert sorted(links) == [f"{name}.html" for name in names() if name.startswith("notebooks/")]
    seen = set()
    for link, card in zip(links, page.locator("ul.chapters > li").all(), strict=True):
        picture = card.locator("img")
        expect(picture).to_have_attribute("loading", "lazy")
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        width, height = picture.evaluate("(it) => [it.naturalWidth, it.naturalHeight]")
        assert (str(width), str(height)) == (picture.get_attribute("width"), picture.get_attribute("height"))
        box = card.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert picture.get_attribute("alt") == said(link.removesuffix(".html"))["og:image:alt"]
        seen.add(picture.evaluate("(it) => it.src"))
    assert len(seen) == len(links)


def test_a_press_anywhere_on_a_card_leads_to_its_chapter(page: Page) -> None:
    page.goto(built("index").as_uri())
    page.locator("ul.chapters > li img").nth(3).click(position={"x": 9, "y": 9}, force=True)
    page.wait_for_url("**/notebooks/03_*.html")
