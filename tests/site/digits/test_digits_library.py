"""The digits' page: from the same noise its digits are the library's, and they take little computation."""

from __future__ import annotations

import pytest
import torch
from playwright.sync_api import Browser, Page

from diffusion_teach import checkpoints, samplers
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser, Guided, Learned
from tests.site.digits.page import HOOK, drawn, images, visit
from tests.site.scripts import ask

PROMISED = 1e-3

WALK = f"""async ({{ labels, w, sampler, steps, z, paint }}) => {{
    const {{ model }} = {HOOK}, times = Digits.logisticGrid(model.schedule, steps), states = [];
    const draws = z.map((row) => Float64Array.from(row)), like = new Float64Array(784 * labels.length);
    const tiled = (of) => like.map((_, i) => of[i % 784]);
    const known = paint && {{ ...paint, y: tiled(paint.y), known: tiled(paint.known) }};
    const walk = Digits.walk(model, {{ labels, w, sampler }}, times, like, () => draws.shift(), known);
    for await (const {{ x }} of walk) states.push([...x]);
    return states;
}}"""


@pytest.fixture(scope="module")
def model() -> Learned:
    found = checkpoints.model("ddpm-mnist-conditional")
    assert isinstance(found, Learned)
    return found


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
    found = ask(loaded, WALK, asked | {"paint": None})
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
    found = ask(loaded, WALK, asked | {"paint": paint})
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
