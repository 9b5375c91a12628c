"""The denoising diffusion GAN of digits: four long steps back, each a game of its own.

A training step draws the number of a step, a real pair (x_s, x_t) of the noising, and lets the generator make an x_s of
its own from the same x_t; the judge sees both beside x_t. (Xiao et al. 2022, algorithm 1 and section 4.)

The path is DDPM's, in four steps of equal time. Of x₀ the four x_s hold 1, 0.67, 0.27 and 0.06, the rest is x_t and
noise. Three things make the games of the noisy ones last, where the judge easily ends at chance:

- The generator begins as a denoiser, with half the blocks of the shipped one and no use for z. So its first answers
  are means, and what it has to learn is to draw.
- The penalties are on the judge's slope in x₀, not in x_s: there a step that holds the share b of x₀ would have to pay
  1/b² times as much for telling the same two digits apart.
- The two x_s that are held against each other have the same noise, so that they differ as the two x₀ do. Each has the
  law that it would have with noise of its own, and where the two laws are equal an even judge is still the best.

Rates decide whether the judge keeps up. With 3e-4 for the generator, 4e-3 for the judge and γ = 2 it ended at chance
after 1,000 steps of 64, and the digits, which had come near, went off again. With fresh weights the digits of eight
trials of up to 2,800 steps stayed 40 floors off or more by the classifier, and without the denoiser's dense layer they
were 39 floors off after 3,800 steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.denoisers import DenoisingGAN, Learned
from diffusion_teach.networks.denoising_gan import LATENT, OfStep, StepDiscriminator
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.parameterizations import expand
from diffusion_teach.recipes.diffusion import DATA, INTENDED_USE, LICENCE
from diffusion_teach.recipes.distillation import SHALLOW, StudentRecipe
from diffusion_teach.schedules import transitions
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import plain


class Players(nn.Module):
    """A generator and the judge that it is trained against."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator


class _OfGuess(nn.Module):
    """A judge of x₀ (m·B, C, H, W): of the x_s that it makes together with what else is known of the step.

    Args:
        judge: of x_s.
        share: b, how much of x₀ is in x_s, (B,).
        rest: x_s without its b·x₀, (B, C, H, W).
    """

    def __init__(self, judge: OfStep, share: Tensor, rest: Tensor) -> None:
        super().__init__()
        self.judge, self.share, self.rest = judge, expand(share, rest), rest

    def forward(self, x0: Tensor) -> Tensor:
        times = len(x0) // len(self.rest)
        share, rest = (torch.cat([part] * times) for part in (self.share, self.rest))
        logits: Tensor = self.judge(share * x0 + rest)
        return logits


@dataclass(frozen=True, kw_only=True)
class DenoisingGANRecipe(StudentRecipe):
    """A denoising diffusion GAN of MNIST's digits, whose generator begins as a denoiser.

    Args:
        judge: what `networks.denoising_gan.StepDiscriminator` is called with.
        transitions: T, how many steps the walk has.
        game, r1, r2: see `adversarial.Game`.
        lr, judge_lr, betas: Adam's, of the generator and of the judge.
    """

    judge: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    transitions: int = 4
    game: str = "non-saturating"
    r1: float = 0.0
    r2: float = 0.0
    lr: float = 1e-3
    judge_lr: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "transitions", _checks.integer("transitions", self.transitions))
        self.rules()

    def rules(self) -> Game:
        """The game and its penalties."""
        return Game(name=self.game, r1=self.r1, r2=self.r2)

    def architecture(self) -> dict[str, Any]:
        network = {"kind": "latent-unet", **plain(self.network)}
        return {
            "kind": "denoising-gan",
            "network": network,
            "schedule": {"name": self.schedule},
            "steps": self.transitions,
            "target": "v",
        }

    def model(self) -> nn.Module:
        judge = StepDiscriminator(self.transitions, image_channels=self.image_channels, **self.judge)
        return Players(self.student(cast(Learned, checkpoints.model(self.teacher))), judge)

    def shipped(self, model: nn.Module) -> nn.Module:
        """The generator; nobody needs the judge any more."""
        return cast(Players, model).generator

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """The judge's, whose turn comes first, and the generator's."""
        players = cast(Players, model)
        return [
            adamw(players.discriminator.parameters(), lr=self.judge_lr, betas=self.betas),
            adamw(players.generator.parameters(), lr=self.lr, betas=self.betas),
        ]

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """x₀ (B, 1, 28, 28), the step k (B,), noise up to s and from s to t, and z (B, latent) for each turn."""
        x0, device = self.images(data, generator), data[0].device
        k = torch.randint(1, self.transitions + 1, (self.batch,), generator=generator, device=device)
        latent = int(self.network.get("latent", LATENT))
        z = torch.randn(2, self.batch, latent, generator=generator, device=device)
        noise = torch.randn(2, *x0.shape, generator=generator, device=device)
        return x0, k, noise[0], noise[1], z[0], z[1]

    def losses(self) -> tuple[Callable[..., Tensor], ...]:
        return self.loss, self.generator_loss

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The judge's loss with its penalties."""
        players, (x0, k, eps, more, z, _) = cast(Players, model), drawn
        with torch.no_grad():
            judge, x_t, t = self._step(players, x0, k, eps, more)
            made = players.generator(x_t, t, z)
        loss, penalty = self.rules().discriminator_turn(judge, x0, made, torch.zeros(len(x0), device=x0.device))
        return loss + penalty

    def generator_loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The generator's loss."""
        players, (x0, k, eps, more, _, z) = cast(Players, model), drawn
        with torch.no_grad():
            judge, x_t, t = self._step(players, x0, k, eps, more)
        return self.rules().generator_turn(judge, x0, players.generator(x_t, t, z))

    def _step(
        self, players: Players, x0: Tensor, k: Tensor, eps: Tensor, more: Tensor
    ) -> tuple[_OfGuess, Tensor, Tensor]:
        """The judge of x₀ at step k, and what the generator sees: x_t and t."""
        denoiser = cast(DenoisingGAN, players.generator)
        s, t = ((k - 1) / self.transitions).to(x0), (k / self.transitions).to(x0)
        x_s, x_t = denoiser.pair(x0, k, eps, more)
        share, _, _ = transitions.backward(denoiser.schedule, s, t)
        return _OfGuess(OfStep(players.discriminator, x_t, k), share, x_s - expand(share, x0) * x0), x_t, t


DDGAN_MNIST = DenoisingGANRecipe(
    name="ddgan-mnist",
    summary="a denoising diffusion GAN of MNIST's digits, in four steps",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType(SHALLOW),
    game="relativistic",
    r1=0.5,
    r2=0.5,
    lr=1e-4,
    judge_lr=1e-3,
    batch=64,
    steps=4000,
    warmup=100,
    decay="linear",
    ema=0.999,
    clip=1.0,
    precision="float32",
    half=True,
)
