"""The classifier's recipe: its augmentation, and that it trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.recipes import classifier as recipe
from diffusion_teach.training import run


def test_augmentation_by_nothing_changes_nothing() -> None:
    x = mnist.to_model(mnist.load("test")[0][:4])
    torch.testing.assert_close(recipe.augment(x, degrees=0.0, pixels=0.0), x, rtol=0, atol=1e-5)


def test_augmentation_shifts_by_at_most_the_pixels_given() -> None:
    x = torch.full((200, 1, 29, 29), -1.0)
    x[:, :, 14, 14] = 1.0
    moved = recipe.augment(x, degrees=0.0, pixels=2.0, generator=torch.Generator().manual_seed(0)) + 1
    place = torch.arange(29.0)
    mass = moved.sum(dim=(1, 2, 3))
    shift = torch.stack([(moved.sum(dim=axis)[:, 0] * place).sum(dim=1) / mass - 14 for axis in (2, 3)])
    assert shift.abs().max() <= 2.001
    assert shift.abs().max() >= 1.8  # of 400 uniform draws; missed once in 10^18
    assert (shift[0] - shift[1]).abs().max() > 1
    torch.testing.assert_close(mass, torch.full((200,), 2.0))


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
