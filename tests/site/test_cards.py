"""Every page says what it is about, and has a picture to be shown with elsewhere."""

from __future__ import annotations

import html
import re

from PIL import Image

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
