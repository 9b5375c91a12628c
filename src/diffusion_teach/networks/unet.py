r"""A small U-Net for digits: x_t and t to one number a pixel, such as the noise.

    28×28 ─ space-to-depth ─ 14×14 ─ residual ─┬─ 7×7 ─ residual, dense, residual ─ 14×14 ─┬─ residual ─ 28×28
                                               └──────────────────── skip ─────────────────┘

It is made to train on two CPU cores. Nothing convolves at 28×28: the stem folds each 2×2 block of pixels into four
channels, which costs nothing and saves most of the work. At 14×14, where a convolution costs most, a residual block has
one; at 7×7 it has two. The default widths are multiples of 16 numbers, the vector unit's size; tensors stay in
channels_last, so that a convolution reads the channels of a place in one go. Norms are over these channels, place by
place, as ConvNeXt has them (Liu et al. 2022): a group norm, which also runs over the places, takes four times as long.
Under `devices.autocast` its inside runs in bfloat16. What enters and what leaves does not: rounded to 16 bits there,
the answer has an error whose gradient is larger than the true one once the network has learned.

In the middle, where other U-Nets have attention, a small dense layer joins all places. It knows where each is, which
suits digits that sit in the middle of the picture, and costs next to nothing.

The network adds a learned, time-dependent share of x_t to its output: at high noise the answer for ε is nearly x_t
itself, and need not be carried through the convolutions.

Bits are decided by the last digits of a pixel, which a network does not see of itself: `fourier` shows it the waves
sin(2ⁿπx) and cos(2ⁿπx) of each (Kingma et al. 2021, section 3.4).

Source: Ronneberger et al. (2015) for the U; Ho et al. (2020), appendix B, for residual blocks with time embedding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks, devices
from diffusion_teach.networks.network import Network
from diffusion_teach.schedules import check_time

Layer = TypeVar("Layer", bound=nn.Module)

VECTOR = 8
FASTEST = 1000.0
"""The highest frequency of the time embedding, radians per unit of t: it tells DDPM's 1,000 steps apart."""


