"""The home page's chapters: a table in the source, which reads well anywhere; on the site a card each, with a picture.

The picture is the chapter's own (see `cards`). It is drawn once the chapter is written, so what it says to whoever does
not see it is filled in at the end.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import cards
from docutils import nodes

PAGE = "index"
CHAPTER = re.compile(r"(?P<chapter>notebooks/\w+)\.html")
PLACE = re.compile(r'alt="the picture of (?P<chapter>notebooks/\w+)"')


def show(page: nodes.document) -> None:
    """Make a list of cards of each table whose rows are a number, a link to a chapter, and a sentence."""
    for table in list(page.findall(nodes.table)):
        body = next(iter(table.findall(nodes.tbody)))
        rows = [list(row.findall(nodes.entry)) for row in body.findall(nodes.row)]
        links = [next(iter(row[1].findall(nodes.reference)), None) if len(row) == 3 else None for row in rows]
        if all(link is not None and CHAPTER.fullmatch(link.get("refuri", "")) for link in links):
            items = [card(row, link) for row, link in zip(rows, links, strict=True) if link is not None]
            table.replace_self(nodes.bullet_list("", *items, classes=["chapters"]))


def card(row: list[nodes.entry], link: nodes.reference) -> nodes.list_item:
    """A chapter's card: its picture, its number and name, and what one finds out."""
    number, _, sentence = row
    chapter = link["refuri"].removesuffix(".html")
    name = nodes.paragraph("", "", classes=["chapter"])
    name += [nodes.inline(text=number.astext(), classes=["number"]), nodes.Text(" "), link.deepcopy()]
    said = [nodes.paragraph("", "", *(part.deepcopy() for part in words.children)) for words in sentence.children]
    return nodes.list_item("", nodes.raw(text=picture(chapter), format="html"), name, *said)


def picture(chapter: str) -> str:
    """The picture of a chapter, before it is known what it says."""
    width, height = cards.SMALL
    source = f"{cards.FOLDER}/{chapter.replace('/', '-')}.webp"
    attributes = f'loading="lazy" decoding="async" width="{width}" height="{height}"'
    return f'<img src="{source}" alt="the picture of {chapter}" {attributes} />'


def finish(text: str, site: Path) -> str:
    """Let every picture say what it says in its chapter."""

    def said(place: re.Match[str]) -> str:
        body = (site / f"{place['chapter']}.html").read_text(encoding="utf-8").split("</head>")[-1]
        figure = cards.shown(place["chapter"], body)
        return f'alt="{html.escape(cards.alt(figure) if figure else "")}"'

    return PLACE.sub(said, text)
