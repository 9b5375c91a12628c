"""The encoder's recipe: what it draws, and that it trains."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach._checks import Unsupported
from diffusion_teach.datasets import mnist
from diffusion_teach.generate import Sampling
from diffusion_teach.objectives.contrastive import nt_xent
from diffusion_teach.recipes import encoder as recipe
from diffusion_teach.training import run


def test_a_step_draws_two_crops_of_each_image() -> None:
    data = recipe.ENCODER.data(torch.device("cpu"))
    draws = [recipe.ENCODER.draw(data, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert [tuple(part.shape) for part in draws[0]] == [(512, 1, 28, 28)] * 2
    assert all(torch.equal(a, b) for a, b in zip(draws[0], draws[1], strict=True))
    assert not torch.equal(draws[0][0], draws[2][0])
    first, second = (part.flatten(1) + 1 for part in draws[0])
    assert not torch.equal(first, second)
    alike = torch.nn.functional.cosine_similarity(first, second).mean()
    assert alike > torch.nn.functional.cosine_similarity(first, second.roll(1, 0)).mean() + 0.05


def test_its_settings_reach_crops_and_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    real = recipe.augmentation.cropped
    cropped = lambda x, **how: asked.append(how["smallest"]) or real(x, **how)  # noqa: E731
    monkeypatch.setattr(recipe.augmentation, "cropped", cropped)
    other = dataclasses.replace(recipe.ENCODER, batch=32, smallest=0.7, temperature=0.9)
    drawn = other.draw(other.data(torch.device("cpu")), torch.Generator().manual_seed(0))
    assert asked == [0.7, 0.7]
    model = other.model()
    with torch.no_grad():
        a, b = model(torch.cat(drawn)).chunk(2)
        assert float(other.loss(model, *drawn)) == pytest.approx(float(nt_xent(a, b, 0.9)), abs=1e-5)
    assert recipe.ENCODER.temperature == 0.2


def test_the_recipe_trains_and_writes_a_checkpoint_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = mnist.load("test")
    monkeypatch.setattr(recipe.mnist, "load", lambda split: (images[:1280], labels[:1280]))
    losses: list[float] = []
    path = run.train(recipe.ENCODER, tmp_path, steps=40, on_step=lambda step, loss: losses.append(loss))
    assert losses[-1] < losses[0] - 0.5
    model = checkpoints.model(path)
    assert isinstance(model, recipe.Encoder)
    assert recipe.neighbour_accuracy(model) == checkpoints.card(path)["metrics"]["neighbour_accuracy"] > 0.5


def test_it_draws_no_images() -> None:
    with pytest.raises(Unsupported, match="an encoder draws no images"):
        recipe.ENCODER.measure(recipe.Encoder(), Sampling(steps=3))
