"""Every page of the built site, and what is asked of each at any width, in light and in dark."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

SITE = Path(__file__).resolve().parents[2] / "book" / "_build" / "html"
PATIENCE = 300_000  # milliseconds, on a busy machine
TALLEST = 16_000  # pixels of a page that a picture shows

Theme = Literal["light", "dark"]

# Bytes that a page may cost, compressed, beyond what all pages share: the theme's and Sphinx's own files, and MathJax.
MOST, MOST_HOME = 1_000_000, 300_000
SHARED = re.compile(
    r"_static/(?:styles|scripts|vendor|mathjax|locales)/|searchindex\.js"
    r"|_static/(?:pygments|mystnb\.\w+|copybutton|sphinx-design\.min)\.css"
    r"|_static/(?:documentation_options|doctools|sphinx_highlight|clipboard\.min|copybutton\w*|design-tabs|searchtools"
    r"|language_data)\.js"
)

# What a page has to be like. Each returns what is wrong with it, as a list of lines.
FORMULAS = r"""async () => {
    const wanted = [...document.querySelectorAll(".bd-article .math")];
    if (wanted.length === 0) return [];
    if (!window.MathJax || !MathJax.startup) return ["formulas, and no MathJax"];
    await MathJax.startup.promise;
    const bare = wanted.filter((place) => !place.querySelector("mjx-container mjx-math"));
    const wrong = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")];
    return [
        ...bare.map((place) => `not rendered: ${place.textContent.slice(0, 80)}`),
        ...wrong.map((place) => `a formula with an error: ${place.textContent.slice(0, 80)}`),
    ];
}"""

# What is wider than the page widens it, unless it stands in something that scrolls or hides.
OVERFLOW = r"""() => {
    const width = document.documentElement.clientWidth, page = document.scrollingElement.scrollWidth;
    const told = page > width ? [`the page is ${page} wide`] : [];
    const held = (place) => {
        for (let box = place.parentElement; box && box !== document.body; box = box.parentElement)
            if (getComputedStyle(box).overflowX !== "visible" && box.getBoundingClientRect().right <= width + 1)
                return true;
        return false;
    };
    for (const place of document.querySelectorAll(".bd-article *")) {
        if (place.closest("mjx-math, svg, .visually-hidden, .sr-only")) continue;
        const box = place.getBoundingClientRect();
        if (box.width > 1 && box.right > width + 1 && !held(place) && !told.some((line) => line.includes("ends at")))
            told.push(`<${place.tagName} class="${place.className}"> ends at ${Math.round(box.right)} of ${width}`);
    }
    return told;
}"""

# Pictures come when they are looked at; here all of them are asked to come.
PICTURES = r"""async () => {
    for (const picture of document.images) picture.loading = "eager";
    const come = (picture) => picture.complete || new Promise((done) => {
        for (const event of ["load", "error"]) picture.addEventListener(event, done, { once: true });
    });
    await Promise.all([...document.images].map(come));
    return [...document.images].flatMap((picture) => [
        ...(picture.getAttribute("alt") === null ? [`no alternative text: ${picture.src.slice(-60)}`] : []),
        ...(picture.currentSrc && picture.naturalWidth === 0 ? [`not loaded: ${picture.src.slice(-60)}`] : []),
    ]);
}"""

# Axe looks at everything once, at full width, in light; elsewhere at what the theme or the width can change.
EVERYTHING: dict[str, Any] = {}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
LAYOUT = {"runOnly": ["scrollable-region-focusable", "target-size", "aria-hidden-focus", "meta-viewport"]}
SERIOUS = ("serious", "critical")
# Formulas are one colour throughout. The colours of code and of signatures are the theme's, and are not looked at here.
NOT_IN = ("mjx-math", "pre", "dt.sig")


@dataclass
class Visit:
    """A look at one page: what it said on the console, and what of it is not as it should be."""

    page: Page
    name: str
    outside: list[str]
    said: list[str] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)

    def open(self, address: str, width: int, theme: Theme) -> None:
        """Load the page at a width and in a theme, for a reader who has asked for less motion."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.loaded.add(request.url))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("response", lambda r: self.said.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.goto(address)

    def switch(self, theme: Theme) -> None:
        """Change the theme, as the reader's system does in the evening."""
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")

    def check(self, axe: dict[str, Any] | None = None, skip: tuple[str, ...] = NOT_IN) -> None:
        """Fail, and say what is wrong with the page as it stands."""
        found = [*self.said, *(f"asked another host: {url}" for url in self.outside)]
        for question in (FORMULAS, OVERFLOW, PICTURES):
            found += self.page.evaluate(question)
        found += self.accessibility(axe, skip) if axe is not None else []
        assert not found, "\n".join([f"{self.name}:", *found])

    def accessibility(self, options: dict[str, Any], skip: tuple[str, ...]) -> Iterator[str]:
        """The serious findings of axe."""
        around = {"include": [["html"]], "exclude": [[place] for place in skip]}
        options = {"preload": False, "resultTypes": ["violations"], **options}
        for finding in Axe().run(self.page, context=around, options=options).response["violations"]:
            if finding["impact"] in SERIOUS:
                places = "; ".join(node["html"][:160] for node in finding["nodes"][:3])
                yield f"{finding['id']}, {len(finding['nodes'])} times: {places}"

    def weigh(self) -> None:
        """Fail where the page costs more than it may, all pictures loaded. For a page that was opened from its file."""
        pictures = self.page.evaluate("[...document.images].map((picture) => picture.src)")
        urls = {url.split("?")[0].split("#")[0] for url in (*self.loaded, *pictures) if url.startswith("file:")}
        files = {Path(url.removeprefix("file://")) for url in urls}
        own = {path: weight(path) for path in files if not SHARED.search(path.relative_to(SITE).as_posix())}
        dearest = sorted(((size, path.name) for path, size in own.items()), reverse=True)[:5]
        assert sum(own.values()) <= (MOST_HOME if self.name == "index" else MOST), dearest

    def picture(self, folder: Path, what: str, full: bool) -> None:
        """Keep a picture of what one sees first, or of the page."""
        height = self.page.evaluate("document.scrollingElement.scrollHeight") if full else 900
        width = self.page.viewport_size["width"] if self.page.viewport_size else 1280
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        path = folder / f"{self.name.replace('/', '-')}_{what}.jpg"
        self.page.screenshot(path=path, type="jpeg", quality=70, full_page=full, clip=clip)  # type: ignore[arg-type]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.said.append(f"console: {message.text}")


@cache
def weight(path: Path) -> int:
    """The bytes of a file as a server sends it: compressed, where that makes it smaller."""
    content = path.read_bytes()
    return min(len(content), len(gzip.compress(content)))


def names() -> list[str]:
    """The names of all pages of the site, without their suffix; empty where it is not built."""
    pages = (path.relative_to(SITE).with_suffix("") for path in SITE.rglob("*.html"))
    return sorted(page.as_posix() for page in pages if not page.parts[0].startswith("_"))


# Where nothing is built, there is one page, which is not found: the tests fail, and say why.
every_page = pytest.mark.parametrize("name", names() or ["index"])


def built(name: str) -> Path:
    """The file of a page."""
    path = SITE / f"{name}.html"
    assert path.is_file(), "the site is not built: make book"
    return path
