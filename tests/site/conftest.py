"""A browser for the pages: Chromium, driven by Playwright, with no way to another host."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from tests.site.pages import listen_for_others
from tests.site.scripts import SITE, Scripted, WalkByTab

PATIENCE = 300_000  # milliseconds, on a busy machine
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"
DESK: ViewportSize = {"width": 1280, "height": 1100}
NAMES = ("chromium", "google-chrome", "google-chrome-stable")
MISSING = """
The tests of the pages need Chromium, and none was found: not by Playwright, nor on the path as {names}.
Install your system's, on Debian by `apt install chromium`, or Playwright's, by
`.venv/bin/playwright install --with-deps chromium`, or name one: `CHROMIUM=/path/to/chromium make test-site`.
"""


def find_chromium(playwright: Playwright) -> str:
    """The browser that $CHROMIUM names, or Playwright's own where that is installed, or the system's."""
    found = [os.environ.get("CHROMIUM"), playwright.chromium.executable_path, *map(shutil.which, NAMES)]
    for path in found:
        if path and Path(path).is_file():
            return path
    return pytest.exit(MISSING.format(names=", ".join(NAMES)), returncode=1)


def wait_for_function(page: Page, expression: str, *, arg: Any = None, timeout: float = PATIENCE) -> None:
    """Ask until the answer is yes. Playwright's own does it by `eval`, which the pages' policy forbids."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"not so after {timeout / 1000:g} seconds: {expression}"
        page.wait_for_timeout(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    Page.wait_for_function = wait_for_function  # type: ignore[method-assign,assignment]
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        args = ["--no-sandbox", NO_OTHER_HOST]
        chromium = playwright.chromium.launch(executable_path=path, args=args, timeout=180_000)
        yield chromium
        chromium.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures of the pages are kept."""
    kept = Path(os.environ.get("SCREENSHOTS", tmp_path))
    kept.mkdir(parents=True, exist_ok=True)
    return kept


@pytest.fixture
def outside() -> list[str]:
    """The requests to other hosts that a page has tried; the browser finds none of them."""
    return []


@pytest.fixture
def context(browser: Browser, outside: list[str]) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    listen_for_others(context, outside)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()


@pytest.fixture(scope="module")
def calm(browser: Browser) -> Iterator[BrowserContext]:
    """A reader who has asked for less motion, so that nothing moves unless a test moves it."""
    context = browser.new_context(reduced_motion="reduce", viewport=DESK)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="module")
def calm_tab(calm: BrowserContext) -> Page:
    """Where that reader goes from page to page: what all of them load is compiled once."""
    return calm.new_page()


@pytest.fixture
def calm_page(calm_tab: Page) -> Page:
    """The same, empty and as at first."""
    calm_tab.goto("about:blank")
    calm_tab.set_viewport_size(DESK)
    calm_tab.emulate_media(media="screen", color_scheme="light", reduced_motion="reduce")
    return calm_tab


@pytest.fixture(scope="session")
def scripted(browser: Browser) -> Scripted:
    """Opens an empty page with a script, such as `scripts.mathematics` gives."""

    @contextmanager
    def page_with(source: str) -> Iterator[Page]:
        page = browser.new_page()
        page.add_script_tag(content=source)
        yield page
        page.close()

    return page_with


@pytest.fixture(scope="session")
def walk_by_tab() -> WalkByTab:
    """Goes through all of an element by the Tab key: every control must be reached and show that it is."""

    def walk(page: Page, root: str) -> None:
        controls = ":is(a, canvas[tabindex='0'], button:enabled, select:enabled, input:enabled):visible"
        wanted = page.locator(f"{root} {controls}").count()
        page.locator(f"{root} {controls}").first.focus()
        page.keyboard.press("Shift+Tab")  # by key, or a browser that has seen a mouse shows no focus
        page.keyboard.press("Tab")
        reached = 0
        while reached < 100 and page.evaluate(f"document.activeElement.closest('{root}') !== null"):
            reached += 1
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            page.keyboard.press("Tab")
        assert reached == wanted

    return walk


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that does not tell of each."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The address of the site on a server, as `python -m http.server` gives it."""
    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=SITE)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
