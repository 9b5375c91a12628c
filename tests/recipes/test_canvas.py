"""The recipes that look at canvases: what they draw, that they learn, and the autoencoder's terms."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from diffusion_teach.datasets import canvases
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics import reading
from diffusion_teach.recipes import canvas
from diffusion_teach.recipes.autoencoder import CANVAS_AUTOENCODER, Judged, reconstructed
from diffusion_teach.recipes.canvas import CANVAS_EYE, CANVAS_READER
from diffusion_teach.training import run

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"pictures": 400, "glyphs": 300, "precision": "float32"}


def small(recipe: Any, **settings: Any) -> Any:
    return dataclasses.replace(recipe, **{**SMALL, **settings})


@pytest.mark.parametrize("recipe", [CANVAS_READER, CANVAS_EYE, CANVAS_AUTOENCODER], ids=lambda recipe: recipe.name)
def test_a_step_is_decided_by_its_generator_alone(recipe: Any) -> None:
    made = small(recipe)
    data = made.data(CPU)
    a, b, c = (made.draw(data, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
    assert not torch.equal(a[0], c[0])


def test_a_pair_gives_two_cut_outs_and_a_single_one() -> None:
    drawn = canvases.draw(50, "test", glyph_count=200, generator=torch.Generator().manual_seed(0))
    images, labels = canvas.cut_outs(drawn)
    pairs = int((drawn.about[:, 0] > 0).sum())
    assert len(images) == len(labels) == 50 + pairs
    assert images.shape[1:] == (28, 28)
    assert sorted(labels.tolist()) == sorted(
        drawn.about[:, 1].tolist() + drawn.about[drawn.about[:, 0] > 0, 2].tolist()
    )


def test_training_and_judging_use_other_hands() -> None:
    assert canvas.in_fresh_hand(5, CPU, seed=1).images.shape == (5, 64, 64)
    a, b = canvases.glyphs("train", 100)[0], canvases.glyphs("test", 100)[0]
    assert not any(torch.equal(p, q) for p, q in zip(a, b, strict=True))


def test_the_reader_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    model = run.trained(small(CANVAS_READER, pictures=3000, glyphs=2000), steps=150)
    assert CANVAS_READER.measure(model, Sampling())["test_accuracy"] > 0.7


@pytest.mark.parametrize("terms", [{}, {"perceptual": 0.1}, {"adversarial": 0.5}], ids=str)
def test_the_autoencoder_s_error_falls(terms: dict[str, float]) -> None:
    recipe = small(CANVAS_AUTOENCODER, batch=8, network=(("width", (8, 8)),), lr=4e-3, **terms)
    few, more = (run.trained(recipe, steps=steps) for steps in (2, 60))
    errors = []
    for model in (few, more):
        assert isinstance(model, Judged) == bool("adversarial" in terms)
        errors.append(recipe.measure(model, Sampling())["squared_error"])
    assert errors[1] < 0.6 * errors[0]


def test_the_latent_is_drawn_and_not_its_mean() -> None:
    torch.manual_seed(0)
    model = CANVAS_AUTOENCODER.model()
    x = torch.rand(2, 1, 64, 64)
    y, mean, log_variance = reconstructed(model, x, torch.ones(2, 4, 16, 16))
    torch.testing.assert_close(y, model.decode(mean + (log_variance / 2).exp()))


def test_shipped_canvases_come_back() -> None:
    from diffusion_teach import checkpoints

    model: Any = checkpoints.model("canvas-autoencoder")
    images, about = canvas.in_fresh_hand(200, CPU)
    x = canvases.to_model(images)
    y = model.decode(model.encode(x)[0]).clamp(-1, 1)
    assert float((x - y).square().mean()) < 1.2e-3
    assert reading.obedience(about, y)["single"]["all"] > 0.85
