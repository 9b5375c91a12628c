"""The digits' page with its model, opened once for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.site.digits.page import FROM_NOISE, HOOK, listen, visit


@pytest.fixture(scope="module")
def loaded(calm: BrowserContext, served: str) -> Iterator[Page]:
    """A page with the model, one for all tests; at the end there must have been no error."""
    page = calm.new_page()
    said = listen(page)
    yield visit(page, served)
    assert said == []


@pytest.fixture
def digits(loaded: Page) -> Page:
    """The same, with the choices of the first scene."""
    loaded.evaluate(f"location.hash = '#{FROM_NOISE}'; dispatchEvent(new PopStateEvent('popstate'))")
    loaded.wait_for_function(f"{HOOK}.idle")
    return loaded
