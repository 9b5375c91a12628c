"""What a page says of itself to a search engine, and to whoever is sent its address: a description and a preview card.

The description is the page's own first sentences, in plain letters. The card shows its first figure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import terms
from docutils import nodes
from PIL import Image

FOLDER = "_static/cards"
SIZE = (1200, 630)  # as those who show cards ask for
MARGIN = 40
LEAST, MOST = 90, 240  # letters of a description
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z“(])")
FIGURE = re.compile(r"<img\b[^>]*\bsrc=\"[^\"]*?(?P<file>_images/[^\"?]+\.png)\"[^>]*>")
CARD = re.compile(rf'property="og:image" content="[^"]*{FOLDER}/(?P<name>[\w-]+)\.png"')
OF_NO_SOURCE = {
    "genindex": "Every name of the book's library, in the order of the alphabet, with a link to what it does.",
    "py-modindex": "Every module of the book's library, with a link to its page.",
    "search": "Search the chapters, the glossary, the history and the reference.",
}
TITLES = {"genindex": "Index", "py-modindex": "Modules", "search": "Search"}


def tags(docname: str, context: dict[str, Any], doctree: nodes.document | None, base: str) -> str:
    """The `meta` elements of a page; `base` is the site's address where it has one: a card's is relative otherwise."""
    title = html.unescape(re.sub(r"<[^>]+>", "", str(context.get("title", "")))) or TITLES.get(docname, docname)
    said = description(doctree) if doctree else OF_NO_SOURCE.get(docname, title)
    figure = FIGURE.search(str(context.get("body", "")))
    name = docname.replace("/", "-") if figure else "index"
    pathto: Callable[..., str] = context["pathto"]
    place = f"{FOLDER}/{name}.png"
    alt = re.search(r'\balt="([^"]*)"', figure[0]) if figure else None
    elements = {
        "og:title": title,
        "og:description": said or title,
        "og:type": "article" if docname.startswith("notebooks/") else "website",
        "og:site_name": str(context.get("project", "")),
        "og:image": f"{base.rstrip('/')}/{place}" if base else pathto(place, 1),
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": html.unescape(alt[1]) if alt else "Handwritten digits of dots dissolve into noise.",
    }
    lines = [f'<meta name="description" content="{html.escape(said or title)}" />']
    lines += [f'<meta property="{key}" content="{html.escape(value)}" />' for key, value in elements.items() if value]
    return "\n    ".join(["", *lines, '<meta name="twitter:card" content="summary_large_image" />'])


def description(page: nodes.document) -> str:
    """A page's first sentences, the lists at its head apart; the first paragraph of a chapter is its question."""
    said: list[str] = []
    for paragraph in page.findall(nodes.paragraph):
        if not _runs(paragraph):
            continue
        for sentence in SENTENCE.split(words(paragraph)):
            length = len(" ".join(said))
            if length >= LEAST or (said and length + len(sentence) > MOST):
                return shortened(" ".join(said))
            said.append(sentence)
    return shortened(" ".join(said))


def _runs(paragraph: nodes.paragraph) -> bool:
    """Whether a paragraph is running text: not of a list, a table or a cell of code, and more than a picture."""
    node: Any = paragraph.parent
    while node is not None:
        if isinstance(node, nodes.list_item | nodes.table | nodes.literal_block) or "cell" in node.get("classes", ()):
            return False
        node = node.parent
    return bool(words(paragraph))


def words(node: nodes.Node) -> str:
    """The words of a part of a page, its formulas in plain letters."""
    if isinstance(node, nodes.math | nodes.math_block):
        return terms.plain(node.astext()) if not re.search(r"\\(?:frac|sum|int|begin)", node.astext()) else "…"
    if isinstance(node, nodes.raw):
        return html.unescape(re.sub(r"<[^>]+>", "", node.astext()))
    if isinstance(node, nodes.image):
        return ""
    if isinstance(node, nodes.Text):
        return str(node)
    inside = "".join(map(words, node.children))
    return " ".join(inside.split()) if isinstance(node, nodes.paragraph) else inside


def shortened(text: str) -> str:
    """A text of at most so many letters, cut between two words."""
    return text if len(text) <= MOST else text[: MOST - 1].rsplit(" ", 1)[0] + "…"


def finish(text: str, site: Path) -> None:
    """Draw the card of a finished page, if it has one of its own."""
    card, figure = CARD.search(text), FIGURE.search(text.split("</head>")[-1])
    if card and figure and (site / figure["file"]).is_file():
        draw(site / figure["file"], site / FOLDER / f"{card['name']}.png")


def draw(figure: Path, target: Path) -> None:
    """A figure on a card. Of an animation it is the still."""
    with Image.open(figure) as opened:
        drawn = opened.convert("RGBA")
    picture = Image.new("RGB", drawn.size, "white")
    picture.paste(drawn, mask=drawn)
    card = Image.new("RGB", SIZE, picture.getpixel((0, 0)))  # the figure's own ground
    scale = min((side - 2 * MARGIN) / own for side, own in zip(SIZE, drawn.size, strict=True))
    picture = picture.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.LANCZOS)
    card.paste(picture, ((SIZE[0] - picture.width) // 2, (SIZE[1] - picture.height) // 2))
    target.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)
