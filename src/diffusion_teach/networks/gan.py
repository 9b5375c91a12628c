r"""A generator and a discriminator of digits, for two CPU cores.

    generator      z (64) ─ dense ─ dense ─ 7×7 ─ transposed convolution ─ 14×14 ─ convolution ─ depth-to-space ─ 28×28
    discriminator  28×28 ─ space-to-depth ─ convolution ─ 14×14 ─ convolution ─ 7×7 ─ dense ─ dense ─ logit

As in `networks.unet` nothing convolves at 28×28, and the dense layers carry most of the weights: they know where each
place of a digit is and cost little. Leaky ReLUs, and no norm: it would tie the points of a penalty's gradient together.

Source: the shape is that of Radford et al. (2016), DCGAN, without its norms, and made narrow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks

SIZE = 28
PLACES = (SIZE // 4) ** 2
LATENT = 64
"""Numbers of the noise z, unless another size is asked for."""


def _leaky(h: Tensor) -> Tensor:
    return F.leaky_relu(h, 0.2)


class Generator(nn.Module):
    """Noise z (B, latent) to images (B, 1, 28, 28) in (−1, 1).

    Args:
        latent: numbers of z, standard normal.
        width: channels at 14×14 and at 7×7.
        dense: width of the first layer.
    """

    def __init__(self, latent: int = LATENT, width: tuple[int, int] = (16, 32), dense: int = 256) -> None:
        super().__init__()
        self.latent = _checks.integer("latent", latent)
        fine, self.coarse = (_checks.integer("width", channels) for channels in width)
        self.first = nn.Linear(latent, _checks.integer("dense", dense))
        self.second = nn.Linear(dense, self.coarse * PLACES)
        self.up = nn.ConvTranspose2d(self.coarse, fine, 4, stride=2, padding=1)
        self.head = nn.Conv2d(fine, 4, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """z (B, latent) to (B, 1, 28, 28)."""
        _checks.tensor("z", z, ("B", self.latent), finite=False)
        h = _leaky(self.second(_leaky(self.first(z)))).view(len(z), self.coarse, SIZE // 4, SIZE // 4)
        return F.pixel_shuffle(self.head(_leaky(self.up(h))), 2).tanh()


class Discriminator(nn.Module):
    """Images (B, 1, 28, 28) to logits (B, 1), high on data.

    Args:
        width, dense: as the generator's.
    """

    def __init__(self, width: tuple[int, int] = (16, 32), dense: int = 256) -> None:
        super().__init__()
        fine, coarse = (_checks.integer("width", channels) for channels in width)
        self.stem = nn.Conv2d(4, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, coarse, 4, stride=2, padding=1)
        self.first = nn.Linear(coarse * PLACES, _checks.integer("dense", dense))
        self.second = nn.Linear(dense, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, 1, 28, 28) to (B, 1)."""
        _checks.tensor("x", x, ("B", 1, SIZE, SIZE), finite=False)
        h = _leaky(self.down(_leaky(self.stem(F.pixel_unshuffle(x, 2)))))
        logits: Tensor = self.second(_leaky(self.first(h.flatten(1))))
        return logits


class GAN(nn.Module):
    """A generator and the discriminator that it was trained against.

    Args:
        latent, width, dense: see `Generator`.
    """

    def __init__(self, latent: int = LATENT, width: tuple[int, int] = (16, 32), dense: int = 256) -> None:
        super().__init__()
        self.generator = Generator(latent, width, dense)
        self.discriminator = Discriminator(width, dense)

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Images (count, 1, 28, 28) of noise drawn on the CPU."""
        z = torch.randn(count, self.generator.latent, generator=generator)
        images: Tensor = self.generator(z.to(self.generator.first.weight.device))
        return images

    def forward(self, z: Tensor) -> Tensor:
        """Images (B, 1, 28, 28) of z (B, latent)."""
        images: Tensor = self.generator(z)
        return images
