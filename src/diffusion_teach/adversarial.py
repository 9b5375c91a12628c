r"""Training an adversarial pair: two networks, two losses, and two optimisers that take turns.

A step draws real points and noise, lets the discriminator descend its loss on real against generated points, and then
the generator its own. With D the discriminator's logit, high on data:

| game               | discriminator                        | generator                    | source                    |
|--------------------|--------------------------------------|------------------------------|---------------------------|
| `"non-saturating"` | −E log σ(D(x)) − E log σ(−D(G(z)))   | −E log σ(D(G(z)))            | Goodfellow et al. 2014    |
| `"saturating"`     | the same                             | E log σ(−D(G(z)))            | the same, eq. 1           |
| `"relativistic"`   | −E log σ(D(x) − D(G(z)))             | −E log σ(D(G(z)) − D(x))     | Jolicoeur-Martineau 2019  |

`penalty` γ adds R₁ + R₂ = γ/2·E‖∇D(x)‖² + γ/2·E‖∇D(G(z))‖² to the discriminator's (Mescheder et al. 2018). Networks
may be batches of M members, as in `networks.mlp`: losses are means over points and sums over members, so each member is
trained as if it were alone.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from diffusion_teach import _checks
from diffusion_teach.training import EMA, History, learning_rate_factor, loop

GAMES = ("non-saturating", "saturating", "relativistic")


def discriminator_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss from its logits on real and on generated points (..., B), per member: (...)."""
    _checks.choice("game", game, GAMES)
    _logits(real, fake)
    if game == "relativistic":
        return softplus(fake - real).mean(-1)
    return (softplus(-real) + softplus(fake)).mean(-1)


def generator_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """The generator's loss from the same logits; real ones enter in the relativistic game only."""
    _checks.choice("game", game, GAMES)
    _logits(real, fake)
    if game == "relativistic":
        return softplus(real - fake).mean(-1)
    return softplus(-fake).mean(-1) if game == "non-saturating" else -softplus(fake).mean(-1)


def _logits(real: Tensor, fake: Tensor) -> None:
    _checks.tensor("real", real, finite=False)
    _checks.tensor("fake", fake, finite=False)
    _checks.same_shape("fake", fake, "real", real)


def gradient_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """½·E‖∇ₓD‖² from D's logits (..., B) and the points (..., B, d) that they were computed from, per member: (...).

    Raises:
        ValueError: where x does not require gradients, or the logits were not computed from it.
    """
    _checks.tensor("logits", logits, tuple(x.shape[:-1]), finite=False)
    if not x.requires_grad:
        raise ValueError("x must require gradients before the discriminator sees it. Call x.requires_grad_() first.")
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return 0.5 * gradient.square().sum(-1).mean(-1)


def fit_gan(
    generator_net: nn.Module,
    discriminator: nn.Module,
    real: Callable[[], Tensor],
    noise: Callable[[], Tensor],
    *,
    steps: int,
    game: str = "non-saturating",
    penalty: float = 0.0,
    lr: float = 1e-3,
    decay: str = "cosine",
    betas: tuple[float, float] = (0.0, 0.99),
    ema: EMA | None = None,
    on_step: Callable[[int, float], None] | None = None,
    progress: bool | None = None,
) -> History:
    """Train the pair in place, one step of each in turn, with Adam.

    Args:
        generator_net: maps noise (..., B, z) to points (..., B, d).
        discriminator: maps points to logits (..., B, 1).
        real, noise: draw a fresh batch of points, of noise.
        steps: how many turns.
        game: one of `GAMES`.
        penalty: γ of R₁ + R₂; 0 leaves them out.
        lr, decay: the learning rate of both, and its course.
        betas: Adam's. No momentum by default: the gradient of a game turns, and momentum overshoots.
        ema: an average of the generator, updated after each step.

    Returns:
        The discriminator's loss without penalty, mean over members. Where it cannot tell it is log 4, or log 2 in the
        relativistic game.
    """
    _checks.choice("game", game, GAMES)
    _checks.number("penalty", penalty, least=0)
    _checks.number("lr", lr, above=0)
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas, fused=True)
    adam_g = torch.optim.Adam(generator_net.parameters(), lr=lr, betas=betas, fused=True)

    def update(step: int) -> Tensor:
        for optimizer in (adam_d, adam_g):
            optimizer.param_groups[0]["lr"] = lr * learning_rate_factor(step, steps, decay=decay)
        x = real()
        with torch.no_grad():
            x_g = generator_net(noise())
        loss = _discriminator_step(discriminator, adam_d, x, x_g, game, penalty)
        _generator_step(generator_net, discriminator, adam_g, x, noise(), game)
        if ema is not None:
            ema.update()
        return loss

    return loop(update, steps, on_step=on_step, progress=progress)


def _discriminator_step(
    discriminator: nn.Module, adam: torch.optim.Optimizer, x: Tensor, x_g: Tensor, game: str, penalty: float
) -> Tensor:
    both = torch.cat([x, x_g], dim=-2).requires_grad_(penalty > 0)
    logits = discriminator(both).squeeze(-1)
    real, fake = logits.split([x.shape[-2], x_g.shape[-2]], dim=-1)
    loss = discriminator_loss(game, real, fake)
    # The mean over both halves is (R₁ + R₂)/2, hence the 2.
    total = loss + 2 * penalty * gradient_penalty(logits, both) if penalty > 0 else loss
    adam.zero_grad()
    total.sum().backward()
    adam.step()
    return loss.detach().mean()


def _generator_step(
    generator_net: nn.Module, discriminator: nn.Module, adam: torch.optim.Optimizer, x: Tensor, z: Tensor, game: str
) -> None:
    discriminator.requires_grad_(False)
    fake = discriminator(generator_net(z)).squeeze(-1)
    real = discriminator(x).squeeze(-1) if game == "relativistic" else fake.detach()
    adam.zero_grad()
    generator_loss(game, real, fake).sum().backward()
    adam.step()
    discriminator.requires_grad_(True)
