"""The digits' page: what it loads and when, that its digits are the library's, what it says, and hands and keys."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from torch import Tensor

from diffusion_teach import checkpoints, samplers
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser, Guided, Learned
from tests.site.scripts import PLAYGROUND as SCRIPTS
from tests.site.scripts import SITE, WalkByTab

PAGE = "playground_digits.html"
PATIENCE = 300_000  # ms; a machine may be busy
PROMISED = 1e-3
FROM_NOISE, FEW, GUIDED, HALF, DRAW = SCENES = (
    "a-digit-from-noise",
    "two-steps-are-too-few",
    "guidance-makes-plain-digits",
    "one-half-ten-digits",
    "draw-your-own",
)
HOOK = "document.getElementById('digits').playground"
SETTLED = f"""() => {{
    const {{ idle, run, row, state, running }} = {HOOK};
    return idle && !running && run.frames.length === run.whole
        && (state.beside === "none" || (row && row.frames.length === row.whole));
}}"""
VENDOR = SCRIPTS.parent / "vendor" / "onnxruntime-web"


def card() -> dict[str, Any]:
    """What the page knows of its files."""
    text = (SCRIPTS / "digits_files.js").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return found


def listen(page: Page) -> list[str]:
    """Errors and warnings, as they come."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    return said


def visit(page: Page, address: str, hash_: str = "", *, load: bool = True) -> Page:
    assert (SITE / PAGE).exists(), "the site is not built: make book"
    page.set_default_timeout(PATIENCE)
    page.goto("about:blank")
    page.goto(f"{address}/{PAGE}{'#' if hash_ else ''}{hash_}")
    if load:
        page.get_by_role("button", name="Load the model").click()
        page.wait_for_function(f"{HOOK}.idle")
    return page


def drawn(page: Page) -> dict[str, Any]:
    """Let the walk come to its end, and see what was drawn, of the reader and beside it."""
    page.get_by_role("button", name="Again").click()
    page.wait_for_function(SETTLED)
    return page.evaluate(
        f"""() => {{
            const {{ run, row, pad, state }} = {HOOK}, last = (walk) => walk && [...walk.frames.at(-1).x];
            const {{ y, known }} = pad, guesses = run.frames.map(({{ x0 }}) => [...x0]);
            const lengths = run.frames.slice(0, -1).map(({{ norm, sigma }}) => (norm * sigma) / 28);
            const shown = {{ end: last(run), row: last(row), guesses, lengths }};
            return {{ ...shown, y: [...y], known: [...known], state: {{ ...state }} }};
        }}"""
    )


def scene(page: Page, name: str) -> dict[str, Any]:
    page.evaluate(f"location.hash = '#{name}'; dispatchEvent(new PopStateEvent('popstate'))")
    return drawn(page)


def images(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 28, 28)


def alike(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten().double(), other.flatten().double()]))[0, 1])


@pytest.fixture(scope="module")
def calm(browser: Browser) -> Iterator[BrowserContext]:
    """A reader who has asked for less motion, so that nothing moves unless a test moves it."""
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 1000})
    yield context
    context.close()


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


@pytest.fixture(scope="module")
def model() -> Learned:
    found = checkpoints.model("ddpm-mnist-conditional")
    assert isinstance(found, Learned)
    return found


# What is loaded, and when --------------------------------------------------------------------------------------------


def test_the_files_are_those_that_the_card_names() -> None:
    found = card()
    assert found["weights"] == checkpoints.card(found["checkpoint"])["sha256"], "a newer checkpoint: make page-model"
    files = {name: SCRIPTS / file["path"] for name, file in found["files"].items()}
    assert {name: file["bytes"] for name, file in found["files"].items()} == {
        name: path.stat().st_size for name, path in files.items()
    }
    assert hashlib.sha256(files["network"].read_bytes()).hexdigest() == found["sha256"]


