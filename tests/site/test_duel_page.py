"""The duel's page: it trains, draws, listens and shares as it says, by mouse, touch and keyboard, in light and dark."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from diffusion_teach.studies import duel2d

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "book" / "assets"
TEXT = (ROOT / "book" / "playground_duel.md").read_text(encoding="utf-8")
PATIENCE = 120_000  # ms; a machine may be busy
THEME = """
  :root {
    --pst-color-text-base: #222832; --pst-color-surface: #f3f4f5; --pst-color-border: #c9c9c9;
    --pst-color-background: #fff; background: #fff;
  }
  [data-theme=dark] {
    --pst-color-text-base: #ced6dd; --pst-color-surface: #29313d; --pst-color-border: #48566b;
    --pst-color-background: #14181e; background: #14181e;
  }
  body { color: var(--pst-color-text-base); font-family: sans-serif; margin: auto; max-width: 44rem; padding: 0.8rem; }
  a { color: inherit; }
"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The playground without the theme around it, from a file, as a reader may open it."""
    scripts = "".join(
        f'<script defer src="{(ASSETS / "playground" / name).as_uri()}"></script>'
        for name in ("duel_math.js", "duel.js")
    )
    links = " ".join(re.findall(r"<a href=\"#.*?</a>", TEXT))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The duel</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{THEME}</style>"
        f'<link rel="stylesheet" href="{(ASSETS / "playground" / "duel.css").as_uri()}">{scripts}</head>'
        f'<body><main><h1>The duel</h1><div id="duel" class="duel"></div><p>{links}</p></main></body></html>'
    )
    path = tmp_path_factory.mktemp("duel") / "page.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_(context: BrowserContext, address: str, outside: list[str]) -> Iterator[Open]:
    """Open the page at an address; at the end there must have been no error and no request to another host."""
    errors: list[str] = []

    def go(hash_: str = "", *, motion: bool = False) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None
        )
        page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
        page.goto(address + hash_)
        return page

    yield go
    assert errors == []
    assert outside == []


