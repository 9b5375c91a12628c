"""Every page of the built site, and what is asked of each at any width, in light and in dark."""

from __future__ import annotations

import gzip
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.site import questions

SITE = Path(__file__).resolve().parents[2] / "book" / "_build" / "html"
PATIENCE = 300_000  # milliseconds, on a busy machine
OWN = ("file:", "data:", "blob:", "about:", "http://localhost")  # where requests may go
PAPER = 718  # the pixels of an A4 page between its margins

Theme = Literal["light", "dark"]
STATES: tuple[tuple[int, Theme], ...] = (  # each differs from the one before in one thing
    *((360, "light"), (360, "dark"), (768, "dark")),
    *((768, "light"), (1280, "light"), (1280, "dark")),
)
TALLEST = 5_000  # pixels of a page that a picture shows

# Bytes that a page may cost, compressed, beyond what all pages share: the theme's and Sphinx's own files, and MathJax.
MOST, MOST_HOME = 1_000_000, 300_000
SHARED = re.compile(
    r"_static/(?:styles|scripts|vendor|mathjax|locales)/|searchindex\.js"
    r"|_static/(?:pygments|mystnb\.\w+|copybutton|sphinx-design\.min)\.css"
    r"|_static/(?:documentation_options|doctools|sphinx_highlight|clipboard\.min|copybutton\w*|design-tabs|searchtools"
    r"|language_data)\.js"
)

# Axe looks at everything once, at full width, in light; elsewhere at what the theme or the width can change. It looks
# at the colours of one text of each kind.
COLOURS = ["color-contrast", "link-in-text-block"]
LAYOUT = ["scrollable-region-focusable", "target-size", "aria-hidden-focus"]
AXE: tuple[tuple[int, Theme, dict[str, Any], bool], ...] = (
    (1280, "dark", {"runOnly": COLOURS}, True),
    (1280, "light", {"runOnly": COLOURS}, True),
    (1280, "light", {"rules": {rule: {"enabled": False} for rule in COLOURS}}, False),
    (360, "light", {"runOnly": LAYOUT}, False),
)
SERIOUS = ("serious", "critical")
ALL = ("minor", "moderate", *SERIOUS)
# Formulas are one colour throughout, and MathJax writes what is read out. The colours of code and of signatures are the
# theme's, and are not looked at here.
NOT_IN = ("mjx-math", "mjx-assistive-mml > math", "pre", "dt.sig")


def listen_for_others(place: BrowserContext | Page, outside: list[str]) -> None:
    """Note what a page, or a context's pages, ask of other hosts. A route would do that too, and slow all requests."""
    place.on("request", lambda request: None if request.url.startswith(OWN) else outside.append(request.url))