class TimedNetwork(Network):
    """A network of images that hears the time as sines and cosines, through two dense layers."""

    frequencies: Tensor
    shape: tuple[int, ...]

    def _hear_time(self, embedding: int) -> None:
        """Make the layers of an embedding of E numbers, E even."""
        _multiple("embedding", _checks.integer("embedding", embedding, least=4), 2)
        frequencies = torch.exp(torch.linspace(0, math.log(FASTEST), embedding // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.embed = nn.Sequential(nn.Linear(embedding, embedding), nn.SiLU(), nn.Linear(embedding, embedding))

    def _check(self, x_t: Tensor, t: Tensor) -> None:
        _checks.input_of(self, "x_t", x_t, ("B", *self.shape))
        check_time(t)
        if t.ndim > 1 or (t.ndim == 1 and len(t) != len(x_t)):
            raise ValueError(
                f"t must be one number or hold one for each image, ({len(x_t)},); got shape {tuple(t.shape)}."
            )

    def _time_waves(self, t: Tensor, like: Tensor) -> Tensor:
        """Sines and cosines of a time t, 0-dimensional or (B,), (1 or B, E) in the dtype of `like`."""
        angle = t.reshape(-1, 1).to(like) * self.frequencies
        return torch.cat([angle.sin(), angle.cos()], dim=1)


class UNet(TimedNetwork):
    """A U-Net of two resolutions, called as network(x_t, t, cond).

    Args:
        width: channels at half and at quarter resolution, multiples of 8; 16 or more use the vector units well.
        blocks: residual blocks at quarter resolution.
        dense: width of the dense layer that joins all places of the quarter resolution; 0 for none.
        planes: channels that the dense layer sees of each place.
        image_channels: 1 for digits.
        image_size: height and width, a multiple of 4.
        embedding: size of the time embedding, even.
        classes: how many labels `cond` may name; 0 for a network that takes none. One more row is learned for "no
            label", which cond = None and the label `classes` stand for.
        fourier: the n of the waves of the pixels that the stem sees besides them; none by default.
    """

    def __init__(
        self,
        width: tuple[int, int] = (32, 64),
        *,
        blocks: int = 2,
        dense: int = 256,
        planes: int = 8,
        image_channels: int = 1,
        image_size: int = 28,
        embedding: int = 64,
        classes: int = 0,
        fourier: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        for channels in _checks.sizes("width", width, 2):
            _multiple("width", channels, VECTOR)
        blocks = _checks.integer("blocks", blocks)
        planes = _checks.integer("planes", planes)
        self.shape = (_checks.integer("image_channels", image_channels), *[_multiple("image_size", image_size, 4)] * 2)
        self.classes = _checks.integer("classes", classes, least=0)
        waves = () if fourier is None else _checks.sizes("fourier", fourier)
        self.fourier = tuple(_checks.integer("fourier", n, most=16) for n in waves)
        fine, coarse = width
        folded = 4 * image_channels

        self._hear_time(embedding)
        self.labels = nn.Embedding(classes + 1, embedding) if classes else None

        self.stem = nn.Conv2d(folded * (1 + 2 * len(self.fourier)), fine, 3, padding=1)
        self.encoder = ResidualBlock(fine, embedding, convolutions=1)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.middle = nn.ModuleList(ResidualBlock(coarse, embedding, convolutions=2) for _ in range(blocks))
        if _checks.integer("dense", dense, least=0):
            self.middle.insert(blocks // 2, DenseBlock(coarse, image_size // 4, planes, dense, embedding))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.join = nn.Conv2d(2 * fine, fine, 1)
        self.decoder = ResidualBlock(fine, embedding, convolutions=1)
        self.last_norm = ChannelNorm(fine)
        self.head = zeroed(nn.Conv2d(fine, folded, 3, padding=1))
        self.share = nn.Linear(embedding, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """The network's answer, shaped like x_t.

        Args:
            x_t: (B, C, H, W) of the network's size.
            t: in [0, 1], 0-dimensional or (B,).
            cond: labels (B,), or None.

        Raises:
            TypeError, ValueError: for shapes or dtypes that do not fit, and labels
                that the network does not know.
        """
        self._check(x_t, t)
        in_full = devices.autocast(x_t.device, "float32")
        with in_full:
            e = self._embedding(t, cond, x_t)
            folded = F.pixel_unshuffle(self._with_waves(x_t), 2)
            h = self.stem(folded.contiguous(memory_format=torch.channels_last))
        skip = self.encoder(h, e)
        h = self.down(skip)
        for block in self.middle:
            h = block(h, e)
        h = self.join(torch.cat([skip, self.up(h)], dim=1))
        h = self.decoder(h, e)
        with in_full:
            y = F.pixel_shuffle(self.head(F.silu(self.last_norm(h.to(x_t.dtype)))), 2)
            return y + self.share(e)[:, :, None, None] * x_t

    def inside(self) -> list[nn.Parameter]:
        """The convolutions between the first and the last layer: the weights that `optimizers.Muon` is for."""
        parts = (self.encoder, self.down, self.middle, self.up, self.join, self.decoder)
        return [p for part in parts for p in part.parameters() if p.ndim == 4]

    def _with_waves(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) and the waves of each number, as further channels."""
        angles = [2**n * math.pi * x for n in self.fourier]
        return torch.cat([x, *(a.sin() for a in angles), *(a.cos() for a in angles)], dim=1) if angles else x

    def _embedding(self, t: Tensor, cond: Tensor | None, x_t: Tensor) -> Tensor:
        """The embedding of time and label, (B, E), or (1, E) where all images share them."""
        e = self.embed(self._time_waves(t, x_t))
        if self.labels is None:
            if cond is not None:
                raise ValueError("cond must be None: this U-Net takes no labels. Make one with UNet(classes=10).")
        else:
            none = torch.full((1,), self.classes, device=x_t.device)
            labels = none if cond is None else _checks.indices("cond", cond, self.classes + 1, (len(x_t),))
            e = e + self.labels(labels)
        return F.silu(e)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of h (B, C, H, W) at each place."""

    def forward(self, h: Tensor) -> Tensor:
        weight, bias = self.weight.to(h.dtype), self.bias.to(h.dtype)  # or autocast would make everything float32
        return F.layer_norm(h.permute(0, 2, 3, 1), self.normalized_shape, weight, bias, self.eps).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """h + f(h, e): one or two 3×3 convolutions; the embedding e (B or 1, E) scales and shifts what enters the last.

    The last convolution starts at zero, so that a fresh block passes h (B, C, H, W) on unchanged.
    """

    def __init__(self, channels: int, embedding: int, convolutions: int) -> None:
        super().__init__()
        self.first = nn.Sequential()
        if convolutions == 2:
            self.first.extend([ChannelNorm(channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)])
        self.norm = ChannelNorm(channels)
        self.modulation = zeroed(nn.Linear(embedding, 2 * channels))
        self.last = zeroed(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        scale, shift = self.modulation(e)[:, :, None, None].chunk(2, dim=1)
        f = torch.addcmul(shift, self.norm(self.first(h)), 1 + scale)
        return h + self.last(F.silu(f))


class DenseBlock(nn.Module):
    """h + f(h, e): a dense layer over all places of h (B, C, size, size), squeezed to a few planes before it.

    Scale and shift between its two maps are set by the embedding e (B or 1, E), as in a residual block.
    """

    def __init__(self, channels: int, size: int, planes: int, width: int, embedding: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.squeeze = nn.Conv2d(channels, planes, 1)
        self.inward = nn.Linear(planes * size * size, width)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zeroed(nn.Linear(embedding, 2 * width))
        self.outward = nn.Linear(width, planes * size * size)
        self.spread = zeroed(nn.Conv2d(planes, channels, 1))

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        scale, shift = self.modulation(e).chunk(2, dim=1)
        planes = self.squeeze(self.norm(h)).permute(0, 2, 3, 1)
        f = torch.addcmul(shift, self.norm2(self.inward(planes.flatten(1))), 1 + scale)
        f = self.outward(F.silu(f)).view(planes.shape)
        return h + self.spread(f.permute(0, 3, 1, 2))


def zeroed(layer: Layer) -> Layer:
    """The layer, its parameters set to 0."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _multiple(name: str, value: int, of: int) -> int:
    value = _checks.integer(name, value)
    if value % of:
        raise ValueError(f"{name} must be a multiple of {of}, got {value}. Try {of * max(1, round(value / of))}.")
    return value
