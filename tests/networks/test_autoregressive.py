"""The product over pixels is a distribution, and no pixel sees itself or a later one."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.networks.autoregressive import CausalPixels


def _random(side: int, **reach: int) -> CausalPixels:
    """A model that is no longer its logits ℓ."""
    torch.manual_seed(0)
    model = CausalPixels(side, width=8, **reach).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


def test_all_images_have_probability_one_together() -> None:
    model = _random(3, reach=2, context_reach=1)
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 9)
    context = torch.randn(9, dtype=torch.float64)
    torch.testing.assert_close(model.log_prob(images, context).exp().sum().item(), 1.0)


def test_a_pixel_sees_earlier_pixels_within_reach_and_all_of_the_context_around() -> None:
    model = _random(5, reach=2, context_reach=1)
    x = torch.rand(1, 25, dtype=torch.float64)
    context = torch.randn(1, 25, dtype=torch.float64)
    of_x, of_context = torch.autograd.functional.jacobian(lambda a, b: model.logits(a, b)[0], (x, context))
    for i in range(25):
        for j in range(25):
            (r, c), (s, d) = divmod(i, 5), divmod(j, 5)
            earlier = j < i and r - s <= 2 and abs(c - d) <= 2
            assert bool(of_x[i, 0, j] != 0) == earlier
            assert bool(of_context[i, 0, j] != 0) == (abs(r - s) <= 1 and abs(c - d) <= 1)


def test_before_training_pixels_are_independent() -> None:
    model = CausalPixels(4, reach=1, context_reach=0, width=8)
    context = torch.randn(16)
    x = torch.bernoulli(torch.full((3, 16), 0.5))
    torch.testing.assert_close(model.logits(x, context), context.expand(3, -1))


def test_without_reach_pixels_are_independent() -> None:
    model = _random(3, reach=0, context_reach=1)
    x = torch.bernoulli(torch.full((4, 9), 0.5, dtype=torch.float64))
    context = torch.randn(9, dtype=torch.float64)
    logits = model.logits(x, context)
    torch.testing.assert_close(logits, logits[:1].expand(4, -1))
    assert not torch.allclose(logits[0], context)


def test_some_pixels_estimate_the_whole() -> None:
    model = _random(4, reach=2, context_reach=1)
    x = torch.bernoulli(torch.full((5, 16), 0.5, dtype=torch.float64))
    context = torch.randn(5, 16, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    whole = model.log_prob(x, context).mean()
    draws = torch.stack([model.log_prob_of_some(x, context, 400, generator=generator) for _ in range(100)])
    assert abs(draws.mean() - whole) < 5 * draws.std() / math.sqrt(len(draws))


def test_samples_follow_the_distribution() -> None:
    """Two by two pixels: the counts of the sixteen images against their probabilities."""
    model = _random(2, reach=1, context_reach=1)
    context = torch.tensor([0.5, -0.5, 1.0, 0.0], dtype=torch.float64)
    n = 20_000
    made = model.sample(context.expand(n, -1), generator=torch.Generator().manual_seed(0))
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 4)
    p = model.log_prob(images, context).exp()
    share = (made.unsqueeze(1) == images).all(2).double().mean(0)
    assert ((share - p).abs() < 5 * (p * (1 - p) / n).sqrt() + 1e-12).all()


def test_wrong_arguments_fail_at_the_door() -> None:
    model = CausalPixels(4, reach=1, context_reach=0)
    with pytest.raises(ValueError, match="x must have shape"):
        model.log_prob(torch.zeros(2, 9), torch.zeros(16))
    with pytest.raises(ValueError, match="context must be logits of shape"):
        model.log_prob(torch.zeros(2, 16), torch.zeros(3, 16))
    with pytest.raises(ValueError, match="reach must be at least 0"):
        CausalPixels(4, reach=-1)
