"""`diffusion-teach` with stacked digits: drawn as the numbers that they show, measured as their recipe says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.training import run
from tests.cli.quick import NETWORK, PLAIN, bad, good


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    recipe = dataclasses.replace(PLAIN, name="stacks", network={**NETWORK, "image_channels": 3})
    known = {**recipes._RECIPES, "stacks": recipe}
    monkeypatch.setattr(recipes, "_RECIPES", known)
    return str(run.train(recipe, tmp_path, progress=False))


def test_channels_lie_side_by_side(stacks: str, tmp_path: Path) -> None:
    for suffix in (".npz", ".png", ".gif"):
        good("sample", stacks, "--count", 4, "--out", tmp_path / f"x{suffix}")
    model: Any = checkpoints.model(stacks)
    drawn = generate(model, 4, Sampling("ddim", 3))
    expected = torch.cat([mnist.to_uint8(drawn[:, [k]]) for k in range(3)], dim=2)
    assert np.array_equal(np.load(tmp_path / "x.npz")["samples"], expected.numpy())
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (2 * (2 * 84 + 2), 2 * (2 * 28 + 2))


def test_the_recipe_says_how_they_are_measured(stacks: str) -> None:
    assert json.loads(good("evaluate", stacks, "--json"))["seen"] == 0.5
    found = json.loads(good("evaluate", stacks, "--json", "--count", 100, "--steps", 2, "--seed", 4))
    assert (found["count"], found["steps"], found["seed"]) == (100, 2, 4)
    assert 1 <= found["covered"] <= 100
    assert "leave out --repeats" in bad(2, "evaluate", stacks, "--count", 100, "--repeats", 2)
    assert "takes no labels" in bad(2, "evaluate", stacks, "--count", 100, "--guidance", 1)
