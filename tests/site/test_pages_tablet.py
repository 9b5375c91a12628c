"""Every page on a tablet, from its file: loaded in dark, then in light."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.site.pages import LAYOUT, Visit, built, every_page


@every_page
def test_on_a_tablet(page: Page, name: str, outside: list[str], screenshots: Path) -> None:
    visit = Visit(page, name, outside)
    visit.open(built(name).as_uri(), 768, "dark")
    visit.check(LAYOUT)
    visit.picture(screenshots, "768_dark", full=False)
    visit.switch("light")
    visit.check()
    visit.picture(screenshots, "768_light", full=False)
