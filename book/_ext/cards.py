"""What a page says of itself to a search engine, and to whoever is sent its address: a description and a preview card.

The description is the page's own first sentences, in plain letters. The card shows its first figure, or one that is
more of a picture; the home page shows the chapters' cards too, smaller.
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
from sphinx.errors import ExtensionError

FOLDER = "_static/cards"
SIZE = (1200, 630)  # as those who show cards ask for
MARGIN = 40
SMALL = (560, 294)  # on the home page
LIGHT, QUALITIES = 14_000, (50, 30, 15)  # bytes of a small card, and what is tried until it has no more: noise is dear
# Where the first figure is a curve: how the alternative text begins of the one that is shown.
SHOWN = {
    "notebooks/01_vae": "Test digits in the plane",
    "notebooks/02_gan": "Eight generated pictures at stages",
    "notebooks/03_nonequilibrium": "Top, a swiss roll dissolves",
    "notebooks/04_score_matching": "Left, the density of three",
    "notebooks/06_ddpm": "Four digits, each drowned",
    "notebooks/10_guidance": "Four rows of the digits",
    "notebooks/11_gan_vs_diffusion": "Four rows of sixteen digits",
    "notebooks/13b_open_weights": "The pictures shown are mosaics",
}
LEAST, MOST = 90, 240  # letters of a description
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z“(])")
FIGURE = re.compile(r"<img\b[^>]*\bsrc=\"[^\"]*?(?P<file>_images/[^\"?]+\.png)\"[^>]*>")
ALT = re.compile(r'\balt="([^"]*)"')
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
    figure = shown(docname, str(context.get("body", "")))
    name = docname.replace("/", "-") if figure else "index"
    pathto: Callable[..., str] = context["pathto"]
    place = f"{FOLDER}/{name}.png"
    elements = {
        "og:title": title,
        "og:description": said or title,
        "og:type": "article" if docname.startswith("notebooks/") else "website",
        "og:site_name": str(context.get("project", "")),
        "og:image": f"{base.rstrip('/')}/{place}" if base else pathto(place, 1),
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": (alt(figure) if figure else "") or "Handwritten digits of dots dissolve into noise.",
    }
    lines = [f'<meta name="description" content="{html.escape(said or title)}" />']
    lines += [f'<meta property="{key}" content="{html.escape(value)}" />' for key, value in elements.items() if value]
    return "\n    ".join(["", *lines, '<meta name="twitter:card" content="summary_large_image" />'])


def shown(docname: str, body: str) -> re.Match[str] | None:
    """The figure of a page's card; None where it has none. A figure that is named and not there stops the build."""
    begins = SHOWN.get(docname, "")
    for figure in FIGURE.finditer(body):
        if alt(figure).startswith(begins):
            return figure
    if begins:
        raise ExtensionError(f"{docname} has no figure whose alternative text begins with {begins!r}: see cards.SHOWN")
    return None


def alt(figure: re.Match[str]) -> str:
    """What a figure says to whoever does not see it."""
    found = ALT.search(figure[0])
    return html.unescape(found[1]) if found else ""


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


def finish(text: str, site: Path, docname: str = "", anew: bool = True) -> None:
    """Draw the card of a page, if it has one of its own, and of a chapter the home page's; anew, or if missing."""
    card, figure = CARD.search(text), shown(docname, text.split("</head>")[-1])
    if not card or not figure or not (site / figure["file"]).is_file():
        return
    target = site / FOLDER / f"{card['name']}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    if anew or not target.exists():
        draw(site / figure["file"], SIZE, MARGIN).quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)
    small = target.with_suffix(".webp")
    if docname.startswith("notebooks/") and (anew or not small.exists()):
        picture = draw(site / figure["file"], SMALL, MARGIN // 3)
        for quality in QUALITIES:
            picture.save(small, quality=quality, method=6)
            if small.stat().st_size <= LIGHT:
                break


def draw(figure: Path, size: tuple[int, int], margin: int) -> Image.Image:
    """A figure on a card. Of an animation it is the still."""
    with Image.open(figure) as opened:
        drawn = opened.convert("RGBA")
    picture = Image.new("RGB", drawn.size, "white")
    picture.paste(drawn, mask=drawn)
    card = Image.new("RGB", size, picture.getpixel((0, 0)))  # the figure's own ground
    scale = min((side - 2 * margin) / own for side, own in zip(size, drawn.size, strict=True))
    picture = picture.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.LANCZOS)
    card.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return card
