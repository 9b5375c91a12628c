"""Animations: they play by themselves, can be paused, wound and played again, by mouse and by keys, and stand still for
who has asked for less motion. And whoever goes through a page by keys sees where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.site.pages import built, names

FOCUS = "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"


def with_animations() -> list[str]:
    """The pages that have one."""
    return [name for name in names() if '<span class="animation"' in built(name).read_text(encoding="utf-8")]


every_page_with_one = pytest.mark.parametrize("name", with_animations() or ["index"])


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """The page of a reader whose browser runs no script."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def animation(page: Page, name: str) -> Locator:
    page.goto(built(name).as_uri())
    box = page.locator(".animation").first
    box.scroll_into_view_if_needed()
    return box


def frame(box: Locator) -> str:
    return str(box.locator("img").evaluate("(picture) => picture.currentSrc")).rsplit("/", 1)[-1]


@every_page_with_one
def test_it_plays_by_itself_and_its_button_stops_and_starts_it(page: Page, name: str) -> None:
    box = animation(page, name)
    button, slider = box.get_by_role("button"), box.get_by_role("slider")
    expect(button).to_have_text("Pause")
    assert frame(box).endswith(".png")
    button.click()
    expect(button).to_have_text("Replay")
    last = int(box.get_attribute("data-last") or -1)
    assert frame(box) == f"{last:03d}.webp"
    button.click()
    expect(button).to_have_text("Pause")
    page.wait_for_function("document.querySelector('.animation input').value > 2")
    button.click()
    expect(button).to_have_text("Play")
    stood = slider.input_value()
    page.wait_for_timeout(400)
    assert slider.input_value() == stood
    assert frame(box) == f"{int(stood):03d}.webp"


@every_page_with_one
def test_by_keys_one_winds_it_and_sees_where_one_is(page: Page, name: str) -> None:
    box = animation(page, name)
    button, slider = box.get_by_role("button"), box.get_by_role("slider")
    box.locator("a.full-size").focus()
    for tag in ("BUTTON", "INPUT"):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS) == [tag, "solid"]
    page.keyboard.press("Home")
    first = int(box.get_attribute("data-first") or -1)
    expect(slider).to_have_value(str(first))
    assert frame(box) == f"{first:03d}.webp"
    page.keyboard.press("ArrowRight")
    assert frame(box) == f"{first + 1:03d}.webp"
    expect(button).to_have_text("Play")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(button).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(button).to_have_text("Play")


@every_page_with_one
def test_with_less_motion_it_stands_still_until_it_is_asked(calm_page: Page, name: str) -> None:
    box = animation(calm_page, name)
    expect(box.get_by_role("button")).to_have_text("Play")
    assert re.fullmatch(r"\d{3}\.webp", frame(box))
    box.get_by_role("button").click()
    expect(box.get_by_role("button")).to_have_text("Pause")


def test_without_a_script_the_picture_is_there_and_no_button(plain: Page) -> None:
    box = animation(plain, with_animations()[0])
    expect(box.locator("img")).to_be_visible()
    expect(box.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["index", *with_animations()[:1]])
def test_whoever_goes_by_keys_sees_where_they_are(calm_page: Page, name: str, width: int) -> None:
    """The first forty places that the Tab key comes to, and all buttons over the text."""
    calm_page.set_viewport_size({"width": width, "height": 900})
    calm_page.goto(built(name).as_uri())
    for _ in range(40):
        calm_page.keyboard.press("Tab")
        seen = calm_page.evaluate(
            """() => {
                const place = document.activeElement, style = getComputedStyle(place);
                return place === document.body || style.outlineStyle !== "none" || style.boxShadow !== "none"
                    || place.outerHTML.slice(0, 160);
            }"""
        )
        assert seen is True
    for button in calm_page.locator(".article-header-buttons .btn:visible").all():
        button.focus()
        assert button.evaluate("(place) => getComputedStyle(place).outlineStyle") == "solid"
