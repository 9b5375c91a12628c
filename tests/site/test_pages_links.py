"""Every page's links: those within the site lead somewhere, those to Colab to a notebook of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.site.pages import SITE, built, every_page, names

ROOT = SITE.parents[2]
COLAB = re.compile(r"https://colab\.research\.google\.com/github/(?P<repository>[^/]+/[^/]+)/blob/[^/]+/(?P<path>.+)")


class Places(HTMLParser):
    """A page's links, and the places in it to which one can link."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called at each opening tag."""
        for key, value in attrs:
            if value and (key in ("href", "src", "srcset", "data-folder")):
                self.links.append(value)
            elif value and key in ("id", "name"):
                self.places.add(value)


@cache
def places(path: Path) -> Places:
    """What a file of the site links to, and where one can link to in it."""
    return Places(path.read_text(encoding="utf-8"))


def dead(name: str) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    here = built(name)
    for link in dict.fromkeys(places(here).links):
        parts = urlsplit(link)
        if colab := COLAB.fullmatch(link):
            if not (ROOT / unquote(colab["path"])).is_file():
                yield link
        elif not parts.scheme and not parts.netloc and link != "#":
            path = (here.parent / unquote(parts.path)).resolve() if parts.path else here
            # A fragment with "=" is no place but what a page's script shows.
            marked = path.suffix == ".html" and parts.fragment and not re.search("^/|=", parts.fragment)
            if not path.exists() or (
                marked and unquote(parts.fragment) not in places(path).places and "playground_" not in path.name
            ):
                yield link


@every_page
def test_links_lead_somewhere(name: str) -> None:
    assert list(dead(name)) == []


def test_every_chapter_can_be_opened_in_colab() -> None:
    chapters = [name for name in names() if name.startswith("notebooks/")]
    assert chapters, "the site is not built: make book"
    for name in chapters:
        paths = [found["path"] for link in places(built(name)).links if (found := COLAB.fullmatch(link))]
        assert set(paths) == {f"{name}.ipynb"}
