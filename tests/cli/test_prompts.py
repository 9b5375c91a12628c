"""`diffusion-teach sample --prompt`: captions are drawn in turn, and wrong ones are told with the vocabulary."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffusion_teach import checkpoints
from diffusion_teach.recipes.latent import CANVAS_PIXELS
from diffusion_teach.training import run
from tests.cli.quick import bad, good

NETWORK = {"width": (8, 8), "blocks": 1, "embedding": 8, "text": 8, "image_channels": 1, "image_size": 64, "patch": 4}


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fresh model that takes captions."""
    recipe = dataclasses.replace(CANVAS_PIXELS, network=NETWORK, pictures=16, glyphs=100, batch=2, precision="float32")
    state = run.trained(recipe, steps=2).state_dict()
    card = dict.fromkeys(checkpoints.files.CARD_FIELDS, "none") | {"architecture": recipe.architecture()}
    card["metrics"] = {"sampler": "ddim", "steps": 2, "guidance": 2.0}
    return str(checkpoints.save("captioned", state, card, folder=tmp_path_factory.mktemp("runs")))


def test_captions_are_drawn_in_turn(captioned: str, tmp_path: Path) -> None:
    both = ["--prompt", "a thick seven leaning right", "--prompt", "a pair: 4 above 9"]
    text = good("sample", captioned, "--count", 4, *both, "--out", tmp_path / "some.npz")
    assert "4 images by ddim, 2 steps" in text
    with np.load(tmp_path / "some.npz", allow_pickle=False) as arrays:
        assert arrays["samples"].shape == (4, 64, 64)
        assert arrays["captions"].tolist() == [both[1], both[3]] * 2
    good("sample", captioned, "--count", 4, *both, "--out", tmp_path / "some.png")
    with Image.open(tmp_path / "some.png") as sheet:
        assert sheet.size == (2 * (2 * 66 - 2), 2 * (2 * 66 - 2))


def test_guidance_is_the_cards_where_none_is_given(captioned: str, tmp_path: Path) -> None:
    ask = ["sample", captioned, "--count", 2, "--prompt", "a seven"]
    for name, more in {"a": [], "b": ["--guidance", 2], "c": ["--guidance", 0]}.items():
        good(*ask, *more, "--out", tmp_path / f"{name}.npz")
    a, b, c = (np.load(tmp_path / f"{name}.npz")["samples"] for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "caption is empty"),
        ("a thikc seven", "Did you mean 'thick'"),
        ("a cat", "unknown word 'cat'"),
        ("семь", "in Latin letters"),
        ("a thick seven " * 4, "at most 10 words"),
        ("seven thick a", "not in an order"),
    ],
)
def test_a_wrong_prompt_is_wrong_usage(prompt: str, message: str, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    text = bad(2, "sample", "no-such-model", "--prompt", prompt, "--out", out)
    assert message in text
    assert "The vocabulary: zero, one" in text
    assert not out.exists()


def test_prompts_and_labels_are_not_mixed_up(captioned: str, plain: str, labelled: str, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "x.png"]
    assert "--prompt in place of --label" in bad(2, "sample", captioned, "--label", 3, *out)
    for name in (plain, labelled):
        assert "takes no captions" in bad(2, "sample", name, "--prompt", "a seven", *out)
