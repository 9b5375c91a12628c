"""Terms of the glossary in the text: the first of each on a page is a link, which carries what the term means.

`book.js` shows the meaning on hover and on focus; without a script, and on touch, the link is a link.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from docutils import nodes
from sphinx.environment import BuildEnvironment

GLOSSARY = "glossary"
PAGES = re.compile(r"notebooks/\w+|timeline|mathematics|facts|fast|scoreboard")  # those whose words are linked
# Words that mean something else as often as not.
EVERYDAY = {
    "baseline",
    "claim",
    "control",
    "high quality",
    "judge",
    "packing",
    "reproducibility",
    "ridge",
    "shell",
    "velocity",
}
# What the text says where the glossary's heading says more.
SHORTER = {
    "decoder and encoder": ("decoder",),  # "the encoder" is one of the book's judges
    "drift and diffusion coefficient": ("drift coefficient", "diffusion coefficient"),
    "forward and reverse process": ("forward process", "reverse process"),
    "image to image": ("image to image", "image-to-image"),
    "low-rank adaptation (lora)": ("low-rank adaptation", "LoRA"),
    "posterior and prior": ("posterior",),
    "variance preserving and variance exploding": ("variance preserving", "variance exploding"),
}
NOT_IN = (
    *(nodes.title, nodes.reference, nodes.raw, nodes.table, nodes.caption, nodes.rubric, nodes.comment),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block),
)

LETTERS = {
    "alpha": "α", "beta": "β", "eta": "η", "lambda": "λ", "mu": "μ", "sigma": "σ", "varepsilon": "ε", "nabla": "∇",
    "Delta": "Δ", "partial": "∂", "leftarrow": "←", "mid": " | ", "pm": "±", "log": "log ", "top": "ᵀ",
    "lVert": "‖", "rVert": "‖",
}  # fmt: skip
ACCENTS = {"bar": "\u0304", "dot": "\u0307", "hat": "\u0302", "tilde": "\u0303"}
RAISED = str.maketrans("0123456789+-kp", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵏᵖ")
LOWERED = str.maketrans("0123456789ktpx", "₀₁₂₃₄₅₆₇₈₉ₖₜₚₓ")


@dataclass(frozen=True)
class Term:
    """A term: where it stands on the glossary's page, what it means, and how the text writes it."""

    place: str
    meaning: str
    names: tuple[str, ...]


@cache
def known(env: BuildEnvironment) -> tuple[Term, ...]:
    """The terms of the book's glossary."""
    return tuple(terms(env.get_doctree(GLOSSARY)))


def terms(page: nodes.document) -> Iterator[Term]:
    """The terms of a glossary: a section each, whose first paragraph says what it means, up to its source."""
    for section in page.findall(nodes.section):
        paragraph = section.next_node(nodes.paragraph)
        if section.parent is page or paragraph is None or paragraph.parent is not section:
            continue
        name = section[0].astext().replace("’", "'")
        names = () if name.lower() in EVERYDAY else SHORTER.get(name.lower(), (name,))
        yield Term(section["ids"][0], meaning(paragraph), names)


def meaning(paragraph: nodes.paragraph) -> str:
    """A definition in plain letters, without its source."""
    parts = []
    for child in paragraph.children:
        if isinstance(child, nodes.emphasis) and child.astext() == "Source:":
            break
        parts.append(plain(child.astext()) if isinstance(child, nodes.math) else child.astext())
    return " ".join("".join(parts).split())


