"""The classifier's recipe: what it draws, and that it trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.recipes import classifier as recipe
from diffusion_teach.training import run


def test_a_step_is_decided_by_its_generator_alone() -> None:
    data = recipe.CLASSIFIER.data(torch.device("cpu"))
    draws = [recipe.CLASSIFIER.draw(data, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert [tuple(part.shape) for part in draws[0]] == [(128, 1, 28, 28), (128,)]
    assert all(torch.equal(a, b) for a, b in zip(draws[0], draws[1], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(draws[0], draws[2], strict=True))


def test_the_recipe_trains_and_writes_a_checkpoint_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = mnist.load("test")
    monkeypatch.setattr(recipe.mnist, "load", lambda split: (images[:1280], labels[:1280]))
    path = run.train(recipe.CLASSIFIER, tmp_path, steps=60)
    card = checkpoints.card(path)
    assert card["steps"] == 60
    assert card["precision"] == "float32"
    assert card["metrics"]["test_accuracy"] > 0.5
    model = checkpoints.model(path)
    assert isinstance(model, recipe.Classifier)
    assert recipe.accuracy(model) == card["metrics"]["test_accuracy"]
