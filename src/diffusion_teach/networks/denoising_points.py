r"""The two players of a denoising diffusion GAN of points, many of them at once: perceptrons, as in `networks.mlp`.

The generator takes (x_t, t, z) and answers x₀; the judge takes (x_s, x_t) and the number k of the step. Both see points
through Fourier features, as the duel of chapter 11 does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.mlp import MLP, TimeMLP, fourier_features


class LatentMLP(TimeMLP):
    """M perceptrons (x_t, t, z) to x₀.

    Args:
        latent: numbers of z.
        settings: of `mlp.TimeMLP`.
    """

    def __init__(self, latent: int = 4, **settings: Any) -> None:
        latent = _checks.integer("latent", latent)
        super().__init__(beside=latent, **settings)
        self.latent = latent

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """x_t (..., B, dim), t as of `mlp.TimeMLP`, the noise z (..., B, latent) as `cond`, to x₀ like x_t."""
        seen = self._inputs(x_t, t)
        z = _checks.input_of(self, "cond", cond, (*x_t.shape[:-1], self.latent))
        return self.mlp(torch.cat([seen, z], dim=-1))


class StepMLP(nn.Module):
    """M perceptrons (x_s, x_t, k) to a logit.

    Args:
        steps: how many steps there are; k is from 1 to `steps`.
        dim, width, depth, fourier_octaves, members, generator: as of `mlp.TimeMLP`.
    """

    def __init__(
        self,
        steps: int = 4,
        dim: int = 2,
        width: int = 64,
        depth: int = 2,
        fourier_octaves: int = 0,
        members: int | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.steps, self.dim = _checks.integer("steps", steps), _checks.integer("dim", dim)
        self.octaves = _checks.integer("fourier_octaves", fourier_octaves, least=0, most=16)
        seen = 2 * dim * (1 + 2 * self.octaves) + steps
        self.mlp = MLP(seen, 1, width, depth, members=members, generator=generator)

    def forward(self, x_s: Tensor, x_t: Tensor, k: Tensor) -> Tensor:
        """x_s and x_t (..., B, dim), k (..., B) in 1 … steps, to logits (..., B, 1)."""
        _checks.input_of(self, "x_s", x_s, ("...", "B", self.dim))
        _checks.input_of(self, "x_t", x_t, tuple(x_s.shape))
        step = _checks.indices("k", k, self.steps + 1, tuple(x_s.shape[:-1])) - 1
        known = nn.functional.one_hot(step, self.steps).to(x_s)
        parts = [fourier_features(x_s, self.octaves), fourier_features(x_t, self.octaves), known]
        return self.mlp(torch.cat(parts, dim=-1))
