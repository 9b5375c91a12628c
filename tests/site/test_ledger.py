"""The ledger: folded by chapter, with menus by fact, kind and verdict; all of it there without a script, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from diffusion_teach import claims
from tests.site.pages import built
from tests.site.scripts import WalkByTab

ROWS = "[...document.querySelectorAll('tr:has(.claim)')].filter((row) => row.checkVisibility())"
SEEN = f"{ROWS}.map((row) => [...row.querySelector('.claim').classList])"


@pytest.fixture
def ledger(page: Page) -> Page:
    page.goto(built("ledger").as_uri())
    return page


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """The page of a reader whose browser runs no script."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(built("ledger").as_uri())
    yield page
    context.close()


def test_without_a_script_every_chapter_unfolds(plain: Page) -> None:
    expect(plain.locator("#ledger-filter > *")).to_have_count(0)
    expect(plain.locator("tr:has(.claim.live):visible, tr:has(.claim.stored):visible")).to_have_count(0)
    for fold in plain.locator("details.chapter-claims > summary").all():
        fold.click()
    expect(plain.locator("tr:has(.claim:not(.cited)):visible")).to_have_count(len(claims.TABLE))


def test_the_menus_show_what_is_asked_for_and_no_more(ledger: Page) -> None:
    ledger.get_by_label("Fact", exact=False).select_option("3")
    wanted = sum(3 in claim.facts for claim in claims.TABLE.values())
    assert 0 < wanted < len(claims.TABLE)
    cited = ledger.locator("tr:has(.claim.cited.fact-3)").count()
    found = ledger.evaluate(SEEN)
    assert len(found) == wanted + cited
    assert all("fact-3" in names for names in found)
    ledger.get_by_label("Kind").select_option("stored")
    stored = [claim for claim in claims.TABLE.values() if claim.stored]
    ledger.get_by_label("Fact").select_option("")
    assert len(ledger.evaluate(SEEN)) == len(stored) > 0
    expect(ledger.get_by_role("status").first).to_contain_text(f"{len(stored)} of ")
    ledger.get_by_label("Kind").select_option("cited")
    assert {tuple(names[:3]) for names in ledger.evaluate(SEEN)} == {("claim", "cited", "not-run")}
    assert ledger.locator("details.chapter-claims:visible").count() == 0
    ledger.get_by_label("Verdict").select_option("holds")
    assert ledger.evaluate(SEEN) == []
    expect(ledger.get_by_role("status").first).to_contain_text("None of ")
    ledger.get_by_role("button", name="All claims").click()
    assert all("cited" in names for names in ledger.evaluate(SEEN))  # the chapters are folded again
    ledger.get_by_role("button", name="Unfold").click()
    assert len(ledger.evaluate(SEEN)) > len(claims.TABLE)


def test_the_address_keeps_what_is_asked_for(ledger: Page) -> None:
    ledger.get_by_label("Fact").select_option("5")
    ledger.get_by_label("Kind").select_option("live")
    assert ledger.url.endswith("#fact=5&kind=live")
    seen = ledger.evaluate(SEEN)
    ledger.reload()
    expect(ledger.get_by_label("Fact")).to_have_value("5")
    assert ledger.evaluate(SEEN) == seen != []
    ledger.evaluate("location.hash = '#fact=99&kind=constructor&verdict=holds'")
    ledger.wait_for_function("document.querySelector('[name=fact]').value === ''")
    expect(ledger.get_by_label("Verdict")).to_have_value("holds")


def test_by_keys_one_reaches_the_menus_and_changes_them(ledger: Page, walk_by_tab: WalkByTab) -> None:
    walk_by_tab(ledger, "#ledger-filter")
    ledger.get_by_label("Verdict").focus()
    ledger.keyboard.press("ArrowDown")
    expect(ledger.get_by_label("Verdict")).to_have_value("holds")
    assert all("holds" in names for names in ledger.evaluate(SEEN))
