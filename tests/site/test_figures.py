"""A figure stands on the page's own colour, in light and in dark."""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.site.pages import built

CHAPTER = "notebooks/05_ncsn"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_stands_on_the_pages_own_colour(calm_page: Page, theme: Literal["light", "dark"]) -> None:
    calm_page.emulate_media(color_scheme=theme)
    calm_page.goto(built(CHAPTER).as_uri())
    figure = calm_page.locator(".cell_output img").first
    figure.scroll_into_view_if_needed()
    calm_page.wait_for_function("document.querySelector('.cell_output img').complete")
    box = figure.bounding_box()
    assert box
    with Image.open(BytesIO(calm_page.screenshot())) as picture:
        own, around = (picture.convert("RGB").getpixel((box["x"] + dx, box["y"] + 3)) for dx in (3, -6))
    assert isinstance(own, tuple)
    assert own == around
    assert (max(own) < 40) == (theme == "dark")
