"""The field on its page: scenes, hands, keys, addresses, and that what the page says of its scenes is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.site.field_library import CORRECTIONS, TOLERANCE, error, library_walk, noises, script_walk
from tests.site.pages import Visit
from tests.site.scripts import Scripted, WalkByTab, ask, mathematics

SITE = Path(__file__).resolve().parents[2] / "book" / "_build" / "html"
FIELD = SITE / "playground_field.html"
PATIENCE = 300_000  # milliseconds, on a busy machine
LANGEVIN, LAST_NOISE, SPREAD = "see-langevin-get-the-weights-wrong", "the-last-step-s-noise", "and-the-spread"
GUIDANCE, ONE_STEP, TWO_NAMES = "guidance-overshoots", "one-step-gives-the-mean", "one-step-under-two-names"
SCENES = (LANGEVIN, LAST_NOISE, SPREAD, GUIDANCE, ONE_STEP, TWO_NAMES)
PLAYGROUND = "document.getElementById('field').playground"
FOUND = f"""() => {{
    const told = ({{ found, real, plan, states }}) => (
        {{ found, real, calls: plan.evaluations, end: [...states.at(-1)] }}
    );
    return Object.fromEntries(Object.values({PLAYGROUND}.sides).map(({{ name, film }}) => [name, film && told(film)]));
}}"""
READY = f"""() => {{
    const {{ sides, state }} = {PLAYGROUND} || {{ sides: {{}} }};
    const asked = Object.values(sides).filter(({{ name }}) => state[name]);
    return asked.length > 0 && asked.every(({{ dirty, pending, film }}) => !dirty && !pending && film && film.found);
}}"""


def visit(page: Page, address: str = "", ready: bool = True) -> Page:
    """Open the field at an address, and wait until its walks are done."""
    assert FIELD.exists(), "the site is not built: make book"
    page.set_default_timeout(PATIENCE)
    page.goto("about:blank")
    page.goto(f"{FIELD.as_uri()}{'#' if address else ''}{address}")
    if ready:
        page.wait_for_function(READY)
    return page


def state(page: Page) -> dict[str, Any]:
    return page.evaluate(f"{PLAYGROUND}.state")


def settled(page: Page) -> dict[str, Any]:
    page.wait_for_timeout(50)
    page.wait_for_function(READY)
    return ask(page, FOUND)


@pytest.fixture(scope="module")
def scenes(calm: BrowserContext) -> dict[str, dict[str, Any]]:
    """What each scene comes to: of both choices what was found, beside real data; and its state."""
    page, found = calm.new_page(), {}
    for name in SCENES:
        visit(page, name)
        found[name] = ask(page, FOUND) | {"state": state(page), "address": page.evaluate(f"{PLAYGROUND}.encode()")}
    page.close()
    return found


@pytest.fixture
def field(calm_page: Page) -> Page:
    return visit(calm_page)


def test_the_page_loads_without_an_error_and_asks_nobody(page: Page, outside: list[str]) -> None:
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda wrong: said.append(str(wrong)))
    visit(page, LAST_NOISE)
    assert said == []
    assert outside == []


def test_no_other_page_loads_the_script() -> None:
    loading = [path.name for path in SITE.rglob("*.html") if "playground/field.js" in path.read_text(encoding="utf-8")]
    assert loading == [FIELD.name]


def test_a_scene_is_a_heading_that_other_pages_can_link_to(field: Page) -> None:
    links = field.eval_on_selector_all("#field .scenes a", "links => links.map((link) => link.getAttribute('href'))")
    assert links == [f"#{name}" for name in SCENES]
    field.click(f"#field .scenes a[href='#{ONE_STEP}']")
    assert settled(field)["a"]["calls"] == 1
    assert "Every point lands on the same spot" in field.inner_text("#field .caption")


# What the page says of its scenes ------------------------------------------------------------------------------------


def test_langevin_gets_the_weights_wrong_and_noise_levels_right(scenes: dict[str, Any]) -> None:
    plain, annealed = scenes[LANGEVIN]["a"], scenes[LANGEVIN]["b"]
    assert abs(plain["found"]["shares"][0] - 0.5) < 0.05
    assert abs(annealed["found"]["shares"][0] - 0.8) < 0.04
    assert [plain["calls"], annealed["calls"]] == [1000, 1001]


def test_noise_in_the_last_step_spreads_the_samples(scenes: dict[str, Any]) -> None:
    wrong, right = scenes[LAST_NOISE]["a"]["found"], scenes[LAST_NOISE]["b"]["found"]
    assert 1.45 < wrong["spread"] < 1.7
    assert 1.0 < right["spread"] < 1.1
    assert 1 / 8 < 1 - wrong["good"] < 1 / 5
    assert right["good"] > 0.95


def test_the_noisier_walk_gives_the_narrower_samples(scenes: dict[str, Any]) -> None:
    without, with_noise = scenes[SPREAD]["a"]["found"]["spread"], scenes[SPREAD]["b"]["found"]["spread"]
    assert with_noise < without - 0.03
    assert without < 0.9


def test_guidance_leaves_the_data(scenes: dict[str, Any]) -> None:
    free, guided = scenes[GUIDANCE]["a"]["found"], scenes[GUIDANCE]["b"]["found"]
    assert abs(free["shares"][1] - 0.5) < 0.05
    assert 0.22 < guided["shares"][1] < 0.34
    assert guided["spread"] < free["spread"] - 0.05
    assert guided["good"] < free["good"] - 0.05


def test_one_step_goes_to_the_mean(scenes: dict[str, Any]) -> None:
    scene = scenes[ONE_STEP]
    weights = [m["weight"] for m in scene["state"]["modes"]]
    mean = [sum(m["weight"] * m[axis] for m in scene["state"]["modes"]) / sum(weights) for axis in ("x", "y")]
    end = scene["a"]["end"]
    for axis in (0, 1):
        assert max(end[axis::2]) == pytest.approx(mean[axis], abs=1e-9)
        assert min(end[axis::2]) == pytest.approx(mean[axis], abs=1e-9)
    assert scene["b"]["found"]["covered"] == 3


def test_ddim_and_euler_are_one_step(scenes: dict[str, Any]) -> None:
    pairs = zip(scenes[TWO_NAMES]["a"]["end"], scenes[TWO_NAMES]["b"]["end"], strict=True)
    assert max(abs(one - other) for one, other in pairs) < 1e-12


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("which", ["a", "b"])
def test_from_the_same_noise_a_scene_is_the_librarys(
    scenes: dict[str, Any], scripted: Scripted, name: str, which: str
) -> None:
    chosen = scenes[name]["state"]
    z = noises(1 + (CORRECTIONS + 1) * chosen[which]["steps"], 8)
    with scripted(mathematics("field")) as page:
        found = script_walk(page, chosen[which], chosen["modes"], z)
    pairs = zip(found, library_walk(chosen[which], chosen["modes"], z), strict=True)
    assert max(error(state, wanted) for state, wanted in pairs) < TOLERANCE


@pytest.mark.parametrize("name", SCENES)
def test_real_data_score_what_they_should(scenes: dict[str, Any], name: str) -> None:
    for which in ("a", "b"):
        real = scenes[name][which]["real"]
        assert abs(real["good"] - 0.9889) < 0.011
        assert 0.94 < real["spread"] < 1.04


# Hands and keys ------------------------------------------------------------------------------------------------------


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the plane lies on the screen."""
    box = page.locator("#field .stage.a canvas").bounding_box()
    assert box
    scale = box["height"] / 5.8
    return box["x"] + box["width"] / 2 + x * scale, box["y"] + box["height"] / 2 - y * scale


