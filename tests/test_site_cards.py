"""What a page says of itself: its description, and the card with its first figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cards
from docutils import nodes
from docutils.core import publish_doctree
from PIL import Image


def page(*parts: str) -> nodes.document:
    """A page with a title, in reStructuredText."""
    return publish_doctree("\n\n".join(["Page\n====", *parts]), settings_overrides={"doctitle_xform": False})


def test_a_chapter_is_described_by_its_question() -> None:
    text = page(
        ".. image:: colab.svg",
        "- **Reading:** 5 minutes",
        "The question\n------------",
        "You have points :math:`x_0`, and you want the *distribution* that they came from. What do you do?",
        "A formula: not a sentence yet. And one that nobody reads, because it stands too far down.",
    )
    assert cards.description(text) == (
        "You have points x₀, and you want the distribution that they came from. What do you do?"
        " A formula: not a sentence yet."
    )


def test_a_description_is_short_and_has_no_code() -> None:
    said = cards.description(page("==== ====\nin a table\n==== ====", "::\n\n    code", "word " * 100))
    assert said.startswith("word word")
    assert said.endswith("word…")
    assert len(said) <= cards.MOST


def head(figure: str, base: str = "", name: str = "notebooks/05_ncsn") -> str:
    context: dict[str, Any] = {
        "title": "5 · <em>Noise</em> &amp; levels",
        "body": figure,
        "project": "A book",
        "pathto": lambda place, resource: f"../{place}",
    }
    return cards.tags(name, context, page('A sentence about "noise".'), base)


def test_the_head_names_title_description_and_card() -> None:
    text = head('<p><img alt="Two &lt; three." src="../_images/ab12.png" /></p>')
    assert '<meta name="description" content="A sentence about &quot;noise&quot;." />' in text
    assert '<meta property="og:title" content="5 · Noise &amp; levels" />' in text
    assert '<meta property="og:image" content="../_static/cards/notebooks-05_ncsn.png" />' in text
    assert '<meta property="og:image:alt" content="Two &lt; three." />' in text
    assert '<meta property="og:type" content="article" />' in text


def test_a_page_without_a_figure_has_the_homes_and_a_known_site_its_whole_address() -> None:
    text = head("<p><img src='../_images/colab.svg' /></p>", "https://example.org/book/", "glossary")
    assert 'content="https://example.org/book/_static/cards/index.png"' in text


def test_the_card_shows_the_first_figure_whole(tmp_path: Path) -> None:
    (tmp_path / "_images").mkdir()
    figure = Image.new("RGBA", (300, 100), (200, 0, 0, 255))
    figure.putpixel((0, 0), (0, 0, 0, 0))  # its ground is nothing, so the card is white
    figure.save(tmp_path / "_images" / "a.png")
    text = f'<meta property="og:image" content="../{cards.FOLDER}/x.png" /></head><img src="../_images/a.png" />'
    cards.finish(text, tmp_path)
    with Image.open(tmp_path / cards.FOLDER / "x.png") as card:
        shown = card.convert("RGB")
    assert shown.size == cards.SIZE
    red = [x for x in range(1200) if shown.getpixel((x, 315)) != (255, 255, 255)]
    assert (min(red), max(red)) == (cards.MARGIN, 1199 - cards.MARGIN)
    assert shown.getpixel((600, 100)) == (255, 255, 255)
