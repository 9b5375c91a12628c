"""What a page says of itself: its description, and the card with its first figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cards
import home
import pytest
from docutils import nodes
from docutils.core import publish_doctree
from PIL import Image
from sphinx.errors import ExtensionError


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


def test_a_figure_that_is_chosen_is_shown_and_missed_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "SHOWN", {"notebooks/05_ncsn": "Arrows &"})
    first, second = (
        '<img alt="A curve." src="../_images/a.png">',
        '<img alt="Arrows &amp; hills." src="../_images/b.png">',
    )
    assert "Arrows &amp; hills." in head(first + second)
    with pytest.raises(ExtensionError, match="notebooks/05_ncsn has no figure whose alternative text begins"):
        head(first)


def test_a_card_is_drawn_anew_with_its_page_or_when_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "_images").mkdir()
    noise = Image.effect_noise((900, 500), 200)
    noise.save(tmp_path / "_images" / "a.png")
    text = f'<meta property="og:image" content="../{cards.FOLDER}/x.png" /></head><img src="../_images/a.png" />'
    large, small = (tmp_path / cards.FOLDER / f"x.{kind}" for kind in ("png", "webp"))
    cards.finish(text, tmp_path, "notebooks/x", anew=False)
    with Image.open(small) as card:
        assert card.size == cards.SMALL
    lightest = small.stat().st_size
    assert lightest > cards.LIGHT  # noise is never light: the last quality is taken
    large.write_bytes(b"old")
    small.unlink()
    cards.finish(text, tmp_path, "notebooks/x", anew=False)
    assert large.read_bytes() == b"old"
    assert small.exists()
    cards.finish(text, tmp_path, "notebooks/x")
    assert large.read_bytes() != b"old"


def table(*rows: str) -> nodes.document:
    """A page with a table of three columns, its links as Sphinx leaves them when they are resolved."""
    lines = [f"   * - {row}".replace(" | ", "\n     - ") for row in rows]
    return page(
        "\n".join([".. list-table::", "   :header-rows: 1", "", "   * - \\", "     - Chapter", "     - What", *lines])
    )


def test_a_table_of_chapters_becomes_cards_and_another_stays() -> None:
    doc = table("00 | `Ink <notebooks/00_ink.html>`_ | why a drop & more", "01 | `VAE <notebooks/01_vae.html>`__ | how")
    home.show(doc)
    assert not list(doc.findall(nodes.table))
    cards_ = list(doc.findall(nodes.list_item))
    assert [" ".join(card.astext().split()) for card in cards_] == [
        f"{home.picture('notebooks/00_ink')} 00 Ink why a drop & more",
        f"{home.picture('notebooks/01_vae')} 01 VAE how",
    ]
    other = table("00 | `Ink <notebooks/00_ink.html>`__ | why", "02 | nothing | how")
    home.show(other)
    assert list(other.findall(nodes.table))


def test_a_picture_says_on_the_home_page_what_it_says_in_its_chapter(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    figure = '<img alt="Two &lt; three." src="../_images/ab12.png" />'
    (tmp_path / "notebooks" / "05_ncsn.html").write_text(f"<head></head>{figure}", encoding="utf-8")
    assert 'alt="Two &lt; three."' in home.finish(home.picture("notebooks/05_ncsn"), tmp_path)
