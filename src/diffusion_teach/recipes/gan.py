"""GANs of digits: the game of 2014, and one with what was found out since.

`gan-mnist` plays the non-saturating game with dense layers, as the first GAN did (Goodfellow et al. 2014).
`rpgan-mnist` has as many weights and steps, convolutions, and the relativistic game with R₁ + R₂ (Huang et al. 2024).
Chapter 2 shows both, chapter 11 compares them with the other models of digits.

Their settings are the best of a small search, half a minute a trial on one core. For the plain game: dense layers,
rates of 2e-4, 5e-4 and 1e-3 with momentum 0.5; with convolutions the discriminator won at each of five settings, and
the generator learned nothing. For the other game: rates of 2e-3 and 4e-3, γ of 0.5, 2 and 8.

The settings are those of these networks and this many steps. With 1.17 million weights (dense=360) and 30,000 steps the
relativistic game, all else equal, ended at 35 times the floor in place of 3 (one seed), its digits broken. The plain
game gained by both, 36 times the floor in place of 47.

`gan-stacked` and `rpgan-stacked` draw stacked digits, see `studies.stacked_digits`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.networks.gan import GAN, LATENT
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.recipes.diffusion import DATA, INTENDED_USE, LICENCE, STACKED_STEPS, STACKED_USE
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import plain


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(DigitsRecipe):
    """A generator of MNIST's digits, trained against a discriminator: a turn of each makes a step.

    Args:
        network: what `networks.gan.GAN` is called with.
        game, r1, r2, gp: see `adversarial.Game`.
        lr, betas: Adam's, of both.
    """

    game: str = "non-saturating"
    r1: float = 0.0
    r2: float = 0.0
    gp: float = 0.0
    lr: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules()

    @property
    def latent(self) -> int:
        """Numbers of the noise z."""
        return int(self.network.get("latent", LATENT))

    def rules(self) -> Game:
        """The game and its penalties."""
        return Game(name=self.game, r1=self.r1, r2=self.r2, gp=self.gp)

    def architecture(self) -> dict[str, Any]:
        return {"kind": "gan", **plain(self.network)}

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """The discriminator's, whose turn comes first, and the generator's."""
        gan = cast(GAN, model)
        players = (gan.discriminator, gan.generator)
        return [adamw(player.parameters(), lr=self.lr, betas=self.betas) for player in players]

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Images x (B, C, 28, 28), noise for each player's turn (B, latent), and where `gp` looks, u (B,)."""
        images, _ = data
        size = (self.batch, self.image_channels)
        x = stacked_mnist.of_rows(images, torch.randint(len(images), size, generator=generator, device=images.device))
        z_d, z_g = torch.randn(2, self.batch, self.latent, generator=generator, device=x.device)
        return x, z_d, z_g, torch.rand(self.batch, generator=generator, device=x.device)

    def losses(self) -> tuple[Callable[..., Tensor], ...]:
        return self.loss, self.generator_loss

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The discriminator's loss with its penalties."""
        gan, (x, z, _, u) = cast(GAN, model), drawn
        with torch.no_grad():
            x_g = gan.generator(z)
        loss, penalty = self.rules().discriminator_turn(gan.discriminator, x, x_g, u)
        return loss + penalty

    def generator_loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The generator's loss."""
        gan, (x, _, z, _) = cast(GAN, model), drawn
        return self.rules().generator_turn(gan.discriminator, x, gan.generator(z))


GAN_MNIST = AdversarialRecipe(
    name="gan-mnist",
    summary="a plain GAN of MNIST's digits with dense layers, the game of 2014",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType({"width": None}),
    lr=1e-3,
    betas=(0.5, 0.99),
    batch=64,
    steps=20_000,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)
RPGAN_MNIST = dataclasses.replace(
    GAN_MNIST,
    name="rpgan-mnist",
    summary="a GAN of MNIST's digits with convolutions, the relativistic loss and two gradient penalties",
    network=MappingProxyType({}),
    game="relativistic",
    r1=8.0,
    r2=8.0,
    lr=4e-3,
    betas=(0.0, 0.99),
)
STACKED = {"dense": 160, "image_channels": 3}
STACKED_DENSE = {"width": None, "hidden": 100, "image_channels": 3}
"""Two GANs of stacked digits, with convolutions and without, alike in size within 2 %."""
GAN_STACKED = dataclasses.replace(
    GAN_MNIST,
    name="gan-stacked",
    summary="a plain GAN of stacked digits with dense layers, the game of 2014",
    intended_use=STACKED_USE,
    network=MappingProxyType(STACKED_DENSE),
    lr=3.2e-3,
    betas=(0.5, 0.99),
    steps=STACKED_STEPS,
)
RPGAN_STACKED = dataclasses.replace(
    RPGAN_MNIST,
    name="rpgan-stacked",
    summary="a GAN of stacked digits with convolutions, the relativistic loss and two gradient penalties",
    intended_use=STACKED_USE,
    network=MappingProxyType(STACKED),
    r1=2.0,
    r2=2.0,
    steps=STACKED_STEPS,
)
GAN_PENALISED_STACKED = dataclasses.replace(
    RPGAN_STACKED,
    name="gan-penalised-stacked",
    summary="a GAN of stacked digits with convolutions, the loss of 2014 and two gradient penalties",
    game="non-saturating",
    r1=32.0,
    r2=32.0,
)
