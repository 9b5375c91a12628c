"""The shipped classifier."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.checkpoints import files
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.features import predict, pretrained
from diffusion_teach.networks.classifier import FEATURES, Classifier
from diffusion_teach.recipes import classifier as recipe


def test_the_shipped_classifier_names_99_of_100_test_digits_and_its_card_tells_the_truth() -> None:
    accuracy = recipe.accuracy(pretrained())
    assert accuracy >= 0.99
    # Rounding may turn one or two images on another machine.
    assert accuracy == pytest.approx(checkpoints.card("classifier")["metrics"]["test_accuracy"], abs=3e-4)
    assert (files.FOLDER / "classifier.safetensors").stat().st_size <= 500_000


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
        one = predict(model, x, features=features)
        torch.testing.assert_close(predict(model, x, batch=7, features=features), one, rtol=1e-4, atol=1e-4)
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
        predict(Classifier(), x)
