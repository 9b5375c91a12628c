"""The generator and the discriminator of digits: shapes, who sees what, and clear errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach.generate import Sampling, generate, path
from diffusion_teach.networks.gan import GAN, Discriminator, Generator
from diffusion_teach.networks.network import OneStepGenerator

every = pytest.mark.parametrize("width", [(16, 32), None], ids=["convolutions", "dense"])


@every
def test_shapes_and_range(width: Any) -> None:
    gan = GAN(width=width)
    x = gan.generator(torch.randn(3, 64))
    assert x.shape == (3, 1, 28, 28)
    assert x.abs().max() < 1
    assert gan.discriminator(x).shape == (3, 1)
    assert isinstance(gan, OneStepGenerator)
    assert gan.shape == (1, 28, 28)


@every
def test_every_pixel_can_be_painted_and_is_seen(width: Any) -> None:
    """The logit has a slope at every pixel, and every pixel one at the noise."""
    torch.manual_seed(0)
    gan = GAN(latent=7, width=width and (4, 4), dense=16)
    x = torch.randn(1, 1, 28, 28, requires_grad=True)
    gan.discriminator(x).sum().backward()
    assert bool((x.grad != 0).all())  # type: ignore[union-attr]
    slopes = torch.autograd.functional.jacobian(lambda z: gan.generator(z).flatten(), torch.randn(1, 7))
    assert bool((slopes.flatten(1).abs().sum(1) > 0).all())


@every
@pytest.mark.parametrize("channels", [2, 3])
def test_every_channel_is_painted_and_seen(width: Any, channels: int) -> None:
    torch.manual_seed(0)
    gan = GAN(latent=5, width=width and (4, 4), dense=16, hidden=12, image_channels=channels)
    x = gan.generator(torch.randn(2, 5))
    assert x.shape == (2, channels, 28, 28)
    assert gan.sample(3).shape == (3, channels, 28, 28)
    x = torch.randn(1, channels, 28, 28, requires_grad=True)
    gan.discriminator(x).sum().backward()
    assert bool((x.grad != 0).all())  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=rf"x must have shape \(B, {channels}, 28, 28\)"):
        gan.discriminator(torch.zeros(2, 1, 28, 28))


@every
def test_one_channel_is_what_there_always_was(width: Any) -> None:
    """Names and shapes of the tensors do not depend on whether the number of channels is said."""
    one, said = (GAN(width=width, **more).state_dict() for more in ({}, {"image_channels": 1}))
    assert {key: value.shape for key, value in one.items()} == {key: value.shape for key, value in said.items()}


def test_all_four_networks_are_alike_in_size() -> None:
    networks = [Generator(), Generator(width=None), Discriminator(), Discriminator(width=None)]
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes[0] / sizes[1] == pytest.approx(1, abs=0.03)
    assert sizes[2] / sizes[3] == pytest.approx(1, abs=0.03)
    assert sizes[0] / sizes[2] == pytest.approx(1, abs=0.05)


def test_images_in_one_step_depend_on_the_seed_alone() -> None:
    gan = GAN(width=(4, 4), dense=16)
    whole = generate(gan, 10, Sampling(seed=3, batch=10))
    assert torch.equal(whole, generate(gan, 10, Sampling("one step", 1, seed=3, batch=10)))
    assert not torch.equal(whole, generate(gan, 10, Sampling(seed=4, batch=10)))
    assert torch.equal(generate(gan, 8, Sampling(seed=3, batch=4))[:4], generate(gan, 4, Sampling(seed=3, batch=4)))
    assert not whole.requires_grad
    assert Sampling().of(gan).evaluations(gan) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampler": "ddim"}, r"a GAN draws an image in one step.* leave out sampler=… \(--sampler\)\."),
        ({"steps": 3, "guidance": 1.0}, r"leave out steps=… \(--steps\) and guidance=… \(--guidance\)\."),
    ],
)
def test_what_one_step_has_no_use_for_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(GAN(width=(4, 4), dense=16), 2, Sampling(**settings))
    with pytest.raises(ValueError, match="takes no labels"):
        generate(GAN(width=(4, 4), dense=16), 2, labels=3)
    with pytest.raises(ValueError, match="has no reverse process to show"):
        path(GAN(width=(4, 4), dense=16), 2)


def test_wrong_arguments_are_named() -> None:
    gan = GAN(width=(4, 4), dense=16)
    with pytest.raises(ValueError, match=r"z must have shape \(B, 64\)"):
        gan.generator(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"x must have shape \(B, 1, 28, 28\)"):
        gan.discriminator(torch.zeros(2, 1, 32, 32))
    with pytest.raises(ValueError, match="image_channels must be at least 1"):
        GAN(image_channels=0)
    with pytest.raises(ValueError, match="hidden must be at least 1"):
        GAN(width=None, hidden=0)
    with torch.no_grad():
        gan.get_parameter("generator.layers.0.bias").fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="not finite. The weights are broken"):
        generate(gan, 2)
