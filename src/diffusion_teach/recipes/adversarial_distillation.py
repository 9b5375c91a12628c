"""Adversarial distillation to one step: a student that learns to please a judge and its teacher's denoiser.

The judge plays the book's relativistic game on pixels, where the paper has a hinge loss on the features of a large
network; the teacher's loss is the paper's. (Sauer et al. 2023, section 3.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.denoisers import Distilled, Learned
from diffusion_teach.networks.gan import Discriminator
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.objectives.diffusion import sample_times
from diffusion_teach.objectives.distillation import score_distillation_loss
from diffusion_teach.recipes.diffusion import DATA, INTENDED_USE, LICENCE, make_schedule
from diffusion_teach.recipes.distillation import SHALLOW, DistillationRecipe, Pupil
from diffusion_teach.training.optimizers import adamw


@dataclass(frozen=True, kw_only=True)
class AdversarialDistillationRecipe(DistillationRecipe):
    """A student of one step, by a judge and by its teacher.

    Args:
        judge: what `networks.gan.Discriminator` is called with.
        game, r1, r2: see `adversarial.Game`.
        distillation: λ, the weight of the teacher's loss beside the judge's.
        lr, judge_lr, betas: Adam's, of the student and of the judge.
    """

    judge: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    game: str = "relativistic"
    r1: float = 8.0
    r2: float = 8.0
    distillation: float = 1.0
    lr: float = 1e-3
    judge_lr: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "distillation", _checks.number("distillation", self.distillation, least=0))
        self.rules()

    def rules(self) -> Game:
        """The game and its penalties."""
        return Game(name=self.game, r1=self.r1, r2=self.r2)

    def model(self) -> nn.Module:
        teacher = cast(Learned, checkpoints.model(self.teacher))
        return Pupil(self.student(teacher), teacher, Discriminator(**self.judge))

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """The judge's, whose turn comes first, and the student's."""
        pupil = cast(Pupil, model)
        return [
            adamw(pupil.other.parameters(), lr=self.judge_lr, betas=self.betas),
            adamw(pupil.student.parameters(), lr=self.lr, betas=self.betas),
        ]

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Images x (B, 1, 28, 28), x₁ for each player's turn, and the teacher's t (B,) and ε."""
        x = self.images(data, generator)
        noise = torch.randn(3, *x.shape, generator=generator, device=x.device)
        t = sample_times(make_schedule(self.schedule), (self.batch,), generator=generator)
        return x, noise[0], noise[1], t, noise[2]

    def losses(self) -> tuple[Callable[..., Tensor], ...]:
        return self.loss, self.student_loss

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The judge's loss with its penalties."""
        pupil, (x, start, _, _, _) = cast(Pupil, model), drawn
        with torch.no_grad():
            made = _in_one_step(pupil.student, start)
        loss, penalty = self.rules().discriminator_turn(pupil.other, x, made, torch.zeros(len(x), device=x.device))
        return loss + penalty

    def student_loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The student's loss: the judge's word, and λ times the teacher's."""
        pupil, (x, _, start, t, eps) = cast(Pupil, model), drawn
        made = _in_one_step(pupil.student, start)
        loss = self.rules().generator_turn(pupil.other, x, made)
        if self.distillation == 0:
            return loss
        return loss + self.distillation * score_distillation_loss(pupil.teacher, made, t, eps)


def _in_one_step(student: Distilled, x: Tensor) -> Tensor:
    made: Tensor = student(x, torch.ones((), device=x.device))
    return made


ADD_MNIST = AdversarialDistillationRecipe(
    name="add-mnist",
    summary="a student of ddpm-mnist in one step, by a judge and by its teacher",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType(SHALLOW),
    lr=5e-4,
    batch=256,
    steps=3500,
    warmup=100,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)
