r"""A small language for pictures of digits: what one may say of a canvas, its words, and their numbers.

    a [small|large] [thin|medium|thick] DIGIT [leaning left|upright|leaning right] [in the middle|at the top left|…]
    a pair: DIGIT above DIGIT          a pair: DIGIT beside DIGIT

What stands in brackets may be left out, and DIGIT of a single picture too, by "digit". A digit is written as a word or
as a numeral, "seven" and "7" are one word of the vocabulary. Capitals, commas and the colon do not matter.

A caption as numbers is a row of seven, `FIELDS`, with −1 for what it leaves open; as words it is a row of `LENGTH`
word numbers, filled up with `PAD`. A row of nothing but `PAD` is no caption: what guidance pulls away from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from diffusion_teach import _checks, _names

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LAYOUTS = ("single", "above", "beside")
THICKNESSES = ("thin", "medium", "thick")
SLANTS = ("leaning left", "upright", "leaning right")
SIZES = ("small", "large")
PLACES = ("in the middle", "at the top left", "at the top right", "at the bottom left", "at the bottom right")
FIELDS = ("layout", "digit", "second", "thickness", "slant", "size", "place")
"""What a canvas is, in this order; of a pair `thickness`, `slant`, `size` and `place` are never said."""
LAYOUT, DIGIT, SECOND, THICKNESS, SLANT, SIZE, PLACE = range(len(FIELDS))
SOURCES = (LAYOUTS, DIGITS, DIGITS, THICKNESSES, SLANTS, SIZES, PLACES)

OTHERS = ("a", "digit", "pair", "above", "beside", "leaning", "upright", "in", "at", "the")
ENDS = ("left", "right", "middle", "top", "bottom")
WORDS: tuple[str, ...] = (*DIGITS, *THICKNESSES, *SIZES, *OTHERS, *ENDS)
"""The vocabulary; a word's number is its place."""
PAD = len(WORDS)
"""What fills a row of words up."""
LENGTH = 10
"""The words of the longest caption."""
EXAMPLES = ("a thick seven leaning right", "a small 3 at the top left", "a pair: 4 above 9")

_NUMBER = {word: number for number, word in enumerate(WORDS)}
_SINGLE = re.compile(
    rf"a(?: (?P<size>{'|'.join(SIZES)}))?(?: (?P<thickness>{'|'.join(THICKNESSES)}))?"
    rf" (?P<digit>{'|'.join(DIGITS)}|digit)"
    rf"(?: (?P<slant>{'|'.join(SLANTS)}))?(?: (?P<place>{'|'.join(PLACES)}))?"
)
_PAIR = re.compile(rf"a pair (?P<digit>{'|'.join(DIGITS)}) (?P<layout>above|beside) (?P<second>{'|'.join(DIGITS)})")


def parse(caption: str) -> Tensor:
    """The seven numbers of a caption, (7,) int64 in the order of `FIELDS`; −1 for what it leaves open.

    Raises:
        ValueError: the caption is empty, too long, in another script, has a word that is not in the vocabulary, or its
            words do not follow the grammar; the message says which, and lists the vocabulary.
    """
    words = _words(caption)
    text = " ".join(words)
    found = _SINGLE.fullmatch(text) or _PAIR.fullmatch(text)
    if found is None:
        raise ValueError(f"caption {caption!r} has known words, but not in an order that has a meaning. {_help()}")
    said = {name: word for name, word in found.groupdict().items() if word not in (None, "digit")}
    said.setdefault("layout", "single")
    row = [source.index(said[field]) if field in said else -1 for field, source in zip(FIELDS, SOURCES, strict=True)]
    return torch.tensor(row)


def _words(caption: str) -> list[str]:
    """The words of a caption, each in the vocabulary, numerals spelt out."""
    if not isinstance(caption, str):
        raise TypeError(f"caption must be a text, such as {EXAMPLES[0]!r}, got {_checks.describe(caption)}.")
    words = re.sub(r"[,:;.!]", " ", caption.lower()).split()
    if not words:
        raise ValueError(f"caption is empty. {_help()}")
    if foreign := [word for word in words if not word.isascii()]:
        raise ValueError(f"caption must be written in English, in Latin letters; got {foreign[0]!r}. {_help()}")
    if len(words) > LENGTH:
        raise ValueError(f"caption must have at most {LENGTH} words, got {len(words)}. {_help()}")
    words = [DIGITS[int(word)] if re.fullmatch(r"[0-9]", word) else word for word in words]
    for word in words:
        if word not in _NUMBER:
            raise ValueError(f"caption has the unknown word {word!r}.{_names.near(word, WORDS)} {_help()}")
    return words


def _help() -> str:
    examples = ", ".join(repr(example) for example in EXAMPLES)
    return f"Write it like {examples}. The vocabulary: {', '.join(WORDS)}; digits may be numerals, 0 to 9."