def test_the_engine_is_the_one_that_its_page_names() -> None:
    said = (VENDOR / "README.md").read_text(encoding="utf-8")
    wasm = (VENDOR / "ort-wasm-simd-threaded.wasm.gz").read_bytes()
    engine = (VENDOR / "ort.wasm.bundle.min.mjs").read_bytes()
    for content in (engine, wasm, gzip.decompress(wasm)):
        assert hashlib.sha256(content).hexdigest() in said
    assert b"1.30.0" in engine
    assert "1.30.0" in said


@pytest.mark.parametrize("name", ["playground_digits.md", "playgrounds.md"])
def test_the_text_says_how_much_is_loaded(name: str) -> None:
    size = sum(file["bytes"] for file in card()["files"].values())
    assert f"{size / 1e6:.1f} MB" in (SCRIPTS.parents[1] / name).read_text(encoding="utf-8")


def test_nothing_is_loaded_before_the_reader_asks(context: BrowserContext, outside: list[str], served: str) -> None:
    page, asked = context.new_page(), []
    said = listen(page)

    def note(request: Request) -> None:
        asked.append(request.url.split("/")[-1].split("?")[0])

    page.on("request", note)
    page.emulate_media(reduced_motion="reduce")
    visit(page, served, load=False)
    page.wait_for_load_state("networkidle")
    heavy = [Path(file["path"]).name for file in card()["files"].values()]
    assert not set(heavy) & set(asked)
    button = page.get_by_role("button", name="Load the model")
    expect(button).to_have_text("Load the model: 6.9 MB")
    button.click()
    page.wait_for_function(f"{HOOK}.idle && {HOOK}.run.frames.length === 1")
    assert sorted(name for name in asked if name in heavy) == sorted(heavy)
    expect(page.get_by_role("button", name="Draw")).to_be_focused()
    assert outside == []
    assert said == []


def test_from_a_file_it_says_that_it_needs_a_server(context: BrowserContext, outside: list[str]) -> None:
    page = context.new_page()
    said = listen(page)
    page.goto((SITE / PAGE).as_uri())
    expect(page.locator("#digits .load")).to_contain_text("python -m http.server --directory book/_build/html")
    assert page.get_by_role("button", name="Load the model").count() == 0
    assert said == outside == []


def test_what_does_not_come_is_said_and_can_be_tried_again(context: BrowserContext, served: str) -> None:
    """The second time from a server that unpacks the engine by itself."""
    page, failures = context.new_page(), iter([True, False])
    page.emulate_media(reduced_motion="reduce")

    def network(route: Route) -> None:
        if next(failures):
            route.fulfill(status=503)
        else:
            route.continue_()

    page.route("**/*.onnx", network)
    content = gzip.decompress((VENDOR / "ort-wasm-simd-threaded.wasm.gz").read_bytes())
    page.route("**/*.wasm.gz", lambda route: route.fulfill(body=content))
    visit(page, served, load=False)
    page.get_by_role("button", name="Load the model").click()
    expect(page.locator("#digits .load")).to_contain_text("could not be loaded")
    expect(page.locator("#digits .load")).to_contain_text("503")
    page.get_by_role("button", name="Load the model").click()
    page.wait_for_function(f"{HOOK}.idle && {HOOK}.run.frames.length === 1")


# The digits are the library's ----------------------------------------------------------------------------------------

WALK = f"""async ({{ labels, w, sampler, steps, z, paint }}) => {{
    const {{ model }} = {HOOK}, times = Digits.logisticGrid(model.schedule, steps), states = [];
    const draws = z.map((row) => Float64Array.from(row)), like = new Float64Array(784 * labels.length);
    const tiled = (of) => like.map((_, i) => of[i % 784]);
    const known = paint && {{ ...paint, y: tiled(paint.y), known: tiled(paint.known) }};
    const walk = Digits.walk(model, {{ labels, w, sampler }}, times, like, () => draws.shift(), known);
    for await (const {{ x }} of walk) states.push([...x]);
    return states;
}}"""


