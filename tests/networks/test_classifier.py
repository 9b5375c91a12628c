"""The shipped classifier and its recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.networks.classifier import FEATURES, Classifier, evaluate, pretrained
from diffusion_teach.recipes import classifier as recipe


def test_the_shipped_classifier_names_99_of_100_test_digits_and_its_card_tells_the_truth() -> None:
    accuracy = recipe.accuracy(pretrained())
    assert accuracy >= 0.99
    # Rounding may turn one or two images on another machine.
    assert accuracy == pytest.approx(checkpoints.card("classifier")["metrics"]["test_accuracy"], abs=3e-4)
    assert (checkpoints.FOLDER / "classifier.safetensors").stat().st_size <= 500_000


def test_the_head_reads_the_features() -> None:
    x = torch.rand(5, 1, 28, 28) * 2 - 1
    model = pretrained()
    features = model.features(x)
    assert features.shape == (5, FEATURES)
    assert (features >= 0).all()
    torch.testing.assert_close(model(x), features @ model.head.weight.T + model.head.bias)


def test_batches_do_not_change_what_is_computed() -> None:
    x = mnist.to_model(mnist.load("test")[0][:23])
    model = pretrained()
    for features in (False, True):
        one = evaluate(model, x, features=features)
        torch.testing.assert_close(evaluate(model, x, batch=7, features=features), one, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(model.features(x) if features else model(x), one, rtol=1e-4, atol=1e-4)


def test_the_pretrained_one_is_frozen_and_shared() -> None:
    assert pretrained() is pretrained()
    assert not pretrained().training
    assert not any(parameter.requires_grad for parameter in pretrained().parameters())


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 28, 28),
        torch.zeros(0, 1, 28, 28),
        torch.full((1, 1, 28, 28), torch.nan),
        torch.zeros(1, 1, 32, 32),
    ],
)
def test_what_is_no_digit_shape_is_refused(x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="x "):
        Classifier()(x)
    with pytest.raises(ValueError, match="x "):
        evaluate(Classifier(), x)


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


def test_the_recipe_trains_and_writes_a_checkpoint_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = mnist.load("test")
    monkeypatch.setattr(recipe.mnist, "load", lambda split: (images[:1280], labels[:1280]))
    before = torch.get_rng_state()
    recipe.main(["--epochs", "3", "--folder", str(tmp_path)])
    assert torch.equal(torch.get_rng_state(), before)
    assert "test_accuracy" in capsys.readouterr().out
    card = json.loads((tmp_path / "classifier.json").read_text())
    assert card["steps"] == 30
    assert card["metrics"]["test_accuracy"] > 0.3
    first = checkpoints.load("classifier", folder=tmp_path)
    recipe.main(["--epochs", "3", "--folder", str(tmp_path / "again")])
    for name, value in checkpoints.load("classifier", folder=tmp_path / "again").items():
        assert torch.equal(value, first[name])
