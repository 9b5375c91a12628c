"""The playgrounds' scripts, as a page loads them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Page

Scripted = Callable[[str], AbstractContextManager[Page]]
WalkByTab = Callable[[Page, str], None]
BOOK = Path(__file__).resolve().parents[2] / "book"
PLAYGROUND = BOOK / "assets" / "playground"
SITE = BOOK / "_build" / "html"


def mathematics(name: str) -> str:
    """The mathematics of a playground: what all have, then its own."""
    return "\n".join((PLAYGROUND / file).read_text(encoding="utf-8") for file in ("library.js", f"{name}_math.js"))
