"""Training an adversarial pair: two networks, two losses, and two optimisers that take turns."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.training.ema import EMA
from diffusion_teach.training.loop import History, fit
from diffusion_teach.training.optimizers import adamw


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
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.0, 0.99),
    ema: EMA | None = None,
    generator: torch.Generator | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    """Train the pair in place, one step of each in turn, with Adam.

    Args:
        generator_net: maps noise (..., B, z) to points (..., B, *event).
        discriminator: maps points to logits (..., B, 1).
        real, noise: draw a fresh batch of points, of noise.
        steps: how many turns.
        game, r1, r2, gp: see `Game`.
        lr: the highest learning rate of both, which falls to zero like a cosine.
        betas: Adam's. No momentum by default: the gradient of a game turns, and momentum overshoots.
        ema: an average of the generator, updated after each step.
        generator: draws where `gp` looks.
        on_step: see `training.loop`.

    Returns:
        The discriminator's loss without penalty, mean over members. Where it cannot tell it is log 4, or log 2 in the
        relativistic game, or 0 in that of Wasserstein.

    Raises:
        FloatingPointError: when a loss is NaN or infinite, as in a game that diverges.
    """
    rules = Game(name=game, r1=r1, r2=r2, gp=gp)
    lr, betas = _checks.number("lr", lr, above=0), _checks.pair("betas", betas, least=0, below=1)
    players = _checks.module("discriminator", discriminator), _checks.module("generator_net", generator_net)
    generator = _checks.generator(generator)
    _checks.function("real", real)
    _checks.function("noise", noise)
    if on_step is not None:
        _checks.function("on_step", on_step)
    if ema is not None and _checks.instance("ema", ema, EMA, "an EMA").source is not generator_net:
        raise ValueError("ema must be of generator_net, got one of another model. Make it with EMA(generator_net).")
    adam_d, adam_g = (adamw(player.parameters(), lr=lr, betas=betas) for player in players)
    losses: list[float] = []
    seen: Tensor | None = None

    def discriminate() -> Tensor:
        nonlocal seen
        seen = _checks.tensor("what real() returns", real(), finite=False)
        z = _checks.tensor("what noise() returns", noise(), finite=False)
        with torch.no_grad():
            x_g = generator_net(z)
        _checks.same_shape("generated points", x_g, "real points", seen)
        u = torch.rand(z.shape[:-1], generator=generator) if gp > 0 else torch.zeros(z.shape[:-1])
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
        [discriminate, generate],
        steps=steps,
        optimizers=[adam_d, adam_g],
        ema=ema,
        on_step=after,
    )
    history.losses = losses[: history.steps_done]
    return history
