r"""Packing (Lin et al. 2018, PacGAN): the discriminator judges m points together, all real or all generated.

A generator that makes too few kinds of points is easier to catch in packs: m points of one mode look unlike m real
points. Only the first layer grows, from d to m·d inputs; generator and losses stay as they are.
"""

from __future__ import annotations

from torch import Tensor, nn

from diffusion_teach import _checks


class Packed(nn.Module):
    """A discriminator of packs as a discriminator of points: (..., B, d) to logits (..., B, 1).

    Points that follow one another make a pack, and each gets the logit of its pack, so that a mean over points is the
    mean over packs. A gradient penalty, a mean over points of squared slopes, counts m-fold for a pack: divide its
    weight by m.

    Args:
        discriminator: maps (..., B / m, m·d) to (..., B / m, 1).
        size: m, at least 1.

    Raises:
        ValueError: where a batch does not divide into packs.
    """

    def __init__(self, discriminator: nn.Module, size: int) -> None:
        super().__init__()
        self.discriminator = _checks.module("discriminator", discriminator)
        self.size = _checks.integer("size", size)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (..., B, 1) of points (..., B, d), m after m the same."""
        _checks.input_of(self, "x", x, ("...", "B", "d"))
        *lead, batch, dim = x.shape
        if batch % self.size:
            raise ValueError(f"a batch must divide into packs of {self.size} points, got {batch} points.")
        packs = x.reshape(*lead, batch // self.size, self.size * dim)
        logits: Tensor = self.discriminator(packs)
        return logits.repeat_interleave(self.size, dim=-2)
