r"""Training an adversarial pair: two networks, two losses, and two optimisers that take turns.

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

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from diffusion_teach import _checks
from diffusion_teach.training import EMA, History, fit

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


def slopes(logits: Tensor, x: Tensor) -> Tensor:
    """∇ₓD at each point, (..., B, d), from the logits (..., B) of the points x (..., B, *event) of d numbers each.

    Raises:
        ValueError: where x does not require gradients, or the logits were not computed from it.
    """
    _checks.tensor("logits", logits, tuple(x.shape[: logits.ndim]), finite=False)
    if not x.requires_grad:
        raise ValueError("x must require gradients before the discriminator sees it. Call x.requires_grad_() first.")
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.flatten(logits.ndim)


def gradient_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """R₁ or R₂ of weight 1, ½·E‖∇ₓD‖², from logits (..., B) and their points x (..., B, *event), per member (...)."""
    return 0.5 * slopes(logits, x).square().sum(-1).mean(-1)


def lipschitz_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    """E(‖∇D(x̂)‖ − 1)² at x̂ = u·real + (1 − u)·fake, per member (...), from points (..., B, *event) and u (..., B)."""
    between = torch.lerp(fake, real, u.reshape(u.shape + (1,) * (real.ndim - u.ndim))).requires_grad_()
    norms = torch.linalg.vector_norm(slopes(_judged(discriminator, between), between), dim=-1)
    return (norms - 1).square().mean(-1)


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
        for penalty in ("r1", "r2", "gp"):
            _checks.number(penalty, getattr(self, penalty), least=0)

    def discriminator_turn(self, discriminator: nn.Module, x: Tensor, x_g: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """The discriminator's loss and its penalties, each per member (...).

        Args:
            discriminator: maps points (..., B, *event) to logits (..., B, 1).
            x, x_g: real and generated points.
            u: (..., B) in [0, 1], where `gp` looks.
        """
        batch = u.ndim - 1
        both = torch.cat([x, x_g], dim=batch).requires_grad_(self.r1 > 0 or self.r2 > 0)
        logits = _judged(discriminator, both)
        real, fake = logits.chunk(2, dim=-1)
        loss = discriminator_loss(self.name, real, fake)
        penalty = torch.zeros_like(loss)
        if both.requires_grad:
            on_real, on_fake = slopes(logits, both).square().sum(-1).chunk(2, dim=-1)
            penalty = penalty + 0.5 * (self.r1 * on_real.mean(-1) + self.r2 * on_fake.mean(-1))
        if self.gp > 0:
            penalty = penalty + self.gp * lipschitz_penalty(discriminator, x, x_g, u)
        return loss, penalty

    def generator_turn(self, discriminator: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
        """The generator's loss per member (...), with no gradient for the discriminator's weights."""
        with _frozen(discriminator):
            fake = _judged(discriminator, x_g)
            real = _judged(discriminator, x) if self.name == "relativistic" else fake.detach()
        return generator_loss(self.name, real, fake)


def fit_gan(
    generator_net: nn.Module,
    discriminator: nn.Module,
    real: Callable[[], Tensor],
    noise: Callable[[], Tensor],
    *,
    steps: int,
    game: str = "non-saturating",
    r1: float = 0.0,
    r2: float = 0.0,
    gp: float = 0.0,
    discriminator_steps: int = 1,
    lr: float = 1e-3,
    decay: str = "cosine",
    betas: tuple[float, float] = (0.0, 0.99),
    ema: EMA | None = None,
    generator: torch.Generator | None = None,
    on_step: Callable[[int, float], None] | None = None,
    progress: bool | None = None,
) -> History:
    """Train the pair in place, one step of each in turn, with Adam.

    Args:
        generator_net: maps noise (..., B, z) to points (..., B, *event).
        discriminator: maps points to logits (..., B, 1).
        real, noise: draw a fresh batch of points, of noise.
        steps: how many turns.
        game, r1, r2, gp: see `Game`.
        discriminator_steps: of the discriminator for each of the generator, as WGAN's critic takes them.
        lr, decay: the learning rate of both, and its course.
        betas: Adam's. No momentum by default: the gradient of a game turns, and momentum overshoots.
        ema: an average of the generator, updated after each step.
        generator: draws where `gp` looks.
        on_step, progress: see `training.loop`.

    Returns:
        The discriminator's loss without penalty, mean over members. Where it cannot tell it is log 4, or log 2 in the
        relativistic game, or 0 in that of Wasserstein.

    Raises:
        FloatingPointError: when a loss is NaN or infinite, as in a game that diverges.
    """
    rules = Game(name=game, r1=r1, r2=r2, gp=gp)
    _checks.integer("discriminator_steps", discriminator_steps)
    _checks.number("lr", lr, above=0)
    players = (discriminator, generator_net)
    adam_d, adam_g = (torch.optim.Adam(player.parameters(), lr=lr, betas=betas, fused=True) for player in players)
    losses: list[float] = []
    seen: Tensor | None = None

    def discriminate() -> Tensor:
        nonlocal seen
        seen = real()
        z = noise()
        with torch.no_grad():
            x_g = generator_net(z)
        _checks.same_shape("generated points", x_g, "real points", seen)
        u = torch.rand(z.shape[:-1], generator=generator) if gp > 0 else torch.empty(z.shape[:-1])
        loss, penalty = rules.discriminator_turn(discriminator, seen, x_g, u.to(x_g))
        losses.append(float(loss.detach().mean()))
        return (loss + penalty).sum()

    def generate() -> Tensor:
        assert seen is not None
        return rules.generator_turn(discriminator, seen, generator_net(noise())).sum()

    def after(step: int, _: float) -> None:
        if on_step is not None:
            on_step(step, losses[-1])

    history = fit(
        nn.ModuleList(players),
        [discriminate] * discriminator_steps + [generate],
        steps=steps,
        decay=decay,
        optimizers=[adam_d] * discriminator_steps + [adam_g],
        ema=ema,
        on_step=after,
        progress=progress,
    )
    history.losses = losses[discriminator_steps - 1 :: discriminator_steps][: history.steps_done]
    return history


def _judged(discriminator: nn.Module, x: Tensor) -> Tensor:
    """The logits (..., B) of points."""
    logits: Tensor = discriminator(x)
    return logits.squeeze(-1)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """What is computed within has no gradient for the network's weights, which saves computing it."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
