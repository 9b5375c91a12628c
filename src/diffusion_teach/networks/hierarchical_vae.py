r"""A VAE with several levels of latents: the codes have codes, drawn and guessed from the top down.

    p(x, z) = p(z_L) p(z_{L−1}|z_L) … p(z₁|z₂) p(x|z₁),   q(z|x) = q(z_L|x) q(z_{L−1}|z_L, x) … q(z₁|z₂, x)

p(z_L) = N(0, I); every other factor of z is a Gaussian with independent coordinates, and p(x|z₁) a coin for each pixel.
The bound has a price for each level, in nats,

    log p(x) ≥ E_q[log p(x|z₁) − Σ_l KL(q(z_l|z_{l+1}, x) ‖ p(z_l|z_{l+1}))].

One level is the VAE.

Source: Sønderby et al. (2016), "Ladder variational autoencoders", for guesses from the top down. There a guess is a
product of two Gaussians; here its mean and its log-variance are sums of what the picture says and the level above adds.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from diffusion_teach import _checks
from diffusion_teach.exact.densities import bernoulli_log_prob, gaussian_kl, gaussian_log_prob
from diffusion_teach.networks.mlp import MLP
from diffusion_teach.networks.network import OneStepGenerator


class Levels(NamedTuple):
    """What one draw z ~ q(z|x) of all levels says of the images x (B, D).

    Attributes:
        reconstruction: log p(x|z₁), (B,).
        kl: KL(q(z_l|z_{l+1}, x) ‖ p(z_l|z_{l+1})) of each level, z₁ first, (B, L).
        log_weight: log p(x, z) − log q(z|x), (B,), which many draws average, see `objectives.variational.iwae_bound`.
    """

    reconstruction: Tensor
    kl: Tensor
    log_weight: Tensor

    @property
    def value(self) -> Tensor:
        """The bound on log p(x), (B,)."""
        return self.reconstruction - self.kl.sum(-1)


class HierarchicalVAE(OneStepGenerator):
    """Levels of latents over binary images, with one hidden layer wherever a network stands.

    It starts as a VAE of its lowest level: the upper ones say nothing yet.

    Args:
        latents: J₁ … J_L, from the pixels up.
        width: units of the hidden layers next to the pixels.
        pixels: D.
        inner: units of the hidden layers between levels.
        ink: mean image (D,), values in [0, 1], where the decoder starts.
    """

    def __init__(
        self,
        latents: tuple[int, ...] = (20, 10),
        width: int = 200,
        pixels: int = 784,
        *,
        inner: int = 64,
        ink: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.latents = _checks.sizes("latents", latents)
        self.pixels = _checks.integer("pixels", pixels)
        width, inner = _checks.integer("width", width), _checks.integer("inner", inner)
        self.shape = (1, *[math.isqrt(self.pixels)] * 2)
        units = [self.pixels, width, *[inner] * (len(self.latents) - 1)]
        self.features = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(units))
        self.guesses = nn.ModuleList(nn.Linear(i, 2 * j) for i, j in zip(units[1:], self.latents, strict=True))
        self.above = nn.ModuleList(MLP(upper, 4 * j, inner, 1) for j, upper in itertools.pairwise(self.latents))
        self.decoder = MLP(self.latents[0], self.pixels, width, 1)
        with torch.no_grad():
            for network in self.above:
                for parameter in cast(MLP, network).layers[-1].parameters():
                    parameter.zero_()
            if ink is not None:
                _checks.tensor("ink", ink, (self.pixels,))
                list(self.decoder.parameters())[-1].copy_(ink.clamp(0.002, 0.998).logit())

    def forward(self, x: Tensor, *, generator: torch.Generator | None = None) -> Levels:
        """Guess z of images x (B, D), a draw each, level after level from the top."""
        _checks.input_of(self, "x", x, ("B", self.pixels))
        said = self._said(x)  # by the picture, of each level
        prior = told = torch.zeros_like(said[-1])  # by the level above
        kl, log_weight = [], torch.zeros_like(x[:, 0])
        for level in reversed(range(len(self.latents))):
            p, q = prior.chunk(2, 1), (said[level] + told).chunk(2, 1)
            z = _draw(q, generator)
            kl.append(_divergence(*q, *p))
            log_weight = log_weight + gaussian_log_prob(z, *p)
            log_weight = log_weight - gaussian_log_prob(z, *q)
            if level:
                prior, told = self.above[level - 1](z).chunk(2, 1)
        log_likelihood = bernoulli_log_prob(x, self.decode(z))
        divergences = torch.stack(kl[::-1], 1)
        return Levels(log_likelihood, divergences, log_likelihood + log_weight)

    def _said(self, x: Tensor) -> list[Tensor]:
        """What the picture says of each level's mean and log-variance, (B, 2J) each, from the pixels up."""
        said = []
        for feature, guess in zip(self.features, self.guesses, strict=True):
            x = silu(feature(x))
            said.append(guess(x))
        return said

    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixels, (B, D), of codes z₁ (B, J₁)."""
        _checks.input_of(self, "z", z, ("B", self.latents[0]))
        return self.decoder(z)

    def codes(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Codes z₁ of the model, (count, J₁): level after level from the top, drawn on the CPU."""
        count = _checks.integer("count", count)
        z = torch.randn(count, self.latents[-1], generator=_checks.generator(generator)).to(next(self.parameters()))
        for network in reversed(self.above):
            prior, _ = network(z).chunk(2, 1)
            z = _draw(prior.chunk(2, 1), generator)
        return z

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Images of codes from the prior: the probabilities of ink, in [−1, 1], (count, 1, H, H)."""
        if math.prod(self.shape) != self.pixels:
            raise ValueError(f"sample draws square images, and {self.pixels} pixels are none. Use codes and decode.")
        codes = self.codes(count, generator=generator)
        return 2 * self.decode(codes).sigmoid().view(count, *self.shape) - 1


def _draw(gaussian: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
    """A reparameterised draw of a Gaussian, its mean and log-variance, with noise from the CPU."""
    mean, log_variance = gaussian
    eps = torch.randn(mean.shape, dtype=mean.dtype, generator=_checks.generator(generator))
    return mean + (log_variance / 2).exp() * eps.to(mean.device)


def _divergence(mean: Tensor, log_variance: Tensor, prior_mean: Tensor, prior_log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(prior_mean, prior_variance)), (B,): in units of the prior it is that to N(0, I)."""
    moved = (mean - prior_mean) / (prior_log_variance / 2).exp()
    return gaussian_kl(moved, log_variance - prior_log_variance)
