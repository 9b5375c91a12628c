"""Terms of the glossary in the text: which are linked, and what their links say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import terms
from docutils import nodes
from docutils.core import publish_doctree

GLOSSARY = Path(terms.__file__).resolve().parents[1] / "glossary.md"


def page(*paragraphs: str) -> nodes.document:
    """A page with a section, in reStructuredText."""
    return publish_doctree(
        "\n\n".join(["Page\n====", "Section\n-------", *paragraphs]), settings_overrides={"doctitle_xform": False}
    )


def linked(document: nodes.document) -> list[str]:
    """The words that are linked, each with its meaning."""
    raw = [node.astext() for node in document.findall(nodes.raw)]
    return [re.sub(r"<a .*data-meaning=\"(.*)\">(.*)</a>", r"\2: \1", text) for text in raw]


FOUND = (
    terms.Term("latent", "A hidden number.", ("Latent",)),
    terms.Term("latent-diffusion-model", "A large thing.", ("Latent diffusion model",)),
    terms.Term("ito", "A rule.", ("Itô's formula",)),
    terms.Term("r1-and-r2", "<Two> penalties.", ("R1 and R2",)),
)


def test_the_first_of_each_term_is_linked_and_the_longest() -> None:
    text = page("A latent diffusion model has latents. Its *latents* are few: R1 and R2, r1 and r2.", "Itô’s formula.")
    terms.link(text, FOUND, lambda term: f"glossary.html#{term.place}")
    assert linked(text) == [
        "latent diffusion model: A large thing.",
        "latents: A hidden number.",
        "R1 and R2: &lt;Two&gt; penalties.",
        "Itô’s formula: A rule.",
    ]
    assert text.astext().startswith("Page")


@pytest.mark.parametrize(
    "text",
    [
        "``latent``",
        "A `latent <https://example.org>`_ thing",
        "::\n\n    latent",
        "latently, non-latent, Latent_space",
        "Latent\n~~~~~~",
        "==== ====\nlatent x\n==== ====",
    ],
)
def test_code_links_titles_tables_and_parts_of_words_stay_as_they_are(text: str) -> None:
    document = page(text)
    terms.link(document, FOUND, lambda term: term.place)
    assert linked(document) == []


def test_a_chapters_head_is_not_linked() -> None:
    text = "Page\n====\n\n- Needs: a latent\n\nSection\n-------\n\n- a latent\n\nOther\n-----\n\nx"
    head = publish_doctree(text, settings_overrides={"doctitle_xform": False})
    terms.link(head, FOUND, lambda term: term.place)
    (raw,) = head.findall(nodes.raw)
    assert isinstance(raw.parent.parent.parent.parent, nodes.section)
    assert raw.parent.parent.parent.parent[0].astext() == "Section"


def test_a_link_to_the_glossary_gets_the_meaning() -> None:
    document = page("See `hidden numbers <../glossary.html#latent>`_, a latent, and `more <other.html#latent>`_.")
    terms.link(document, FOUND, lambda term: f"../glossary.html#{term.place}")
    assert linked(document) == ["hidden numbers: A hidden number."]


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (r"\bar\alpha", "ᾱ"),
        (r"\tfrac12\mathbb E_p\lVert\nabla\log p - \nabla\log q\rVert^2", "1/2Eₚ‖∇ log p − ∇ log q‖²"),
        (r"x \leftarrow x + h\,s(x) + \sqrt{2h}\,z", "x ← x + h s(x) + √(2h) z"),
        (r"p(x)\,p(c\mid x)^{1+w}", "p(x) p(c | x)^(1+w)"),
        (r"v^\top A v", "vᵀ A v"),
        (r"1 - 2^{-k}", "1 − 2⁻ᵏ"),
    ],
)
def test_a_formula_in_plain_letters(formula: str, plain: str) -> None:
    assert terms.plain(formula) == plain


def test_every_formula_of_the_glossary_can_be_written_in_plain_letters() -> None:
    formulas = re.findall(r"\$([^$]+)\$", GLOSSARY.read_text(encoding="utf-8"))
    assert len(formulas) > 50
    assert [formula for formula in formulas if re.search(r"[\\${}]", terms.plain(formula))] == []


def test_a_term_is_a_heading_with_its_first_paragraph_up_to_the_source() -> None:
    parts = [
        "Glossary\n========\n\nLead.",
        "Latent\n------\n\nA hidden\nnumber, :math:`\\bar\\alpha`. *Source:* someone.",
        "Claim\n-----\n\nA sentence.",
    ]
    text = "\n\n".join(parts)
    found = list(terms.terms(publish_doctree(text, settings_overrides={"doctitle_xform": False})))
    assert found == [terms.Term("latent", "A hidden number, ᾱ.", ("Latent",)), terms.Term("claim", "A sentence.", ())]
