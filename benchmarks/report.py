"""Write what was measured into the book's page: python -m benchmarks.report

The page book/fast.md has marks, `<!-- measured: NAME -->` and `<!-- end of NAME -->`; what stands between them comes
from results.json, and a test compares. A figure's own place is between such marks too, so that it appears when it can.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import figures, results
from benchmarks.results import Results
from benchmarks.tables import MISSING, SECTIONS
from diffusion_teach import _checks, _files

BOOK = Path(__file__).resolve().parent.parent / "book"
PAGE = BOOK / "fast.md"
ASSETS = BOOK / "assets"
PLACE = re.compile(r"(<!-- measured: ([\w.]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)

ALT = {
    "fast_speed.png": "Left: bars of images a second for this book and its two peers. Right: the speed of convolutions "
    "against their channels, and the speed that each training step reaches.",
    "fast_quality.png": "Two panels, one by each judge: Fréchet distance against seconds of training for this book and "
    "its two peers, with the floor of real digits.",
    "fast_scaling.png": "Three panels: milliseconds a step against batch, width and resolution, with power laws.",
}


def rendered(page: str, found: Results) -> str:
    """The page with every marked place filled from the results.

    Raises:
        ValueError: for a mark whose name is none of the sections and figures.
    """

    def fill(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        _checks.choice("the name of a mark", name, [*SECTIONS, *figures.FIGURES])
        text = figure(name, found) if name in figures.FIGURES else SECTIONS[name](found)
        return f"{begin}\n{text}\n\n{end}"

    return PLACE.sub(fill, page)


def figure(name: str, found: Results) -> str:
    """The Markdown of a figure, or what to run where it cannot be drawn yet."""
    missing = [part for part in figures.FIGURES[name][1] if part not in found]
    if missing:
        return MISSING.format(part=missing[0])
    return f"```{{figure}} assets/{name}\n:alt: {ALT[name]}\n:class: dark-light\n```"


def write(path: Path = results.PATH) -> None:
    """Draw the figures and fill in the page."""
    found = results.load(path)
    for name in figures.FIGURES:
        picture = figures.draw(name, found)
        if picture is not None:
            _files.write_atomically(ASSETS / name, picture)
    page = rendered(PAGE.read_text(encoding="utf-8"), found)
    _files.write_atomically(PAGE, page.encode())


if __name__ == "__main__":
    write()
