"""The perceptual distance is one, and the balance is that of two gradients whose lengths are known."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.networks.autoencoder import Eye
from diffusion_teach.objectives.perceptual import balance, perceptual_distance


def test_it_is_zero_for_equal_pictures_and_grows_with_what_differs() -> None:
    torch.manual_seed(0)
    eye, x = Eye((2,)).requires_grad_(False), torch.rand(2, 1, 64, 64)
    near, far = (perceptual_distance(eye.features, x, (x + k * torch.randn_like(x))) for k in (0.01, 0.5))
    assert float(perceptual_distance(eye.features, x, x)) == 0
    assert 0 < float(near) < float(far)


def test_brightness_of_features_does_not_count() -> None:
    x, y = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    plain = perceptual_distance(lambda p: [p], x, y)
    torch.testing.assert_close(perceptual_distance(lambda p: [7 * p], x, y), plain, rtol=1e-3, atol=1e-6)


def test_the_balance_is_the_ratio_of_the_gradients() -> None:
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    assert float(balance(w.square().sum(), 0.5 * w.sum(), w)) == pytest.approx(10 / (0.5 * 2**0.5), rel=1e-4)


def test_the_balance_needs_losses_that_depend_on_the_weight() -> None:
    w = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="adversarial must be a scalar that depends on the weight"):
        balance(w.sum(), torch.ones(()), w)
