"""The playgrounds' scripts, as a page loads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

Scripted = Callable[[str], AbstractContextManager[Page]]
WalkByTab = Callable[[Page, str], None]
BOOK = Path(__file__).resolve().parents[2] / "book"
PLAYGROUND = BOOK / "assets" / "playground"
SITE = BOOK / "_build" / "html"


def ask(page: Page, function: str, given: Any = None) -> Any:
    """What a function of the page answers to something finite.

    As text, since Playwright sends numbers one by one: twenty thousand take it half a second.
    """
    text = page.evaluate(
        f"""async (given) => JSON.stringify(await ({function})(JSON.parse(given)), (_, value) =>
            typeof value === "number" && !Number.isFinite(value) ? `@${{value}}@` : value)""",
        json.dumps(given, allow_nan=False),
    )
    return json.loads(re.sub(r'"@(NaN|-?Infinity)@"', r"\1", text))


def mathematics(name: str) -> str:
    """The mathematics of a playground: what all have, then its own."""
    return "\n".join((PLAYGROUND / file).read_text(encoding="utf-8") for file in ("library.js", f"{name}_math.js"))
