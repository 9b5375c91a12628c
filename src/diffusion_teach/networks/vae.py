r"""A variational autoencoder of binary digits: perceptrons both ways, as in the paper.

    q(z|x) = N(μ(x), diag σ²(x)),   p(x|z) = Π_i Bernoulli(x_i; sigmoid(ℓ_i(z))),   p(z) = N(0, I)

Given z the pixels are independent of one another: what z does not say about a pixel is left to a coin.

Source: Kingma and Welling (2014), appendix C.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.exact.densities import bernoulli_log_prob
from diffusion_teach.networks.autoregressive import CausalPixels
from diffusion_teach.networks.network import OneStepGenerator


def _perceptron(sizes: list[int]) -> nn.Sequential:
    layers = [layer for i, o in itertools.pairwise(sizes) for layer in (nn.Linear(i, o), nn.SiLU())]
    return nn.Sequential(*layers[:-1])


class VAE(OneStepGenerator):
    """Encoder D → width → … → 2J and decoder J → width → … → D, with silu between.

    Args:
        latents: J.
        width, depth: units of a hidden layer, and number of hidden layers each way.
        pixels: D.
        ink: mean image (D,), values in [0, 1]; the decoder starts there, which saves the first steps of training.
    """

    def __init__(
        self, latents: int = 20, width: int = 200, pixels: int = 784, *, depth: int = 1, ink: Tensor | None = None
    ) -> None:
        super().__init__()
        self.latents = _checks.integer("latents", latents)
        self.pixels = _checks.integer("pixels", pixels)
        self.shape = (1, *[math.isqrt(self.pixels)] * 2)
        width = _checks.integer("width", width)
        hidden = [width] * _checks.integer("depth", depth)
        self.encoder = _perceptron([pixels, *hidden, 2 * latents])
        self.decoder = _perceptron([latents, *hidden, pixels])
        if ink is not None:
            _checks.tensor("ink", ink, (pixels,))
            with torch.no_grad():
                list(self.decoder.parameters())[-1].copy_(ink.clamp(0.002, 0.998).logit())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), both (B, J), of binary images x (B, D)."""
        _checks.input_of(self, "x", x, ("B", self.pixels))
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """Logits ℓ(z) of the pixels, (B, D), of codes z (B, J)."""
        _checks.input_of(self, "z", z, ("B", self.latents))
        return self.decoder(z)

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Images of codes from the prior, drawn on the CPU: the probabilities of ink, in [−1, 1], (count, 1, H, H)."""
        if math.prod(self.shape) != self.pixels:
            raise ValueError(f"sample draws square images, and {self.pixels} pixels are none. Use decode.")
        count = _checks.integer("count", count)
        z = torch.randn(count, self.latents, generator=_checks.generator(generator))
        return 2 * self.decode(z.to(self.device)).sigmoid().view(count, *self.shape) - 1

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) in nats, shape (B,)."""
        return bernoulli_log_prob(x, self.decode(z))


class PixelVAE(nn.Module):
    """A VAE whose likelihood is not per pixel: p(x|z) = Π_i p(x_i | x_{<i}, ℓ(z)), with the same encoder and prior.

    Args:
        vae: gives q(z|x) and the logits ℓ(z).
        pixels: the autoregressive likelihood; before it is trained, the model is the VAE.

    Source: Gulrajani et al. (2017), "PixelVAE".
    """

    def __init__(self, vae: VAE, pixels: CausalPixels) -> None:
        super().__init__()
        self.vae = _checks.instance("vae", vae, VAE, "a VAE")
        self.pixels = _checks.instance("pixels", pixels, CausalPixels, "a CausalPixels")

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), both (B, J): the VAE's."""
        return self.vae.encode(x)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) in nats, exact, shape (B,)."""
        return self.pixels.log_prob(x, self.vae.decode(z))
