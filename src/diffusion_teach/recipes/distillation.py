"""Students of the shipped diffusion model of digits, which draw in one step.

Both begin with the teacher's weights, in a U-Net with half as many blocks: of the teacher's eight at quarter resolution
the student keeps those of `KEPT`. Of the seventy choices of four it is the one whose answer is nearest to the
teacher's, an error of 0.8 per cent of v's mean square before any training.

- `consistency-mnist` learns to give one answer along a path of the teacher's flow (Song et al. 2023, algorithm 2);
- `add-mnist` learns to please a judge and the teacher's denoiser (Sauer et al. 2023), with the book's relativistic game
  on pixels in the place of a hinge loss on the features of a large network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Distilled, Learned
from diffusion_teach.networks.gan import Discriminator
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.objectives.diffusion import sample_times
from diffusion_teach.objectives.distillation import consistency_loss, score_distillation_loss
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.recipes.diffusion import DATA, DEEP, INTENDED_USE, LICENCE, make_schedule
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.samplers.time_grids import time_grid
from diffusion_teach.training.optimizers import adamw, muon_and_adamw
from diffusion_teach.training.recipe import plain

KEPT = (0, 3, 7, 8)
"""Which of the teacher's blocks the student keeps, besides the dense layer in their middle, which is the fourth."""
DENSE_AT = 4
SHALLOW = {**DEEP, "blocks": len(KEPT)}


class Pupil(nn.Module):
    """A student, its teacher, and what else the training needs: a judge, or the average that the student aims at."""

    def __init__(self, student: Distilled, teacher: Learned, other: nn.Module) -> None:
        super().__init__()
        self.student, self.teacher, self.other = student, teacher.requires_grad_(False), other


@dataclass(frozen=True, kw_only=True)
class DistillationRecipe(DigitsRecipe):
    """A student that begins with its teacher's weights.

    Args:
        network: what the student's U-Net is called with; it must be the teacher's but for `blocks`.
        teacher: the name of a checkpoint, an unconditional denoiser of v.
        kept: which of the teacher's blocks the student keeps; None for a student with fresh weights.
        stop, most: see `denoisers.Distilled`.
    """

    teacher: str = "ddpm-mnist"
    kept: tuple[int, ...] | None = KEPT
    schedule: str = "linear"
    stop: float = 0.0
    most: int = 1

    def architecture(self) -> dict[str, Any]:
        network = {"kind": "unet", **plain(self.network)}
        schedule = {"name": self.schedule}
        return {"kind": "distilled", "network": network, "schedule": schedule, "stop": self.stop, "most": self.most}

    def student(self, teacher: Learned) -> Distilled:
        """A student with the weights of the teacher's that it keeps."""
        student = cast(Distilled, checkpoints.build(self.architecture()))
        if self.kept is not None:
            begin_as(cast(UNet, student.network), cast(UNet, teacher.network), self.kept)
        return student

    def shipped(self, model: nn.Module) -> nn.Module:
        """The student alone."""
        return cast(Pupil, model).student

    def images(self, data: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Training images (B, 1, 28, 28) by chance."""
        rows = torch.randint(len(data[0]), (self.batch,), generator=generator, device=data[0].device)
        return mnist.to_model(data[0][rows])


def begin_as(student: UNet, teacher: UNet, kept: tuple[int, ...] = KEPT) -> None:
    """Give a U-Net the weights of a deeper one: the blocks `kept`, the dense layer between them, and all else.

    Raises:
        ValueError: the two differ in more than their depth, or `kept` does not have the student's number of blocks.
    """
    blocks = [*(k for k in kept if k < DENSE_AT), DENSE_AT, *(k for k in kept if k > DENSE_AT)]
    names = {f"middle.{of}.": f"middle.{to}." for to, of in enumerate(blocks)}
    weights = {}
    for name, value in teacher.state_dict().items():
        if not name.startswith("middle."):
            weights[name] = value
        elif (block := ".".join(name.split(".")[:2]) + ".") in names:
            weights[names[block] + name.removeprefix(block)] = value
    try:
        student.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the student cannot begin with the teacher's weights: {error}") from None


@dataclass(frozen=True, kw_only=True)
class ConsistencyRecipe(DistillationRecipe):
    """A consistency model of MNIST's digits, distilled.

    Args:
        levels: times of the grid that the teacher's flow is cut into, less one.
        order: of the teacher's step, see `objectives.distillation.flow_step`.
        aim: decay of the average of the student that it aims at.
        muon, adamw: the highest learning rates, see `optimizers.muon_and_adamw`.
    """

    levels: int = 18
    order: int = 2
    aim: float = 0.95
    muon: float = 5e-3
    adamw: float = 5e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.integer("levels", self.levels, least=2)
        _checks.number("aim", self.aim, least=0, below=1)
        _checks.number("stop", self.stop, above=0, below=1)

    def model(self) -> nn.Module:
        teacher = cast(Learned, checkpoints.model(self.teacher))
        student = self.student(teacher)
        target = self.student(teacher).requires_grad_(False)
        target.load_state_dict(student.state_dict())
        return Pupil(student, teacher, target)

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        student = cast(Pupil, model).student
        network = cast(UNet, student.network)
        return muon_and_adamw(student, network.inside(), lr=self.muon, adamw_lr=self.adamw)

    def grid(self) -> Tensor:
        """levels + 1 times from noise to `stop`, close where a digit's shape is decided."""
        return time_grid(make_schedule(self.schedule), self.levels, stop=self.stop, spacing="logistic")

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """x₀ (B, 1, 28, 28), neighbouring times t and s of the grid (B,), and ε."""
        x0 = self.images(data, generator)
        n = torch.randint(self.levels, (self.batch,), generator=generator, device=x0.device)
        times = self.grid().to(x0)
        return x0, times[n], times[n + 1], torch.randn(x0.shape, generator=generator, device=x0.device)

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """How far the student at t is from its average at s; the average takes in the weights of before the step."""
        pupil, (x0, t, s, eps) = cast(Pupil, model), drawn
        with torch.no_grad():
            averages: list[Tensor] = list(pupil.other.parameters())
            weights: list[Tensor] = list(pupil.student.parameters())
            torch._foreach_lerp_(averages, weights, 1 - self.aim)
        x_t = add_noise(pupil.student.schedule, t, x0, eps)
        return consistency_loss(pupil.student, pupil.other, pupil.teacher, x_t, t, s, order=self.order)


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
        _checks.number("distillation", self.distillation, least=0)
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


CONSISTENCY_MNIST = ConsistencyRecipe(
    name="consistency-mnist",
    summary="a consistency model of MNIST's digits, distilled from ddpm-mnist, in one step or a few",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType(SHALLOW),
    stop=1e-3,
    most=8,
    batch=256,
    steps=8000,
    warmup=100,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)
ADD_MNIST = AdversarialDistillationRecipe(
    name="add-mnist",
    summary="a student of ddpm-mnist in one step, by a judge and by its teacher",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType(SHALLOW),
    batch=256,
    steps=8000,
    warmup=100,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)
