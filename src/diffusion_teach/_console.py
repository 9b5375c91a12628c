"""Print what a console may have no letters for: a Japanese Windows lacks é, a Western one ✓, and there printing raises.

`say` prints like `print`; `forgive` makes all output of a program safe. What is missing is spelt in plain letters: ✓ as
OK, é as e, σ as sigma, ₁ as 1. What has no such spelling becomes a question mark.
"""

from __future__ import annotations

import codecs
import sys
import unicodedata

SPELT = "diffusion_teach.spelt"
"""The name under which Python knows this way with missing letters, beside "replace" and "ignore"."""

SIGNS = {"✓": "OK", "✗": "NO", "○": "--", "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "→": "->", "←": "<-"}
SIGNS |= {
    "±": "+-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "λ": "lambda",
    "∼": "~",
    "∈": " in ",
    "‖": "||",
    "⟨": "<",
    "⟩": ">",
}
SIGNS |= {"√": "sqrt", "∇": "grad", "∂": "d", "∫": "integral", "∞": "inf", "‘": "'", "’": "'", "“": '"', "”": '"'}
SIGNS |= {"λ": "lambda", "\N{PRIME}": "'", "\N{FRACTION SLASH}": "/"}


def spell(letter: str) -> str:
    """A letter or sign in ASCII."""
    if letter.isascii() or letter in SIGNS:
        return SIGNS.get(letter, letter)
    if unicodedata.combining(letter):
        return ""
    parts = unicodedata.normalize("NFKD", letter)  # é: e and an accent; ½: 1, a slash and 2
    if parts != letter:
        return "".join(map(spell, parts))
    name = unicodedata.name(letter, "")
    return name.split()[-1].lower() if name.startswith("GREEK ") else "?"


def _spell_missing(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spell, error.object[error.start : error.end])), error.end


codecs.register_error(SPELT, _spell_missing)


def say(text: str) -> None:
    """Print a text, spelt where the console lacks a letter."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # streams of text in memory have none
    print(text.encode(encoding, SPELT).decode(encoding))  # noqa: T201


def forgive() -> None:
    """From now on, spell what this program prints where the console lacks a letter."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # what stands in for them may not have it
            reconfigure(errors=SPELT)
