r"""The losses of adversarial pairs, of a discriminator and a generator that play a game; `training.fit_gan` plays it.

A step draws real points and noise, lets the discriminator descend its loss on real against generated points, and then
the generator its own. With D the discriminator's logit, high on data:

| game               | discriminator                        | generator                    | source                    |
|--------------------|--------------------------------------|------------------------------|---------------------------|
| `"non-saturating"` | −E log σ(D(x)) − E log σ(−D(G(z)))   | −E log σ(D(G(z)))            | Goodfellow et al. 2014    |
| `"saturating"`     | the same                             | E log σ(−D(G(z)))            | the same, eq. 1           |
| `"relativistic"`   | −E log σ(D(x) − D(G(z)))             | −E log σ(D(G(z)) − D(x))     | Jolicoeur-Martineau 2019  |
| `"wasserstein"`    | E D(G(z)) − E D(x)                   | −E D(G(z))                   | Arjovsky et al. 2017      |

Three penalties may be added to the discriminator's loss, each with its weight:

    R₁ = r1/2 · E‖∇D(x)‖²,   R₂ = r2/2 · E‖∇D(G(z))‖²                                         (Mescheder et al. 2018)
    gp · E(‖∇D(x̂)‖ − 1)²,   x̂ = u·x + (1 − u)·G(z),  u uniform in [0, 1]                       (Gulrajani et al. 2017)

Points may be of any shape, vectors (..., B, d) or images (B, C, H, W). Networks of vectors may be batches of M members,
as in `networks.mlp`: losses are means over points and sums over members, so each is trained as if it were alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from diffusion_teach import _checks
from diffusion_teach.objectives.gradient_penalties import (
    gradient_penalty,
    input_gradients,
    logits_of,
    zero_centred_penalty,
)

GAMES = ("non-saturating", "saturating", "relativistic", "wasserstein")


def discriminator_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss from its logits on real and on generated points (..., B), per member: (...)."""
    _logits(game, real, fake)
    if game == "wasserstein":
        return (fake - real).mean(-1)
    if game == "relativistic":
        return softplus(fake - real).mean(-1)
    return (softplus(-real) + softplus(fake)).mean(-1)


def generator_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """The generator's loss from the same logits; real ones enter in the relativistic game only."""
    _logits(game, real, fake)
    if game == "wasserstein":
        return -fake.mean(-1)
    if game == "relativistic":
        return softplus(real - fake).mean(-1)
    return softplus(-fake).mean(-1) if game == "non-saturating" else -softplus(fake).mean(-1)


def _logits(game: str, real: Tensor, fake: Tensor) -> None:
    _checks.choice("game", game, GAMES)
    _checks.tensor("real", real, finite=False)
    _checks.tensor("fake", fake, finite=False)
    _checks.same_shape("fake", fake, "real", real)


@dataclass(frozen=True, kw_only=True)
class Game:
    """A game and its penalties, see the table above.

    Args:
        name: one of `GAMES`.
        r1, r2: γ of R₁ and of R₂, at least 0.
        gp: λ of the penalty that pulls slopes between the two kinds of points to 1, at least 0.
    """

    name: str = "non-saturating"
    r1: float = 0.0
    r2: float = 0.0
    gp: float = 0.0

    def __post_init__(self) -> None:
        _checks.choice("game", self.name, GAMES)
        for weight in ("r1", "r2", "gp"):
            object.__setattr__(self, weight, _checks.number(weight, getattr(self, weight), least=0))

    def discriminator_turn(self, discriminator: nn.Module, x: Tensor, x_g: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """The discriminator's loss and its penalties, each per member (...).

        Args:
            discriminator: maps points (..., B, *event) to logits (..., B, 1).
            x, x_g: real and generated points.
            u: (..., B) in [0, 1], where `gp` looks.
        """
        _checks.same_shape("x_g", _checks.tensor("x_g", x_g, finite=False), "x", _checks.tensor("x", x, finite=False))
        batch = _checks.tensor("u", u).ndim - 1
        both = torch.cat([x, x_g], dim=batch).requires_grad_(self.r1 > 0 or self.r2 > 0)
        logits = logits_of(discriminator, both)
        real, fake = logits.chunk(2, dim=-1)
        loss = discriminator_loss(self.name, real, fake)
        penalty = torch.zeros_like(loss)
        if both.requires_grad:
            on_real, on_fake = input_gradients(logits, both).chunk(2, dim=-2)
            penalty = self.r1 * zero_centred_penalty(on_real) + self.r2 * zero_centred_penalty(on_fake)
        if self.gp > 0:
            penalty = penalty + self.gp * gradient_penalty(discriminator, x, x_g, u)
        return loss, penalty

    def generator_turn(self, discriminator: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
        """The generator's loss per member (...), with no gradient for the discriminator's weights."""
        _checks.same_shape("x_g", _checks.tensor("x_g", x_g, finite=False), "x", _checks.tensor("x", x, finite=False))
        with _frozen(discriminator):
            fake = logits_of(discriminator, x_g)
            real = logits_of(discriminator, x) if self.name == "relativistic" else fake.detach()
        return generator_loss(self.name, real, fake)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """What is computed within has no gradient for the network's weights, which saves computing it."""
    trained = [weight for weight in _checks.module("discriminator", network).parameters() if weight.requires_grad]
    for weight in trained:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)
