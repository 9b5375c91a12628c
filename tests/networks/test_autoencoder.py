"""The autoencoder's shapes, what a patch of the discriminator sees, and the eye's layers."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.networks.autoencoder import Autoencoder, Eye, PatchDiscriminator


def test_a_latent_is_a_sixteenth_of_the_places() -> None:
    model = Autoencoder((8, 16), image_size=32)
    mean, log_variance = model.encode(torch.randn(2, 1, 32, 32))
    assert mean.shape == log_variance.shape == (2, 4, 8, 8)
    assert model.decode(mean).shape == (2, 1, 32, 32)
    assert model.sample(3, generator=torch.Generator().manual_seed(0)).shape == (3, 1, 32, 32)


def test_a_latent_keeps_its_places() -> None:
    torch.manual_seed(0)
    model = Autoencoder((8, 16), image_size=64).eval()
    x = torch.full((1, 1, 64, 64), -1.0)
    y = x.clone()
    y[..., :8, :8] = 1.0
    moved = (model.encode(y)[0] - model.encode(x)[0]).abs().sum(1)[0] > 1e-5
    assert moved[:2, :2].all()
    assert not moved[8:, 8:].any()


def test_a_logit_of_the_discriminator_sees_a_patch_of_22_pixels() -> None:
    x = torch.zeros(1, 1, 64, 64, requires_grad=True)
    logits = PatchDiscriminator(width=4)(x)
    assert logits.shape == (1, 1, 8, 8)
    (slope,) = torch.autograd.grad(logits[0, 0, 4, 4], x)
    seen = slope[0, 0].abs() > 0
    assert int(seen.any(0).sum()) == int(seen.any(1).sum()) == 22


def test_the_eye_answers_all_questions_side_by_side() -> None:
    eye = Eye((3, 10))
    assert eye(torch.zeros(2, 1, 64, 64)).shape == (2, 13)
    assert [tuple(f.shape[1:]) for f in eye.features(torch.zeros(1, 1, 64, 64))][-1] == (64, 4, 4)


def test_a_size_that_cannot_be_halved_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        Autoencoder(image_size=30)
