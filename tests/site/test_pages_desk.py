"""Every page on a desk, from `python -m http.server`: loaded in light, then in dark."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.site.pages import COLOURS, EVERYTHING, SITE, Visit, built, every_page


class Quiet(SimpleHTTPRequestHandler):
    """The server of `python -m http.server`, without a line a request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=SITE)) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://localhost:{httpd.server_port}"
        httpd.shutdown()


@every_page
def test_on_a_desk(page: Page, name: str, outside: list[str], screenshots: Path, server: str) -> None:
    built(name)
    visit = Visit(page, name, outside)
    visit.open(f"{server}/{name}.html", 1280, "light")
    visit.check(EVERYTHING)
    visit.picture(screenshots, "1280_light", full=False)
    visit.switch("dark")
    visit.check(COLOURS)
    visit.picture(screenshots, "1280_dark", full=True)
