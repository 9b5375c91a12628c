"""What every recipe has: settings that a state can hold, and a seed for each step."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
import torch

from diffusion_teach import recipes
from diffusion_teach.training.recipe import step_seed
from tests.training.tiny import TINY


def test_each_step_of_each_seed_has_randomness_of_its_own() -> None:
    seeds = {step_seed(seed, step) for seed in (0, 1, 2, 10**12) for step in range(1000)}
    assert len(seeds) >= 3998  # of 4,000 numbers of 32 bits two agree once in 500 draws
    assert max(seeds) < 2**32
    assert step_seed(0, 1) != step_seed(1, 0)
    draws = torch.stack([torch.randn(200, generator=torch.Generator().manual_seed(step_seed(0, k))) for k in range(50)])
    correlation = torch.corrcoef(draws) - torch.eye(50)
    assert correlation.abs().max() < 5 / 200**0.5


def test_settings_are_plain_and_hold_what_decides_the_weights() -> None:
    for name in recipes.names():
        settings = recipes.get(name).settings()
        assert json.loads(json.dumps(settings)) == settings
        assert not {"name", "summary", "intended_use", "steps", "seed"} & settings.keys()
        assert {"batch", "ema", "precision", "half"} <= settings.keys()
    assert recipes.get("ddpm-mnist-conditional").settings()["network"]["classes"] == 10
    assert dataclasses.replace(TINY, rate=0.5).settings() != TINY.settings()


def test_recipes_are_found_by_name() -> None:
    assert recipes.names() == [
        "ddpm-mnist",
        "ddpm-mnist-conditional",
        "ncsn-mnist",
        "vae-mnist",
        "gan-mnist",
        "rpgan-mnist",
        "ddpm-stacked",
        "gan-stacked",
        "gan-penalised-stacked",
        "rpgan-stacked",
        "ddgan-mnist",
        "consistency-mnist",
        "add-mnist",
        "classifier",
        "encoder",
        "likelihood-mnist",
        "canvas-reader",
        "canvas-eye",
        "canvas-autoencoder",
        "ldm-digits",
        "canvas-pixels",
    ]
    for name in recipes.names():
        recipe = recipes.get(name)
        assert recipe.name == name
        assert all((recipe.summary, recipe.intended_use, recipe.data_from, recipe.licence))
    with pytest.raises(ValueError, match="recipe name must be one of .* got 'ddpm-mnits'. Did you mean 'ddpm-mnist'"):
        recipes.get("ddpm-mnits")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dataclasses.replace(TINY, batch=0), "batch must be at least 1"),
        (lambda: dataclasses.replace(TINY, steps=0), "steps must be at least 1"),
        (lambda: dataclasses.replace(TINY, seed=-1), "seed must be between 0 and"),
        (lambda: dataclasses.replace(TINY, seed=2**63), "seed must be between 0 and"),
        (lambda: dataclasses.replace(TINY, warmup=-1), "warmup must be at least 0"),
        (lambda: dataclasses.replace(TINY, decay="linaer"), "Did you mean 'linear'"),
        (lambda: dataclasses.replace(TINY, precision="half"), "precision must be one of"),
    ],
)
def test_bad_fields_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