def until(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {{ const duel = document.getElementById('duel').duel; return {condition}; }}")


def of(page: Page, expression: str) -> Any:
    return page.evaluate(f"() => {{ const duel = document.getElementById('duel').duel; return {expression}; }}")


def test_it_begins_by_itself_and_can_be_paused(open_: Open) -> None:
    page = open_("#plain", motion=True)
    until(page, "duel.match.done >= 2")
    page.get_by_role("button", name="Pause").click()
    until(page, "!duel.running")
    expect(page.get_by_role("button", name="Train")).to_be_visible()
    done = of(page, "duel.match.done")
    page.wait_for_timeout(300)
    assert of(page, "duel.match.done") == done


def test_without_motion_it_waits_and_goes_step_by_step(open_: Open) -> None:
    page = open_("#plain")
    until(page, "duel.looks.length === 1")
    assert of(page, "[duel.running, duel.match.done]") == [False, 0]
    page.get_by_role("button", name="Step").click()
    until(page, "duel.looks.length === 2")
    assert of(page, "[duel.running, duel.match.done]") == [False, 20]
    page.get_by_label("Look back").fill("0")
    assert of(page, "duel.look().step") == 0
    assert "step 0" in (page.locator(".duel .when").text_content() or "")


def test_a_step_that_comes_before_the_first_look_is_not_lost(open_: Open) -> None:
    page = open_("#plain")
    page.evaluate(
        """() => {
          const seed = document.querySelector("[name=seed]");
          seed.value = "1";
          seed.dispatchEvent(new Event("change", { bubbles: true }));
          document.querySelector(".step").click();
        }"""
    )
    until(page, "duel.looks.length === 2 && duel.match.seed === 1")


def test_frames_do_not_change_the_numbers(open_: Open) -> None:
    page = open_("#data=moons&game=relativistic&on=1&seed=3")
    until(page, "duel.looks.length === 1")
    page.get_by_role("button", name="Step").click()
    until(page, "duel.looks.length === 2")
    apart = of(
        page,
        """(() => {
          const data = Duel.unitSpread(Duel.twoMoons());
          const match = new Duel.Match({ data, game: "relativistic", gamma: 0.1, seed: 3 });
          while (match.done < 20) for (const _ of match.step());
          let it = match.look(250), at = it.next();
          while (!at.done) at = it.next();
          const { samples } = duel.look(), other = at.value.samples;
          const apart = (name) => Math.max(...samples[name].map((x, k) => Math.abs(x - other[name][k])));
          return ["gan", "diffusion"].map(apart);
        })()""",
    )
    assert apart == [0, 0]


def test_one_button_adds_the_penalties_to_the_same_start(open_: Open) -> None:
    page = open_("#plain")
    until(page, "duel.looks.length === 1")
    before = of(page, "[duel.match.gamma, ...duel.match.G.theta.slice(0, 9), ...duel.look().samples.gan.slice(0, 9)]")
    button = page.get_by_role("button", name="Add R₁ + R₂")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(page.get_by_role("button", name="R₁ + R₂ is on")).to_have_attribute("aria-pressed", "true")
    until(page, "duel.looks.length === 1")
    after = of(page, "[duel.match.gamma, ...duel.match.G.theta.slice(0, 9), ...duel.look().samples.gan.slice(0, 9)]")
    assert (before[0], after[0]) == (0, 0.1)
    assert before[1:] == after[1:]
    page.get_by_role("button", name="Step").click()
    until(page, "duel.match.last && duel.match.last.penalty > 0")
    page.get_by_label("γ of R₁ + R₂").select_option("0.5")
    assert of(page, "duel.match.gamma") == 0.5
    assert "on=1" in page.url
    assert "gamma=0.5" in page.url


def test_an_address_holds_every_choice(open_: Open) -> None:
    page = open_("#plain")
    chosen = {
        "data": "spiral",
        "input": "raw",
        "game": "relativistic",
        "gamma": "0.02",
        "gan": "0.004",
        "diffusion": "0.032",
    }
    for name, value in {**chosen, "steps": "400", "seed": "7"}.items():
        page.locator(f"[name={name}]").select_option(value)
    page.get_by_role("button", name="Add R₁ + R₂").click()
    other = open_(page.url[page.url.index("#") :])
    wanted = ["relativistic", 0.02, 0.004, 0.032, 400, 7, 0]
    for one in (page, other):
        names = ["game", "gamma", "lrGAN", "lrDiffusion", "steps", "seed", "octaves"]
        found = of(one, f"{names}.map((name) => duel.match[name])")
        assert found == wanted


@pytest.mark.parametrize(
    "hash_", ["#nothing", "#data=fog", "#data=ring&steps=1e9&seed=-1&draw=<b>&game=chess&gamma=1e9"]
)
def test_an_address_that_makes_no_sense_opens_the_first_scene(open_: Open, hash_: str) -> None:
    page = open_(hash_)
    assert of(page, "[duel.match.steps, duel.match.seed, duel.match.game, duel.match.gamma]") == [
        800,
        0,
        "non-saturating",
        0,
    ]


def test_every_scene_of_the_text_opens(open_: Open) -> None:
    page = open_("#plain")
    links = re.findall(r"<a href=\"#(\w+)\"", TEXT)
    assert sorted(set(links)) == sorted(
        set(page.locator(".scenes a").evaluate_all("all => all.map((a) => a.hash.slice(1))"))
    )
    found = {}
    for name in links:
        page.locator(f"main > p a[href='#{name}']").click()
        found[name] = of(page, "[duel.match.gamma ?? 0, duel.match.octaves ?? 5, duel.match.data.means.length / 2]")
        assert page.url.endswith(f"#{name}")
        expect(page.locator(".scenes a[aria-current]")).to_have_attribute("href", f"#{name}")
    assert found == {
        "plain": [0, 5, 8],
        "mended": [0.1, 5, 8],
        "raw": [0, 0, 8],
        "spiral": [0.1, 5, 239],
        "draw": [0, 5, 0],
    }


def test_one_draws_by_mouse_and_shares_the_drawing(open_: Open) -> None:
    page = open_("#draw")
    assert of(page, "duel.match.data.means.length") == 0
    panel = page.locator(".data canvas").bounding_box()
    assert panel is not None
    left, top, size = panel["x"], panel["y"], panel["width"]
    page.mouse.move(left + 0.25 * size, top + 0.5 * size)
    page.mouse.down()
    page.mouse.move(left + 0.75 * size, top + 0.5 * size, steps=4)
    page.mouse.up()
    means = of(
        page, "(({ means, scale, centre }) => [...means].map((x, k) => x / scale + centre[k % 2]))(duel.match.data)"
    )
    xs, ys = means[::2], means[1::2]
    assert len(xs) == pytest.approx(1 / 0.03, abs=4)
    assert (min(xs), max(xs)) == pytest.approx((-0.5, 0.5), abs=0.05)
    assert all(abs(y) < 0.03 for y in ys)
    other = open_(page.url[page.url.index("#") :])
    assert of(other, "[...duel.match.data.means]") == of(page, "[...duel.match.data.means]")
    other.close()  # a page behind another has few frames
    page.get_by_role("button", name="Step").click()
    until(page, "duel.looks.length >= 2")
    page.get_by_role("button", name="Clear").click()
    assert of(page, "duel.match.data.means.length") == 0


def test_one_draws_by_keyboard(open_: Open) -> None:
    page = open_("#draw")
    page.locator(".data canvas").focus()
    for key in ("Space", "ArrowRight", "ArrowUp", "Space", "ArrowLeft", "Space", "Backspace"):
        page.keyboard.press(key)
    assert of(page, "duel.match.data.means.length / 2") == 2
    expect(page.get_by_role("status")).to_have_text("2 spots.")


def test_one_draws_by_touch(browser: Browser, address: str) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address + "#draw")
    panel = page.locator(".data canvas").bounding_box()
    assert panel is not None
    for share in (0.3, 0.6):
        page.touchscreen.tap(panel["x"] + share * panel["width"], panel["y"] + 0.5 * panel["height"])
    assert of(page, "duel.match.data.means.length / 2") == 2
    context.close()


