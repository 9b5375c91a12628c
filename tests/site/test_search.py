"""The search: it finds, and the chapters come before the reference."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.site.pages import built

FOUND = "() => [...document.querySelectorAll('#search-results ul.search li > a')].map((link) => link.pathname)"


@pytest.mark.parametrize("words", ["ddim", "noise schedule", "samplers", "score matching"])
def test_a_chapter_comes_before_the_reference(page: Page, served: str, words: str) -> None:
    built("search")
    page.goto(f"{served}/search.html?q={words.replace(' ', '+')}")
    page.wait_for_function("document.querySelector('#search-results .search-summary')?.textContent.includes('found')")
    found = page.evaluate(FOUND)
    of_reference = [path.startswith("/api") for path in found]
    assert of_reference == sorted(of_reference)
    assert True in of_reference
    assert False in of_reference
