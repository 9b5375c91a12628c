"""The digits' page in a browser: how the tests open it, and ask it what it has drawn."""

from __future__ import annotations

import json
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from tests.site.scripts import PLAYGROUND as SCRIPTS
from tests.site.scripts import SITE, ask

PAGE = "playground_digits.html"
PATIENCE = 300_000  # ms; a machine may be busy
FROM_NOISE, FEW, GUIDED, HALF, DRAW = SCENES = (
    "a-digit-from-noise",
    "two-steps-are-too-few",
    "guidance-makes-plain-digits",
    "one-half-ten-digits",
    "draw-your-own",
)
HOOK = "document.getElementById('digits').playground"
SETTLED = f"""() => {{
    const {{ idle, run, row, state, running }} = {HOOK};
    return idle && !running && run.frames.length === run.whole
        && (state.beside === "none" || (row && row.frames.length === row.whole));
}}"""
VENDOR = SCRIPTS.parent / "vendor" / "onnxruntime-web"


def card() -> dict[str, Any]:
    """What the page knows of its files."""
    text = (SCRIPTS / "digits_files.js").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return found


def listen(page: Page) -> list[str]:
    """Errors and warnings, as they come."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    return said


def visit(page: Page, address: str, hash_: str = "", *, load: bool = True) -> Page:
    assert (SITE / PAGE).exists(), "the site is not built: make book"
    page.set_default_timeout(PATIENCE)
    page.goto("about:blank")
    page.goto(f"{address}/{PAGE}{'#' if hash_ else ''}{hash_}")
    if load:
        page.get_by_role("button", name="Load the model").click()
        page.wait_for_function(f"{HOOK}.idle")
    return page


def drawn(page: Page) -> dict[str, Any]:
    """Let the walk come to its end, and see what was drawn, of the reader and beside it."""
    page.get_by_role("button", name="Again").click()
    page.wait_for_function(SETTLED)
    return ask(
        page,
        f"""() => {{
            const {{ run, row, pad, state }} = {HOOK}, last = (walk) => walk && [...walk.frames.at(-1).x];
            const {{ y, known }} = pad, guesses = run.frames.map(({{ x0 }}) => [...x0]);
            const lengths = run.frames.slice(0, -1).map(({{ norm, sigma }}) => (norm * sigma) / 28);
            const shown = {{ end: last(run), row: last(row), guesses, lengths }};
            return {{ ...shown, y: [...y], known: [...known], state: {{ ...state }} }};
        }}""",
    )


def scene(page: Page, name: str) -> dict[str, Any]:
    page.evaluate(f"location.hash = '#{name}'; dispatchEvent(new PopStateEvent('popstate'))")
    return drawn(page)


def images(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 28, 28)


def alike(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten().double(), other.flatten().double()]))[0, 1])
