"""Every page on a phone, from its file: loaded in light, then in dark."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.site.pages import LAYOUT, Visit, built, every_page


@every_page
def test_on_a_phone(page: Page, name: str, outside: list[str], screenshots: Path) -> None:
    visit = Visit(page, name, outside)
    visit.open(built(name).as_uri(), 360, "light")
    visit.check(LAYOUT)
    visit.weigh()
    visit.picture(screenshots, "360_light", full=True)
    visit.switch("dark")
    visit.check()
    visit.picture(screenshots, "360_dark", full=False)
