"""The home page's drop of ink: it moves at once, can be stopped and wound, waits where asked to, and walks exactly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from diffusion_teach import exact, schedules
from tests.site.pages import built
from tests.site.scripts import WalkByTab, ask

HOOK = "document.getElementById('drop').playground"
READY = f"{HOOK}.walk.back.complete"
STATES = f"""(which) => {HOOK}.walk[which].states.map((x) => [...x])"""
DROP = f"""() => {{
    const {{ weights, means, spread }} = {HOOK}.walk.out.denoiser.distribution;
    return {{ weights: [...weights], means, spread }};
}}"""


@pytest.fixture
def home(page: Page) -> Page:
    page.goto(built("index").as_uri())
    return page


@pytest.fixture
def still(calm_page: Page) -> Page:
    """The page of a reader who has asked for less motion."""
    calm_page.goto(built("index").as_uri())
    return calm_page


def points(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).unflatten(-1, (-1, 2))


def test_it_moves_by_itself_and_can_be_paused(home: Page) -> None:
    home.wait_for_function(f"{HOOK}.second > 0.3")
    button = home.locator("#drop button.play")
    expect(button).to_have_text("Pause")
    button.click()
    expect(button).to_have_text("Play")
    stood = home.evaluate(f"{HOOK}.second")
    home.wait_for_timeout(300)
    assert home.evaluate(f"{HOOK}.second") == stood
    button.click()
    home.wait_for_function(f"{HOOK}.second !== {stood}")


def test_with_less_motion_it_waits(still: Page) -> None:
    still.wait_for_function(READY)
    still.wait_for_timeout(300)
    assert still.evaluate(f"{HOOK}.second") == 0
    expect(still.locator("#drop button.play")).to_have_text("Play")
    still.get_by_role("button", name="New drop").click()
    still.wait_for_timeout(200)
    assert still.evaluate(f"{HOOK}.second") == 0


def test_the_slider_winds_it(still: Page) -> None:
    slider, caption = still.get_by_label("Time"), still.locator("#drop figcaption")
    expect(caption).to_have_text("A drop of ink.")
    slider.focus()
    still.keyboard.press("End")
    expect(caption).to_have_text("The drop has come back.")
    slider.fill("450")
    expect(caption).to_have_text("Nothing tells where the drop fell.")
    expect(slider).to_have_attribute("aria-valuetext", "6.3 s. Nothing tells where the drop fell.")


def test_a_click_lets_a_drop_fall_there(still: Page) -> None:
    canvas = still.locator("#drop canvas")
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": 0.7 * box["width"], "y": 0.3 * box["height"]})
    x, y = still.evaluate(f"{HOOK}.walk.place")
    scale = 5.4 / box["height"]
    assert x == pytest.approx(0.2 * box["width"] * scale, abs=0.05)
    assert y == pytest.approx(0.2 * box["height"] * scale, abs=0.05)


def test_the_walks_are_those_of_the_library(still: Page) -> None:
    """Out: the moments of the exact transition. Back: the drop again, by its own density."""
    still.wait_for_function(READY)
    out, back, drop = (
        points(ask(still, STATES, "out")),
        points(ask(still, STATES, "back")),
        still.evaluate(DROP),
    )
    assert len(out) == len(back) == 151
    assert torch.equal(out[-1], back[0])
    schedule, t = schedules.Cosine(), torch.linspace(0, 1, 151, dtype=torch.float64) ** 1.8
    for k in (40, 80, 120):
        # x_t = (α_t/α_s)·x_s + noise whose variance the two levels tell, of 2 × 1400 numbers.
        alpha, sigma = schedule.alpha(t[k : k + 2]), schedule.sigma(t[k : k + 2])
        kept = alpha[1] / alpha[0]
        noise = (out[k + 1] - kept * out[k]) / (sigma[1] ** 2 - kept**2 * sigma[0] ** 2).sqrt()
        assert float((noise**2).mean()) == pytest.approx(1, abs=5 * (2 / 2800) ** 0.5)
        assert float(noise.mean()) == pytest.approx(0, abs=5 / 2800**0.5)
    assert float(out[-1].std()) == pytest.approx(1, abs=0.07)
    spread = torch.tensor(drop["spread"])
    mixture = exact.GaussianMixture(
        torch.tensor(drop["weights"], dtype=torch.float64),
        torch.tensor(drop["means"], dtype=torch.float64),
        torch.diag_embed(spread.double()),
    )
    start, end = mixture.log_prob(out[0]), mixture.log_prob(back[-1])
    # The last step ends at the mean, which lies a little higher than a draw.
    assert float(start.mean()) - 0.1 < float(end.mean()) < float(start.mean()) + 1
    assert float(end.quantile(0.02)) > float(start.quantile(0.005)) - 1
    assert float(mixture.log_prob(out[-1]).mean()) < float(start.mean()) - 10


def test_tab_reaches_its_controls(still: Page, walk_by_tab: WalkByTab) -> None:
    walk_by_tab(still, "#drop")