def test_the_keyboard_reaches_every_control(open_: Open) -> None:
    page = open_("#draw")
    wanted = page.locator(".duel").evaluate(
        "root => [...root.querySelectorAll('a, button, select, input')].filter((e) => e.offsetParent).length + 1"
    )
    reached = set()
    for _ in range(wanted + 3):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("() => [...document.querySelectorAll('.duel *')].indexOf(document.activeElement)"),
        )
        shown = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none"
    assert len(reached - {-1}) == wanted


def test_it_fits_from_360_pixels_on_and_is_accessible_in_light_and_dark(open_: Open) -> None:
    page = open_("#mended")
    until(page, "duel.looks.length === 1")
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        for width in (360, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options={"preload": False}).response["violations"]
        assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_no_rate_that_the_book_has_tried_saves_the_plain_game() -> None:
    trials = duel2d.results()["fourier"]["ring"]["GAN"]
    assert len(trials) == 6
    assert all(min(trial["members_covered"]) < 8 for trial in trials)


OUTCOMES = {  # modes of the GAN at least and at most, of the diffusion model at least, of real points
    "plain": (1, 5, 8, 8),
    "mended": (8, 8, 8, 8),
    "raw": (6, 8, 0, 8),
    "spiral": (230, 239, 230, 239),
    "data=spiral": (1, 225, 230, 239),
    "data=ring&game=relativistic&on=1": (7, 8, 8, 8),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_scenes_end_as_the_text_says(open_: Open, name: str) -> None:
    """Trained without frames, as the page's own run is: the modes of the GAN, and who has more good samples."""
    least, most, regression, all_ = OUTCOMES[name]
    page = open_(f"#{name}")
    found = of(
        page,
        """(() => {
          const { match } = duel;
          while (match.done < match.steps) for (const _ of match.step());
          let it = match.look(2500), at = it.next();
          while (!at.done) at = it.next();
          return { ...at.value.scores, loss: match.last.discriminator };
        })()""",
    )
    gan, diffusion = found["gan"], found["diffusion"]
    assert least <= gan["covered"] <= most
    assert diffusion["covered"] >= regression
    assert found["data"]["covered"] == all_
    if name == "plain":
        assert found["loss"] < 0.8
    if name == "mended":
        assert diffusion["highQuality"] > 2 * gan["highQuality"]
        assert found["loss"] == pytest.approx(math.log(4), abs=0.15)
    if "relativistic" in name:
        assert found["loss"] == pytest.approx(math.log(2), abs=0.1)
    if name == "raw":
        assert gan["highQuality"] > 2 * diffusion["highQuality"]
    if name == "spiral":
        assert 0.87 < gan["highQuality"] < 0.96
        assert 0.65 < diffusion["highQuality"] < 0.77