def library_denoiser(model: Learned, labels: list[int], w: float) -> Denoiser:
    towards = model.given(torch.tensor(labels))
    return Guided(towards, model, w) if w else towards


@pytest.mark.parametrize(
    ("labels", "w", "sampler", "steps"),
    [
        ([3], 0.0, "sde-dpm-solver", 15),
        ([0, 4, 8], 0.0, "dpm-solver", 15),
        ([7], 4.0, "sde-dpm-solver", 15),
        ([10, 10], 0.0, "ancestral", 10),
        ([5, 9], 2.0, "ddim", 25),
    ],
)
def test_from_the_same_noise_a_digit_is_the_librarys(
    loaded: Page, model: Learned, labels: list[int], w: float, sampler: str, steps: int
) -> None:
    z = torch.randn(steps + 1, len(labels), 1, 28, 28, generator=torch.Generator().manual_seed(steps))
    asked = {"labels": labels, "w": w, "sampler": sampler, "steps": steps, "z": z.view(steps + 1, -1).tolist()}
    found = loaded.evaluate(WALK, asked | {"paint": None})
    step = {
        "sde-dpm-solver": samplers.sde_dpm_solver,
        "dpm-solver": samplers.dpm_solver,
        "ancestral": samplers.ancestral,
        "ddim": samplers.ddim(0.0),
    }[sampler]
    draws, times = iter(z), samplers.time_grid(model.schedule, steps, spacing="logistic")
    start = float(model.schedule.sigma(times[0])) * next(draws)
    denoiser = library_denoiser(model, labels, w)
    states = list(samplers.trajectory(denoiser, step, start, times, noise=lambda like: next(draws)))
    assert len(found) == len(states)
    for state, wanted in zip(found, states, strict=True):
        assert float((images(state) - wanted).abs().max()) < PROMISED


