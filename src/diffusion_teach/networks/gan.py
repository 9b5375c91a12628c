r"""Generators and discriminators of digits, for two CPU cores, with convolutions or without.

    generator      z (64) ─ dense ─ dense ─ 7×7 ─ transposed convolution ─ 14×14 ─ convolution ─ depth-to-space ─ 28×28
    discriminator  28×28 ─ space-to-depth ─ convolution ─ 14×14 ─ convolution ─ 7×7 ─ dense ─ dense ─ logit

As in `networks.unet` nothing convolves at 28×28, and the dense layers carry most of the weights: they know where each
place of a digit is and cost little. That is the shape of DCGAN (Radford et al. 2016), made narrow and without its
norms. With `width` = None all layers are dense, as they were in 2014 (Goodfellow et al. 2014, section 5); the number of
weights is the same within 3 %.

Stacked digits have three channels, `image_channels` = 3: the folded picture then has twelve.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.network import OneStepGenerator

SIZE = 28
SLOPE = 0.2
"""Of the leaky ReLU below zero."""
LATENT, DENSE, WIDTH, HIDDEN = 64, 256, (16, 32), 400
"""Noise, the outer dense layer, channels at 14×14 and at 7×7, and where there are none the inner dense layer."""

Width = tuple[int, int] | None


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(SLOPE)


class Generator(nn.Module):
    """Noise z (B, latent) to images (B, C, 28, 28) in (−1, 1).

    Args:
        latent: numbers of z, standard normal.
        width: channels at 14×14 and at 7×7; None for dense layers only.
        dense: width of the first layer.
        hidden: width of the second layer, where there are dense layers only.
        image_channels: C, 1 for digits.
    """

    def __init__(
        self,
        latent: int = LATENT,
        width: Width = WIDTH,
        dense: int = DENSE,
        *,
        hidden: int = HIDDEN,
        image_channels: int = 1,
    ) -> None:
        super().__init__()
        self.latent = _checks.integer("latent", latent)
        shape = (_checks.integer("image_channels", image_channels), SIZE, SIZE)
        dense, hidden = _checks.integer("dense", dense), _checks.integer("hidden", hidden)
        layers: list[nn.Module] = [nn.Linear(latent, dense), _leaky()]
        if width is None:
            layers += [nn.Linear(dense, hidden), _leaky()]
            layers += [nn.Linear(hidden, math.prod(shape)), nn.Unflatten(1, shape)]
        else:
            fine, coarse, places = *_checks.sizes("width", width, 2), SIZE // 4
            layers += [nn.Linear(dense, coarse * places**2), _leaky(), nn.Unflatten(1, (coarse, places, places))]
            layers += [nn.ConvTranspose2d(coarse, fine, 4, stride=2, padding=1), _leaky()]
            layers += [nn.Conv2d(fine, 4 * image_channels, 3, padding=1), nn.PixelShuffle(2)]
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        """z (B, latent) to (B, C, 28, 28)."""
        images: Tensor = self.layers(_checks.input_of(self, "z", z, ("B", self.latent)))
        return images


class Discriminator(nn.Module):
    """Images (B, C, 28, 28) to logits (B, 1), high on data.

    Args:
        width, image_channels: as the generator's.
        dense: width of the last layer but one.
        hidden: width of the layer before, where there are dense layers only.
    """

    def __init__(
        self, width: Width = WIDTH, dense: int = DENSE, *, hidden: int = HIDDEN, image_channels: int = 1
    ) -> None:
        super().__init__()
        dense, hidden = _checks.integer("dense", dense), _checks.integer("hidden", hidden)
        self.shape = (_checks.integer("image_channels", image_channels), SIZE, SIZE)
        if width is None:
            layers: list[nn.Module] = [nn.Flatten(), nn.Linear(math.prod(self.shape), hidden), _leaky()]
            layers += [nn.Linear(hidden, dense)]
        else:
            fine, coarse = _checks.sizes("width", width, 2)
            layers = [nn.PixelUnshuffle(2), nn.Conv2d(4 * image_channels, fine, 3, padding=1), _leaky()]
            layers += [nn.Conv2d(fine, coarse, 4, stride=2, padding=1), _leaky()]
            layers += [nn.Flatten(), nn.Linear(coarse * (SIZE // 4) ** 2, dense)]
        self.layers = nn.Sequential(*layers, _leaky(), nn.Linear(dense, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, 28, 28) to (B, 1)."""
        logits: Tensor = self.layers(_checks.input_of(self, "x", x, ("B", *self.shape)))
        return logits


class GAN(OneStepGenerator):
    """A generator and the discriminator that it was trained against.

    Args:
        latent, width, dense, hidden, image_channels: see `Generator`.
    """

    def __init__(
        self,
        latent: int = LATENT,
        width: Width = WIDTH,
        dense: int = DENSE,
        *,
        hidden: int = HIDDEN,
        image_channels: int = 1,
    ) -> None:
        super().__init__()
        self.shape = (_checks.integer("image_channels", image_channels), SIZE, SIZE)
        self.generator = Generator(latent, width, dense, hidden=hidden, image_channels=image_channels)
        self.discriminator = Discriminator(width, dense, hidden=hidden, image_channels=image_channels)

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Images (count, C, 28, 28) of noise drawn on the CPU."""
        size = _checks.integer("count", count), self.generator.latent
        z = torch.randn(size, generator=_checks.generator(generator))
        images: Tensor = self.generator(z.to(self.device))
        return images