def plain(formula: str) -> str:
    """A short formula in letters that need no typesetting: \\bar\\alpha^2 is ᾱ²."""
    text = re.sub(r"\\(?:mathrm|mathbb|text)\s*", "", formula)
    text = re.sub(r"\\t?frac\{?(\\?\w+)\}?\{([^{}]*)\}", r" \1/(\2)", text)
    text = re.sub(r"\\t?frac(\w)(\w)", r" \1/\2", text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda found: LETTERS.get(found[1], found[0]), text)
    for accent, mark in ACCENTS.items():
        text = re.sub(rf"\\{accent}\s*\{{?(\w)\}}?", rf"\1{mark}", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"√\1", text)
    text = re.sub(r"\\[,;! ]", " ", text)
    text = _script(text, r"\^", RAISED, "^")
    text = re.sub(r"(?<=[∇ₓₜ])log", " log", _script(text, "_", LOWERED, "_"))
    return unicodedata.normalize("NFC", re.sub(r"[{}]|\s+(?=\s)", "", text).replace("-", "−").strip())


def _script(text: str, sign: str, letters: dict[int, int], otherwise: str) -> str:
    def raised(found: re.Match[str]) -> str:
        what: str = found[1] or found[2]
        if what == "ᵀ":
            return what
        there = all(ord(letter) in letters for letter in what)
        return what.translate(letters) if there else f"{otherwise}({what})" if len(what) > 1 else f"{otherwise}{what}"

    return re.sub(sign + r"(?:\{([^{}]*)\}|(\S))", raised, text)


def pattern(terms: tuple[Term, ...]) -> re.Pattern[str]:
    """What finds any of some terms, the longest first; the name of the group tells which, as `t7` the seventh."""
    names = [(name, i, k) for i, term in enumerate(terms) for k, name in enumerate(term.names)]
    parts = []
    for name, i, k in sorted(names, key=lambda one: -len(one[0])):
        words = re.sub(r"(?:\\ | )+", r"\\s+", re.escape(name)).replace(r"\-", r"[\s-]").replace("'", "['’]")
        first = f"[{name[0].lower()}{name[0].upper()}]"
        words = first + words[len(re.escape(name[0])) :]  # a capital only where a sentence begins
        parts.append(rf"(?P<t{i}_{k}>(?<![\w-]){words}(?:s|es)?(?![\w-]))")
    return re.compile("|".join(parts) or r"(?!)")


def link(document: nodes.document, found: tuple[Term, ...], address: Callable[[Term], str]) -> None:
    """Make the first of each term in a page's text a link; those that are links already get the meaning."""
    seen: set[int] = set()
    for reference in list(document.findall(nodes.reference)):
        place = reference.get("refuri", "").partition(f"{GLOSSARY}.html#")[2]
        for i, term in enumerate(found):
            if place and term.place == place:
                seen.add(i)
                reference.parent.replace(reference, anchor(reference.astext(), term, address(term)))
    search = pattern(found)
    for text in list(document.findall(nodes.Text)):
        if may(text):
            _link_in(text, search, found, seen, address)


def may(text: nodes.Text) -> bool:
    """Whether words of this text can be linked: running text, and not a chapter's head, a title, code or a table."""
    above = []
    node = text.parent
    while node is not None and node.parent is not None:
        above.append(node)
        node = node.parent
    in_head = len([one for one in above if isinstance(one, nodes.section)]) < 2 and any(
        isinstance(one, nodes.bullet_list) for one in above
    )
    return not in_head and not any(isinstance(one, NOT_IN) for one in above)


def _link_in(
    text: nodes.Text, search: re.Pattern[str], found: tuple[Term, ...], seen: set[int], address: Callable[[Term], str]
) -> None:
    whole, parts, end = str(text), [], 0
    for match in search.finditer(whole):
        i = int(str(match.lastgroup)[1:].split("_")[0])
        if i in seen:
            continue
        seen.add(i)
        parts += [nodes.Text(whole[end : match.start()]), anchor(match[0], found[i], address(found[i]))]
        end = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(whole[end:])])


def anchor(words: str, term: Term, address: str) -> nodes.raw:
    """A link to a term that carries its meaning."""
    href, said = html.escape(address), html.escape(term.meaning)
    text = f'<a class="term reference internal" href="{href}" data-meaning="{said}">{html.escape(words)}</a>'
    return nodes.raw("", text, format="html")