def test_from_the_same_noise_what_is_completed_is_the_librarys(loaded: Page, model: Learned) -> None:
    y, known = mnist.to_model(mnist.load("test")[0][:1]), torch.zeros(1, 1, 28, 28, dtype=torch.bool)
    known[..., 14:, :] = True
    z = torch.randn(100, 1, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    paint = {"y": y.flatten().tolist(), "known": known.flatten().int().tolist(), "repeats": 2}
    asked = {"labels": [7], "w": 1.0, "sampler": "ancestral", "steps": 12, "z": z.view(100, -1).tolist()}
    found = loaded.evaluate(WALK, asked | {"paint": paint})
    draws, times = iter(z), samplers.time_grid(model.schedule, 12, spacing="logistic")
    denoiser = library_denoiser(model, [7], 1.0)
    wanted = samplers.inpaint(denoiser, y, known, times, repeats=2, noise=lambda like: next(draws))
    assert float((images(found[-1]) - wanted).abs().max()) < PROMISED


def test_a_digit_takes_little_computation(browser: Browser, served: str) -> None:
    """Of the script's own time on the processor, the first digit after loading and a guided one."""
    context = browser.new_context(reduced_motion="reduce")
    page = visit(context.new_page(), served)
    meter = context.new_cdp_session(page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        told = {item["name"]: item["value"] for item in meter.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"])

    for w in (0, 4):
        before = seconds()
        page.evaluate(f"location.hash = '#digit=3&w={w}&seed=1'; dispatchEvent(new PopStateEvent('popstate'))")
        drawn(page)
        took = seconds() - before
        assert took < 3, f"{took:.1f} s with w = {w}"
    context.close()


# What the page says --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenes(loaded: Page) -> dict[str, dict[str, Any]]:
    return {name: scene(loaded, name) for name in SCENES}


def test_a_scene_is_a_heading_that_other_pages_can_link_to(digits: Page) -> None:
    links = digits.eval_on_selector_all("#digits .scenes a", "links => links.map((link) => link.getAttribute('href'))")
    assert links == [f"#{name}" for name in SCENES]
    digits.click(f"#digits .scenes a[href='#{HALF}']")
    assert "The lower half is known" in digits.inner_text("#digits .caption")
    assert digits.evaluate(f"{HOOK}.state.digit") == 4


def test_at_first_the_model_sees_the_mean_and_the_guess_is_clear_before_the_state(scenes: dict[str, Any]) -> None:
    digits, labels = mnist.load("train")
    found = images(scenes[FROM_NOISE]["guesses"])
    assert alike(found[0], digits.double()[labels == 3].mean(0)) > 0.98
    assert min(alike(guess, found[-1]) for guess in found[10:]) > 0.9
    assert all(0.9 < length < 1.1 for length in scenes[FROM_NOISE]["lengths"])


@pytest.mark.parametrize("address", ["digit=7&seed=5&beside=seeds", "digit=0&seed=31", "digit=10&seed=8&w=0"])
def test_the_scores_length_tells_the_noise_alone(digits: Page, address: str) -> None:
    assert all(0.9 < length < 1.1 for length in scene(digits, address)["lengths"])


def grey(values: Any) -> float:
    """The share of pixels that are neither ink nor paper."""
    return float((images(values).abs() < 0.5).double().mean())


def test_two_steps_are_grey_and_one_is_the_mean(scenes: dict[str, Any], digits: Page) -> None:
    enough = scene(digits, "digit=3&steps=15&beside=seeds")
    assert grey(scenes[FEW]["row"]) > 2 * grey(enough["row"])
    one = images(scene(digits, "digit=3&steps=1&beside=seeds")["row"])
    pictures, labels = mnist.load("train")
    assert min(alike(digit, pictures.double()[labels == 3].mean(0)) for digit in one) > 0.98


def share_of(values: Any, label: int) -> Tensor:
    """How sure the book's classifier is that digits are of a label."""
    classifier = checkpoints.model("classifier")
    assert isinstance(classifier, torch.nn.Module)
    with torch.no_grad():
        sure: Tensor = classifier(images(values).float().clamp(-1, 1)).softmax(1)[:, label]
    return sure


def test_guidance_makes_plain_digits(digits: Page) -> None:
    """With every seed that the page offers, not only with those of the scene."""
    spreads, odd = {}, {}
    for w in (0, 4):
        found = [scene(digits, f"digit=7&w={w}&seed={seed}&beside=seeds") for seed in (0, 11)]
        rows = torch.cat([images(one["row"]) for one in found])
        spreads[w] = float(rows.std(0).mean())
        odd[w] = [int((share_of(one["row"], 7) < 0.5).sum()) for one in found]
    assert spreads[4] < 0.95 * spreads[0]
    assert [odd[0][0], odd[4][0]] == [1, 0]
    assert sum(odd[4]) <= sum(odd[0])


def test_one_half_becomes_what_is_asked_for_and_stays_as_it_was(scenes: dict[str, Any]) -> None:
    half, row = scenes[HALF], images(scenes[HALF]["row"])
    known, y = torch.tensor(half["known"]).view(1, 28, 28).bool(), images(half["y"])[0]
    assert not known[:, :14].any()
    assert known[:, 14:].all()
    assert torch.equal(row[:, known], y[known].expand(10, -1))
    assert all(float(share_of(half["row"], label)[label]) > 0.5 for label in (1, 4, 7, 9))
    assert float(share_of(half["row"], 0)[0]) < 0.1


# Hands and keys ------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_is_accessible(
    calm: BrowserContext, loaded: Page, served: str, screenshots: Path, width: int, theme: Any
) -> None:
    before = visit(calm.new_page(), served, load=False)
    if not loaded.url.endswith(HALF):
        scene(loaded, HALF)
    for page, name in ((before, "digits-before"), (loaded, "digits")):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")  # or the theme's head stands across the page
        page.screenshot(path=screenshots / f"{name}-{width}-{theme}.png", full_page=page is loaded)
        found = Axe().run(page, context=[["#digits"]], options={"resultTypes": ["violations"], "preload": False})
        assert [(rule["id"], rule["impact"]) for rule in found.response["violations"]] == []
    before.close()
