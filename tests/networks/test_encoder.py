"""The shipped encoder."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.checkpoints import files
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.features import encoder
from diffusion_teach.networks.encoder import FEATURES, Encoder
from diffusion_teach.recipes.encoder import neighbour_accuracy


def test_without_a_label_it_learned_which_digits_are_alike_and_its_card_tells_the_truth() -> None:
    accuracy = neighbour_accuracy(encoder())
    assert accuracy >= 0.95
    # Rounding may turn one or two images on another machine.
    assert accuracy == pytest.approx(checkpoints.card("encoder")["metrics"]["neighbour_accuracy"], abs=5e-4)
    assert (files.FOLDER / "encoder.safetensors").stat().st_size <= 750_000


def test_it_is_frozen_and_shared() -> None:
    assert encoder() is encoder()
    assert not encoder().training
    assert not any(parameter.requires_grad for parameter in encoder().parameters())
    assert encoder()(mnist.to_model(mnist.load("test")[0][:3])).shape == (3, FEATURES)


@pytest.mark.parametrize("shape", [(2, 28, 28), (0, 1, 28, 28), (1, 1, 32, 32)])
def test_what_is_no_digit_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="x "):
        Encoder()(torch.zeros(shape))