def drag(page: Page, start: tuple[float, float], *stops: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    for stop in stops:
        page.mouse.move(*place(page, *stop), steps=3)
    page.mouse.up()


def test_a_mode_is_dragged_and_the_samples_follow(field: Page) -> None:
    before = settled(field)["a"]["end"]
    drag(field, (1.0, 0.9), (2.0, -0.1))
    moved = state(field)["modes"][1]
    assert [moved["x"], moved["y"]] == pytest.approx([2.0, -0.1], abs=0.03)
    after = settled(field)["a"]
    assert after["found"]["covered"] == 3
    assert after["end"] != before
    drag(field, (2 + 2 * 0.47 * -0.469, -0.1 + 2 * 0.47 * 0.883), (2.0, 1.1))
    stretched = state(field)["modes"][1]
    assert [stretched["long"], stretched["angle"]] == pytest.approx([0.6, 90], rel=0.05)


def test_a_line_is_drawn_and_becomes_data(field: Page) -> None:
    field.click("text=Draw a line")
    drag(field, (-2, -1), (-1, 1), (0, -1), (1, 1), (2, -1))
    assert state(field)["modes"] == []
    assert len(state(field)["lines"]) == 1
    assert settled(field)["a"]["found"]["good"] > 0.95
    assert "l=" in field.evaluate(f"{PLAYGROUND}.encode()")
    field.click("text=Add a mode")
    assert len(state(field)["modes"]) == 1


def test_a_double_click_adds_a_mode_and_a_button_removes_it(field: Page) -> None:
    field.mouse.dblclick(*place(field, -2.2, 2.0))
    added = state(field)["modes"]
    assert len(added) == 4
    assert [added[3]["x"], added[3]["y"]] == pytest.approx([-2.2, 2.0], abs=0.03)
    field.click("text=Remove it")
    assert len(state(field)["modes"]) == 3


def test_a_finger_drags_a_mode(browser: Browser) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page = visit(context.new_page())
    page.locator("#field .stage.a canvas").scroll_into_view_if_needed()
    touch = context.new_cdp_session(page)

    def send(kind: str, *where: float) -> None:
        points = [{"x": place(page, *where)[0], "y": place(page, *where)[1]}] if where else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    top = page.evaluate("scrollY")
    send("touchStart", 1.0, 0.9)
    for step in range(1, 6):
        send("touchMove", 1.0, 0.9 - 0.2 * step)
    send("touchEnd")
    assert state(page)["modes"][1]["y"] == pytest.approx(-0.1, abs=0.05)
    assert page.evaluate("scrollY") == top
    context.close()


def test_keys_move_weigh_mark_and_play(field: Page) -> None:
    field.focus("#field .stage.a canvas")
    field.keyboard.press("ArrowRight")
    field.keyboard.press("Shift+ArrowUp")
    field.keyboard.press("-")
    first = state(field)["modes"][0]
    assert [first["x"], first["y"], first["weight"]] == pytest.approx([-1.15, -0.15, 0.45])
    field.keyboard.press("]")
    field.keyboard.press("Delete")
    assert len(state(field)["modes"]) == 2
    field.keyboard.press("Space")
    assert field.evaluate(f"{PLAYGROUND}.view.playing")


def test_tab_reaches_everything_and_shows_where_it_is(field: Page, walk_by_tab: WalkByTab) -> None:
    walk_by_tab(field, "#field")


def test_less_motion_waits_and_steps(field: Page) -> None:
    field.wait_for_timeout(300)
    assert field.evaluate(f"{PLAYGROUND}.view.p") == 0
    for _ in range(3):
        field.click("#field button:text-is('Step')")
    assert field.evaluate(f"{PLAYGROUND}.view.p") == pytest.approx(3 / 20)
    field.wait_for_function("document.querySelector('#field .readout').textContent === 't = 0.85'")


def test_motion_runs_to_the_end_pauses_and_is_told(page: Page) -> None:
    visit(page)
    field = page.locator("#field")
    field.get_by_role("button", name="Replay").click()
    field.get_by_role("button", name="Pause").click()
    stood = page.evaluate(f"{PLAYGROUND}.view.p")
    page.wait_for_timeout(200)
    assert page.evaluate(f"{PLAYGROUND}.view.p") == stood
    page.evaluate(f"{PLAYGROUND}.view.p = 0.98")
    field.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("document.querySelector('#field .news').textContent.includes('good samples')")
    assert page.evaluate(f"{PLAYGROUND}.view.p") == 1
    field.get_by_role("button", name="Replay").click()
    page.wait_for_function(f"{PLAYGROUND}.view.p < 0.9")


def test_the_slider_scrubs_both_ways(field: Page) -> None:
    field.locator("#field .transport input").focus()
    field.keyboard.press("End")
    field.wait_for_function("document.querySelector('#field .readout').textContent === 't = 0.00'")
    field.keyboard.press("Home")
    field.wait_for_function("document.querySelector('#field .readout').textContent === 't = 1.00'")


def test_forward_ends_in_noise(field: Page) -> None:
    field.select_option("#field select:has(option[value=forward])", "forward")
    end = settled(field)["a"]["end"]
    assert abs(sum(end) / len(end)) < 0.08
    assert sum(value * value for value in end) / len(end) == pytest.approx(1, abs=0.1)
    assert not field.locator("#field table").is_visible()


# Addresses -----------------------------------------------------------------------------------------------------------


def test_an_address_brings_the_same_scene(scenes: dict[str, Any], calm: BrowserContext) -> None:
    page = calm.new_page()
    for name in (SPREAD, ONE_STEP):
        visit(page, scenes[name]["address"])
        assert ask(page, FOUND)["b"]["end"] == scenes[name]["b"]["end"]
    page.close()


def test_the_address_follows_what_is_changed(field: Page) -> None:
    field.select_option("#field fieldset.a select >> nth=1", "heun")
    field.wait_for_function("location.hash.includes('heun')")
    wanted = settled(field)["a"]["end"]
    again = visit(field.context.new_page(), field.url.split("#")[1])
    assert settled(again)["a"]["end"] == wanted
    again.close()


@pytest.mark.parametrize(
    "address",
    [
        "m=1e999,NaN,-3,0,,zz&a=__proto__,constructor,1e9,-1,7,99",
        "m=&l=1&s=-5&a=,,,,,&b&n=-1",
        "l=0,0;1,1,1,1;9,9,-9,-9,1e300&b=ve,annealed,0",
        "%E0%A4%A",
        "<img src=x onerror=alert(1)>=1",
    ],
)
def test_no_address_breaks_the_page(calm_page: Page, address: str) -> None:
    page, wrong = calm_page, list[str]()
    page.on("pageerror", lambda what: wrong.append(str(what)))
    visit(page, address)
    assert wrong == []
    assert all(0 <= value <= 1 for value in ask(page, FOUND)["a"]["found"]["shares"])
    assert page.locator("#field img").count() == 0


# Looks, and the time that it takes -----------------------------------------------------------------------------------


def test_it_fits_and_is_accessible(calm_page: Page, screenshots: Path) -> None:
    visit(calm_page, GUIDANCE)
    calm_page.locator("#field .transport input").press("End")
    Visit(calm_page, "field").fits("#field", screenshots)


@pytest.mark.parametrize("address", [TWO_NAMES, "s=.05&l=-2,-2,2,-2,2,2,-2,2,-2,-1&a=vp,ancestral,50&b=vp,heun,50"])
def test_a_frame_takes_little_computation(browser: Browser, address: str) -> None:
    """Of the script's own time on the processor, both sides with 2,000 points, from the first frame to the last."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    meter = context.new_cdp_session(page)
    visit(page, address)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})
    frames = f"(count) => new Promise((done) => {{ {PLAYGROUND}.view.p = 0; {PLAYGROUND}.change({{ seed: 5 }});"
    frames += " const next = () => (count-- > 0 ? requestAnimationFrame(next) : done()); next(); })"

    def script() -> float:
        told = {item["name"]: item["value"] for item in meter.send("Performance.getMetrics")["metrics"]}
        return 1000 * float(told["ScriptDuration"])

    page.evaluate(frames, 30)  # until it is compiled
    before = script()
    page.evaluate(frames, 60)
    took = (script() - before) / 60
    context.close()
    assert took < 8, f"{took:.1f} ms a frame"
