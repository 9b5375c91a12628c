"""The digits' page: hands, keys and addresses, and that it fits and can be used by everyone."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Page, expect
from torch import Tensor

from tests.site.digits.page import HALF, HOOK, SETTLED, drawn, images, scene, visit
from tests.site.pages import Visit
from tests.site.scripts import WalkByTab


def sheet(page: Page) -> dict[str, float]:
    page.locator("#digits .pad canvas").scroll_into_view_if_needed()
    box = page.locator("#digits .pad canvas").bounding_box()
    assert box
    return {"x": box["x"], "y": box["y"], "dot": box["width"] / 28}


def known(page: Page) -> Tensor:
    return torch.tensor(page.evaluate(f"[...{HOOK}.pad.known]")).view(28, 28)


def test_one_draws_and_erases_by_mouse_and_shares_it(digits: Page, served: str) -> None:
    at = sheet(digits)
    digits.mouse.move(at["x"] + 8 * at["dot"], at["y"] + 10 * at["dot"])
    digits.mouse.down()
    digits.mouse.move(at["x"] + 20 * at["dot"], at["y"] + 10 * at["dot"], steps=4)
    digits.mouse.up()
    assert known(digits)[10, 8:20].all()
    assert not known(digits)[14:].any()
    end = drawn(digits)
    assert all(value == end["y"][i] for i, value in enumerate(end["end"]) if end["known"][i])
    digits.wait_for_url(re.compile("pad="))
    other = visit(digits.context.new_page(), served, digits.url.split("#")[1])
    assert torch.equal(known(other), known(digits))
    other.close()
    digits.get_by_label("Pen", exact=True).select_option("free")
    digits.mouse.click(at["x"] + 14 * at["dot"], at["y"] + 10 * at["dot"])
    assert not known(digits)[10, 13:15].any()
    digits.get_by_role("button", name="Clear").click()
    assert not known(digits).any()
    digits.get_by_label("Pen", exact=True).select_option("ink")


def test_a_digit_is_taken_and_a_part_of_it_erased(digits: Page) -> None:
    end = drawn(digits)["end"]
    digits.get_by_role("button", name="Take the digit").click()
    assert known(digits).all()
    taken = images(digits.evaluate(f"[...{HOOK}.pad.y]"))
    assert float((taken - images(end).clamp(-1, 1)).abs().max()) < 1 / 14
    expect(digits.get_by_label("Pen", exact=True)).to_have_value("free")
    at = sheet(digits)
    digits.mouse.click(at["x"] + 5 * at["dot"], at["y"] + 5 * at["dot"])
    assert 0 < int((1 - known(digits)).sum()) < 40
    digits.get_by_role("button", name="Clear").click()
    digits.get_by_label("Pen", exact=True).select_option("ink")


def test_one_draws_by_keyboard(digits: Page) -> None:
    digits.locator("#digits .pad canvas").focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "ArrowDown", "Space"):
        digits.keyboard.press(key)
    assert known(digits)[14, 14] == 1
    assert known(digits)[15, 16] == 1
    digits.get_by_role("button", name="Clear").click()


def test_one_draws_by_touch_without_moving_the_page(browser: Browser, served: str) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page = visit(context.new_page(), served)
    at, top = sheet(page), page.evaluate("scrollY")
    page.touchscreen.tap(at["x"] + 14 * at["dot"], at["y"] + 7 * at["dot"])
    assert known(page)[7, 14] == 1
    assert page.evaluate("scrollY") == top
    context.close()


def test_steps_and_the_slider_look_at_the_walk(digits: Page) -> None:
    assert digits.evaluate(f"{HOOK}.run.frames.length") == 1  # with less motion it waits
    for _ in range(2):
        digits.get_by_role("button", name="Step").click()
        digits.wait_for_function(f"{HOOK}.idle")
    expect(digits.locator("#digits .readout")).to_have_text("step 2 of 15")
    digits.get_by_label("Look back").focus()
    digits.keyboard.press("Home")
    expect(digits.locator("#digits .readout")).to_have_text("step 0 of 15")
    expect(digits.locator("#digits .state figcaption")).to_contain_text("t = 1.00, σ = 1.00")
    drawn(digits)
    expect(digits.locator("#digits .news")).to_contain_text("A 3 in 15 steps: 15 calls of the network")


def test_a_choice_beside_becomes_the_readers(digits: Page) -> None:
    found = scene(digits, "digit=3&beside=seeds&steps=3")
    digits.get_by_role("button", name="seed 4").click()
    digits.wait_for_url(re.compile("seed=4"))
    again = drawn(digits)
    assert again["state"]["seed"] == 4
    wanted = images(found["row"])[3]
    assert float((images(again["end"])[0] - wanted).abs().max()) < 1e-4


def test_motion_begins_by_itself_and_can_be_paused(browser: Browser, served: str) -> None:
    context = browser.new_context()
    page = visit(context.new_page(), served, "digit=5&steps=100", load=False)
    page.get_by_role("button", name="Load the model").click()
    page.wait_for_function(f"{HOOK}.run && {HOOK}.run.frames.length > 2")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function(f"{HOOK}.idle")
    stood = page.evaluate(f"{HOOK}.run.frames.length")
    page.wait_for_timeout(300)
    assert page.evaluate(f"{HOOK}.run.frames.length") == stood < 101
    page.get_by_label("Steps").fill("1")
    page.wait_for_function(SETTLED)  # a new choice is drawn by itself; a button pressed meanwhile would pause it
    page.get_by_role("button", name="Draw").click()
    page.wait_for_function(SETTLED)
    context.close()


@pytest.mark.parametrize(
    "address",
    ["digit=1e9&w=NaN&steps=-3&seed=1e300&repeats=x", "pad=&beside=__proto__&sampler=constructor", "pad=%00<b>"],
)
def test_no_address_breaks_the_page(digits: Page, address: str) -> None:
    found = scene(digits, address)
    assert all(math.isfinite(value) for value in found["end"])


def test_tab_reaches_everything_before_and_after_loading(
    calm: BrowserContext, loaded: Page, served: str, walk_by_tab: WalkByTab
) -> None:
    page = visit(calm.new_page(), served, load=False)
    walk_by_tab(page, "#digits")
    page.close()
    scene(loaded, HALF)
    walk_by_tab(loaded, "#digits")


@pytest.mark.parametrize("load", [False, True])
def test_it_fits_and_is_accessible(calm_page: Page, served: str, screenshots: Path, load: bool) -> None:
    visit(calm_page, served, load=load)
    if load:
        scene(calm_page, HALF)
    Visit(calm_page, "digits" if load else "digits-before").fits("#digits", screenshots)
