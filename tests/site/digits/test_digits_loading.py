"""The digits' page: what it loads, and when."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect

from diffusion_teach import checkpoints
from tests.site.digits.page import HOOK, PAGE, VENDOR, card, listen, visit
from tests.site.scripts import PLAYGROUND as SCRIPTS
from tests.site.scripts import SITE


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
