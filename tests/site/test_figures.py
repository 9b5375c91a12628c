"""Figures in the dark: the card behind one is as light as the figure, so that it has no frame of another colour."""

from __future__ import annotations

import re

from PIL import Image
from playwright.sync_api import Page

from tests.site.pages import built

CHAPTER = "notebooks/05_ncsn"


def test_a_figures_card_has_the_figures_own_colour(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(built(CHAPTER).as_uri())
    figure = page.locator(".cell_output img").first
    card = figure.evaluate("(picture) => getComputedStyle(picture).backgroundColor")
    with Image.open(built(CHAPTER).parent / (figure.get_attribute("src") or "")) as picture:
        assert tuple(map(int, re.findall(r"\d+", card))) == picture.convert("RGB").getpixel((0, 0))