def write(about: Tensor) -> str:
    """The caption of seven numbers (7,), −1 for what is left open."""
    row = _rows(about.unsqueeze(0) if isinstance(about, Tensor) and about.ndim == 1 else about)[0].tolist()
    if row[LAYOUT] > 0:
        return f"a pair: {row[DIGIT]} {LAYOUTS[row[LAYOUT]]} {row[SECOND]}"
    said = [SOURCES[field][row[field]] for field in (SIZE, THICKNESS) if row[field] >= 0]
    said.append(DIGITS[row[DIGIT]] if row[DIGIT] >= 0 else "digit")
    said += [SOURCES[field][row[field]] for field in (SLANT, PLACE) if row[field] >= 0]
    return " ".join(["a", *said])


def tokens(captions: str | Sequence[str]) -> Tensor:
    """Captions as word numbers, (B, `LENGTH`) int64; the empty list of words, `PAD` throughout, is `nothing`.

    Raises:
        ValueError: see `parse`.
    """
    several = [captions] if isinstance(captions, str) else captions
    if not isinstance(several, (list, tuple)) or not several:
        raise TypeError(f"captions must be a text or a list of texts, got {_checks.describe(captions)}.")
    return encode(torch.stack([parse(caption) for caption in several]))


def nothing(count: int) -> Tensor:
    """No caption, for as many rows: (count, `LENGTH`) of `PAD`."""
    return torch.full((_checks.integer("count", count), LENGTH), PAD)


def encode(about: Tensor) -> Tensor:
    """The words of captions given as numbers (B, 7), −1 for what is left open: (B, `LENGTH`) int64, `PAD` at the end.

    It is `tokens` of what `write` writes, for many captions at once.
    """
    about = _rows(about)
    layout, digit, second, thickness, slant, size, place = about.unbind(1)
    slots = torch.full((len(about), LENGTH), -1, device=about.device)

    def put(slot: int, words: Sequence[str], index: Tensor, where: Tensor) -> None:
        table = torch.tensor([_NUMBER[word] if word else -1 for word in words], device=about.device)
        slots[:, slot] = torch.where(where, table[index.clamp(min=0)], slots[:, slot])

    everywhere, pair, single = layout >= -1, layout > 0, layout <= 0
    put(0, ("a",), torch.zeros_like(layout), everywhere)
    put(1, SIZES, size, single & (size >= 0))
    put(1, ("pair",), torch.zeros_like(layout), pair)
    put(2, THICKNESSES, thickness, single & (thickness >= 0))
    put(3, DIGITS, digit, digit >= 0)
    put(3, ("digit",), torch.zeros_like(layout), digit < 0)
    put(4, ("leaning", "upright", "leaning"), slant, single & (slant >= 0))
    put(4, LAYOUTS[1:], layout - 1, pair)
    put(5, ("left", "", "right"), slant, single & (slant >= 0))
    put(5, DIGITS, second, pair)
    for slot in range(6, LENGTH):
        words = [(*text.split(), "")[slot - 6] for text in PLACES]
        put(slot, words, place, single & (place >= 0))
    order = (slots < 0).byte().argsort(dim=1, stable=True)  # what is said first, in its order
    found = slots.gather(1, order)
    return torch.where(found < 0, PAD, found)


def left_out(about: Tensor, *, said: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """Leave fields of canvases (B, 7) open at random, as a caption writer would: thickness, slant, size and place each
    with the probability 1 − said, the digit of a single in a tenth of the captions.
    """
    about = _rows(about)
    said = _checks.number("said", said, least=0, most=1)
    chance = torch.rand(about.shape, generator=_checks.generator(generator), device=about.device)
    least = torch.tensor([0.0, 0.1, 0.0] + [1 - said] * 4, device=about.device).repeat(len(about), 1)
    least[:, DIGIT] *= about[:, LAYOUT] <= 0
    return torch.where(chance < least, -1, about)


def held_out(about: Tensor) -> Tensor:
    """Which canvases (B, 7) no training shows, (B,) bool: about a seventh of the combinations of digit, thickness and
    slant of singles, and of the ordered digits of pairs; each word occurs in training, these combinations do not.
    """
    layout, digit, second, thickness, slant, *_ = _rows(about).unbind(1)
    triple = (digit + 2 * thickness + 3 * slant) % 7 == 3
    return torch.where(layout > 0, (digit + 3 * second) % 7 == 3, triple)


def _rows(about: Tensor) -> Tensor:
    return check_fields("about", about)


def check_fields(name: str, value: Tensor, rows: int | str = "B") -> Tensor:
    """Check what canvases show or are asked to show, (rows, 7), −1 for what is left open, and return it as int64."""
    _checks.tensor(name, value, (rows, len(FIELDS)), floating=False)
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        mend = f"Convert it with {name}.long()."
        raise TypeError(f"{name} must hold whole numbers, got {_checks.describe(value)}. {mend}")
    value = value.long()
    most = torch.tensor([len(source) for source in SOURCES], device=value.device)
    if ((value < -1) | (value >= most)).any():
        raise ValueError(
            f"{name} must hold numbers from -1 to below {most.tolist()}, a column each; got {value.amin(0).tolist()} "
            f"to {value.amax(0).tolist()}."
        )
    return value
