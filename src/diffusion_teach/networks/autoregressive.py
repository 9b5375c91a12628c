r"""An autoregressive model of binary images: pixel after pixel, each given those before it.

    p(x|ℓ) = Π_i p(x_i | x_{<i}, ℓ),   logit of x_i = ℓ_i + F(x near i and before it; ℓ near i; place of i)

The product is a distribution whatever F is, so its likelihood is exact. ℓ (D,) or (B, D) are logits that somebody else
gives: those of the mean image make a model of its own; those of a VAE's decoder, ℓ(z), make a likelihood p(x|z) whose
pixels see one another. One small perceptron F serves every pixel, as a convolution would, and starts at zero: before
training the pixels are independent, with logits ℓ.

Source: van den Oord et al. (2016), "Pixel recurrent neural networks" (the masked convolution); Gulrajani et al. (2017),
"PixelVAE" (its use as a decoder).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks
from diffusion_teach.exact.densities import bernoulli_log_prob
from diffusion_teach.networks.mlp import MLP, fourier_features

OCTAVES = 3  # of the place: sines of 1, 2 and 4 half turns across the image


class CausalPixels(nn.Module):
    """p(x|ℓ) of square binary images, in raster order.

    Args:
        side: of the image; D = side².
        reach: how far a pixel sees, rows up and columns to each side, among the pixels before it; 0 sees none, so that
            pixels are independent given ℓ.
        context_reach: how far it sees ℓ, in every direction.
        width, depth: of the perceptron F.
    """

    before: Tensor
    around: Tensor
    place: Tensor

    def __init__(self, side: int = 28, reach: int = 5, context_reach: int = 2, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        width, depth = _checks.integer("width", width), _checks.integer("depth", depth, least=0)
        self.side = _checks.integer("side", side)
        self.pad = max(
            _checks.integer("reach", reach, least=0), _checks.integer("context_reach", context_reach, least=0)
        )
        stride = side + 2 * self.pad
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        centre = (rows + self.pad) * stride + columns + self.pad
        before = [
            row * stride + column
            for row in range(-reach, 1)
            for column in range(-reach, reach + 1)
            if row < 0 or column < 0
        ]
        around = [
            row * stride + column
            for row in range(-context_reach, context_reach + 1)
            for column in range(-context_reach, context_reach + 1)
        ]
        self.register_buffer("before", centre.reshape(-1, 1) + torch.tensor(before, dtype=torch.long), persistent=False)
        self.register_buffer("around", centre.reshape(-1, 1) + torch.tensor(around), persistent=False)
        place = torch.stack([rows, columns], dim=-1).reshape(-1, 2) / side
        self.register_buffer("place", fourier_features(place, OCTAVES, base=math.pi), persistent=False)
        self.network = MLP(len(before) + len(around) + self.place.shape[1], 1, width, depth)
        with torch.no_grad():
            for parameter in self.network.layers[-1].parameters():
                parameter.zero_()

    @property
    def pixels(self) -> int:
        """D = side²."""
        return self.side**2

    def _padded(self, values: Tensor) -> Tensor:
        """(B, D) with a margin of zeros around the image, flat: (B, (side + 2·pad)²)."""
        return F.pad(values.unflatten(-1, (self.side, self.side)), [self.pad] * 4).flatten(1)

    def _inputs(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Ink as 1, paper as −1, the margin 0; logits squeezed into (−1, 1)."""
        _checks.input_of(self, "x", x, ("B", self.pixels))
        _checks.input_of(self, "context", context, ("...", self.pixels))
        if context.shape not in ((self.pixels,), tuple(x.shape)):
            raise ValueError(
                f"context must be logits of shape ({self.pixels},) or {tuple(x.shape)}, got {tuple(context.shape)}."
            )
        return self._padded(2 * x - 1), self._padded((context / 4).tanh().expand_as(x))

    def logits(self, x: Tensor, context: Tensor) -> Tensor:
        """The logit of every pixel given those before it, (B, D), of images x (B, D) and ℓ (D,) or (B, D)."""
        seen, given = self._inputs(x, context)
        place = self.place.expand(len(x), -1, -1)
        features = torch.cat([seen[:, self.before], given[:, self.around], place], dim=-1)
        return context + self.network(features).squeeze(-1)

    def log_prob(self, x: Tensor, context: Tensor) -> Tensor:
        """log p(x|ℓ) in nats, exact, shape (B,)."""
        return bernoulli_log_prob(x, self.logits(x, context))

    def log_prob_of_some(
        self, x: Tensor, context: Tensor, count: int, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """An unbiased estimate of Σ_b log p(x_b|ℓ_b)/B from `count` random pixels of the batch: a scalar to train."""
        seen, given = self._inputs(_checks.tensor("x", x), _checks.tensor("context", context))
        chosen = torch.randint(x.numel(), (_checks.integer("count", count),), generator=_checks.generator(generator))
        image, pixel = chosen // self.pixels, chosen % self.pixels
        rows = image.unsqueeze(1)
        features = torch.cat([seen[rows, self.before[pixel]], given[rows, self.around[pixel]], self.place[pixel]], 1)
        base = context.expand_as(x)[image, pixel]
        logit = base + self.network(features).squeeze(-1)
        return self.pixels * bernoulli_log_prob(x[image, pixel], logit) / count

    @torch.no_grad()
    def sample(self, context: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """One binary image for each row of ℓ (B, D), shape (B, D): D steps, one a pixel."""
        _checks.input_of(self, "context", context, ("B", self.pixels))
        _checks.tensor("context", context)
        _checks.generator(generator)
        x = torch.zeros_like(context)
        seen, given = self._inputs(x, context)
        seen = torch.zeros_like(seen)
        centre = self.around[:, self.around.shape[1] // 2]
        for pixel in range(self.pixels):
            place = self.place[pixel].expand(len(x), -1)
            features = torch.cat([seen[:, self.before[pixel]], given[:, self.around[pixel]], place], 1)
            probability = (context[:, pixel] + self.network(features).squeeze(-1)).sigmoid()
            x[:, pixel] = torch.bernoulli(probability, generator=generator)
            seen[:, centre[pixel]] = 2 * x[:, pixel] - 1
        return x
