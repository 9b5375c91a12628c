"""The digits' page: what its scenes say is so."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from tests.site.digits.page import FEW, FROM_NOISE, HALF, HOOK, SCENES, alike, images, scene


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