@dataclass
class Visit:
    """One look at one page, at all widths and in both themes: what is not as it should be."""

    page: Page
    name: str
    found: list[str] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    theme: Theme = "light"

    def __post_init__(self) -> None:
        self._ears = {
            "console": lambda message: self.tell([f"console: {message.text}"] if message.type == "error" else []),
            "pageerror": lambda error: self.tell([f"error: {error}"]),
            "request": lambda request: self.loaded.add(request.url),
            "response": lambda response: self.tell([f"{response.status}: {response.url}"] * (response.status >= 400)),
        }
        for event, ear in self._ears.items():
            self.page.on(event, ear)  # type: ignore[call-overload]

    @property
    def state(self) -> str:
        """How the page stands, for a line that says what is wrong."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        return f"{width} {self.theme}"

    def open(self, address: str, width: int, theme: Theme) -> None:
        """Load the page at a width and in a theme, for a reader who has asked for less motion."""
        self.page.set_default_timeout(PATIENCE)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.theme = theme
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.goto(address)

    def turn(self, width: int, theme: Theme) -> None:
        """Change the width, as by turning a tablet, and the theme, as the reader's system does in the evening."""
        if f"{width} {theme}" == self.state:
            return
        self.theme = theme
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        if self.page.viewport_size != {"width": width, "height": 900}:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.evaluate(questions.SETTLED)

    def look(self) -> None:
        """See what is wrong with the page as it stands."""
        for question in (questions.FORMULAS, questions.OVERFLOW, questions.PICTURES):
            self.tell(self.page.evaluate(question))
        self.tell(self.page.evaluate(questions.CODE) if self.state.startswith("1280") else [])

    def tell(self, lines: Iterable[str]) -> None:
        """Note what is wrong, and how the page stands."""
        self.found += [f"{self.state}: {line}" for line in lines]

    def passes(self) -> None:
        """Leave the page, and fail where something was wrong."""
        for event, ear in self._ears.items():
            self.page.remove_listener(event, ear)
        outside = sorted(url for url in self.loaded if not url.startswith(OWN))
        found = [*self.found, *(f"asked another host: {url}" for url in outside)]
        assert not found, "\n".join([f"{self.name}:", *found])

    def fits(self, root: str, folder: Path) -> None:
        """See that a part of the page, as a script has filled it, fits in every state, and that all can use it."""
        for width, theme in STATES:
            self.turn(width, theme)
            self.tell(self.page.evaluate(questions.OVERFLOW))
            self.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")  # or the theme's head stands across it
            self.picture(folder, f"{width}_{theme}", whole=True)
        self.accessibility(root, ALL)
        self.passes()

    def on_paper(self, folder: Path) -> None:
        """Print it: nothing is folded, and nothing is cut off. Afterwards all is as it was."""
        folded = self.page.evaluate(questions.FOLDED)
        self.turn(PAPER, "light")
        self.page.emulate_media(media="print", color_scheme="light")
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.tell(["on paper something is folded"] if self.page.evaluate(questions.FOLDED) else [])
        self.tell(self.page.evaluate(questions.CUT, PAPER))
        self.picture(folder, "paper")
        self.page.evaluate("dispatchEvent(new Event('afterprint'))")
        self.tell(["printing has unfolded something"] if self.page.evaluate(questions.FOLDED) != folded else [])
        self.page.emulate_media(media="screen")

    def accessibility(self, root: str = "html", impacts: Container[str] = SERIOUS) -> None:
        """The findings of axe in a part of the page, in every state that may change them."""
        self.ready_for_axe()
        for width, theme, options, alike in AXE:
            self.turn(width, theme)
            self.axe(options, root, impacts, alike=alike)

    def ready_for_axe(self) -> None:
        """Load axe, and take out of the page what it is not asked to look at: other questions come before."""
        self.page.evaluate(Axe().axe_script)
        self.page.evaluate(questions.THINNED, NOT_IN)
        self.page.evaluate("dispatchEvent(new Event('resize'))")  # a word may be wider than what it stands for
        self.page.evaluate(questions.SETTLED)

    def axe(self, options: dict[str, Any], root: str, impacts: Container[str], *, alike: bool = False) -> None:
        """The findings of axe in a part of the page as it stands, or in one text of each kind there."""
        options = {"preload": False, "resultTypes": ["violations"], **options}
        excluded = [[place] for place in NOT_IN]
        for finding in self.page.evaluate(questions.VIOLATIONS, [root, excluded, options, alike]):
            if finding["impact"] in impacts:
                places = "; ".join(node["html"][:160] for node in finding["nodes"][:3])
                self.tell([f"{finding['id']}, {len(finding['nodes'])} times: {places}"])

    def weigh(self) -> None:
        """Say where the page costs more than it may, all pictures loaded. For a page that was opened from its file."""
        pictures = self.page.evaluate("[...document.images].map((picture) => picture.src)")
        urls = {url.split("?")[0].split("#")[0] for url in (*self.loaded, *pictures) if url.startswith("file:")}
        files = {
            path for url in urls if (path := Path(url.removeprefix("file://"))).is_file()
        }  # `look` tells of others
        own = {path: weight(path) for path in files if not SHARED.search(path.relative_to(SITE).as_posix())}
        dearest = sorted(((size, path.name) for path, size in own.items()), reverse=True)[:5]
        heavy = sum(own.values()) > (MOST_HOME if self.name == "index" else MOST)
        self.tell([f"too heavy: {dearest}"] if heavy else [])

    def picture(self, folder: Path, what: str, *, whole: bool = False) -> None:
        """Keep a picture of what one sees first, or of the whole page."""
        height = self.page.evaluate("document.scrollingElement.scrollHeight") if whole else 900
        width = self.page.viewport_size["width"] if self.page.viewport_size else 1280
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        path = folder / f"{self.name.replace('/', '-')}_{what}.jpg"
        self.page.screenshot(path=path, type="jpeg", quality=70, full_page=whole, clip=clip)  # type: ignore[arg-type]


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
