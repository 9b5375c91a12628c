r"""The two players of a denoising diffusion GAN: a generator that sees a noisy picture, and a judge of one step back.

    generator      x_t, t and noise z ─ U-Net ─ v, and with it x₀
    discriminator  (x_s, x_t), the number of the step ─ convolutions ─ dense ─ logit

The noise z enters where the time does, through the embedding that scales and shifts the layers: for one x_t another z
is another x₀, so the generator can answer with a law where a regression answers with its mean. At first no z counts, so
that the network may begin as a denoiser. The judge sees the pair, and at each layer a bias of the step's own.

Source: Xiao et al. (2022), section 4 and appendix C.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks
from diffusion_teach.networks.gan import SIZE, SLOPE, WIDTH
from diffusion_teach.networks.unet import UNet, zeroed

LATENT = 64


class LatentUNet(UNet):
    """A U-Net with noise of its own: network(x_t, t, z) answers with an image.

    Args:
        latent: numbers of z, standard normal.
        settings: of `networks.unet.UNet`.

    Raises:
        ValueError: for labels, which it does not take.
    """

    def __init__(self, latent: int = LATENT, **settings: Any) -> None:
        super().__init__(**settings)
        if self.labels is not None:
            raise ValueError("classes must be 0: where this U-Net's labels would come in, its noise does.")
        self.latent = _checks.integer("latent", latent)
        size = 2 * len(self.frequencies)
        layers = [nn.Linear(self.latent, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU()]
        self.mapping = nn.Sequential(*layers, zeroed(nn.Linear(size, size)))

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """x_t (B, C, H, W), t 0-dimensional or (B,), and the noise z (B, latent) as `cond`, to an answer like x_t.

        Raises:
            ValueError: without z.
        """
        if cond is None:
            raise ValueError(f"cond must be the noise z of shape (B, {self.latent}), got None.")
        return super().forward(x_t, t, cond)

    def _embedding(self, t: Tensor, cond: Tensor | None, x_t: Tensor) -> Tensor:
        z = _checks.input_of(self, "cond", cond, (len(x_t), self.latent))
        return F.silu(self.embed(self._time_waves(t, x_t)) + self.mapping(z))


class StepDiscriminator(nn.Module):
    """A pair (x_s, x_t) of images (B, C, 28, 28) and the number k of the step, (B,), to logits (B, 1).

    Args:
        steps: how many steps there are; k is from 1 to `steps`.
        width: channels at 14×14 and at 7×7.
        dense: width of the last layer but one.
        image_channels: C.
    """

    def __init__(
        self, steps: int = 4, width: tuple[int, int] = WIDTH, dense: int = 256, *, image_channels: int = 1
    ) -> None:
        super().__init__()
        self.steps = _checks.integer("steps", steps)
        self.shape = (_checks.integer("image_channels", image_channels), SIZE, SIZE)
        fine, coarse = _checks.sizes("width", width, 2)
        sizes = fine, coarse, _checks.integer("dense", dense)
        self.biases = nn.ModuleList(
            nn.Embedding.from_pretrained(torch.zeros(self.steps, size), freeze=False) for size in sizes
        )
        self.inward = nn.Conv2d(8 * image_channels, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, coarse, 4, stride=2, padding=1)
        self.join = nn.Linear(coarse * (SIZE // 4) ** 2, dense)
        self.last = nn.Linear(dense, 1)

    def forward(self, x_s: Tensor, x_t: Tensor, k: Tensor) -> Tensor:
        """x_s and x_t (B, C, 28, 28), k (B,) in 1 … steps, to logits (B, 1)."""
        _checks.input_of(self, "x_s", x_s, ("B", *self.shape))
        _checks.input_of(self, "x_t", x_t, (len(x_s), *self.shape))
        step = _checks.indices("k", k, self.steps + 1, (len(x_s),)) - 1
        fine, coarse, dense = (bias(step) for bias in self.biases)
        h = F.pixel_unshuffle(torch.cat([x_s, x_t], dim=1), 2)
        h = F.leaky_relu(self.inward(h) + fine[:, :, None, None], SLOPE)
        h = F.leaky_relu(self.down(h) + coarse[:, :, None, None], SLOPE)
        h = F.leaky_relu(self.join(h.flatten(1)) + dense, SLOPE)
        logits: Tensor = self.last(h)
        return logits


class OfStep(nn.Module):
    """A judge of x_s alone, once x_t and the step are known: what `adversarial.Game` asks for logits.

    Args:
        discriminator: called with (x_s, x_t, k).
        x_t: (..., B, *event), as `x` will be.
        k: the number of the step for each, (..., B).
    """

    def __init__(self, discriminator: nn.Module, x_t: Tensor, k: Tensor) -> None:
        super().__init__()
        self.discriminator = _checks.module("discriminator", discriminator)
        self.x_t = _checks.tensor("x_t", x_t, ("...", "last"), finite=False)
        self.k = _checks.tensor("k", k, ("...", "B"), floating=False)
        if x_t.shape[: k.ndim] != k.shape:
            raise ValueError(f"k must hold one number for each point of x_t, {tuple(x_t.shape)}, got {tuple(k.shape)}.")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (..., m·B, 1) of points x (..., m·B, *event): m sets, for each of which the same is known."""
        batch = self.k.ndim - 1
        if _checks.tensor("x", x, finite=False).ndim != self.x_t.ndim or x.shape[batch] % self.k.shape[batch]:
            raise ValueError(
                f"x must hold whole sets of points like x_t, {tuple(self.x_t.shape)}, got {tuple(x.shape)}."
            )
        times = x.shape[batch] // self.k.shape[batch]
        known = (torch.cat([part] * times, dim=batch) for part in (self.x_t, self.k))
        logits: Tensor = self.discriminator(x, *known)
        return logits
