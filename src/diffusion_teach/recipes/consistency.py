"""A consistency model of digits: it learns to give one answer along a path of its teacher's flow.

The flow is cut into `levels` steps. At a random one, from t to s, the teacher takes a noisy digit from t to s, and the
student's answer at t is pulled towards an average of the student's own at s. At the last time the answer is what it is
given, so that truth enters there and spreads to noisier times. (Song et al. 2023, algorithm 2.)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.denoisers import Learned
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.distillation import consistency_loss
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.recipes.diffusion import DATA, INTENDED_USE, LICENCE, make_schedule
from diffusion_teach.recipes.distillation import SHALLOW, DistillationRecipe, Pupil
from diffusion_teach.samplers.time_grids import time_grid
from diffusion_teach.training.optimizers import muon_and_adamw


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
    muon: float = 0.012
    adamw: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", _checks.integer("levels", self.levels, least=2))
        object.__setattr__(self, "aim", _checks.number("aim", self.aim, least=0, below=1))
        object.__setattr__(self, "stop", _checks.number("stop", self.stop, above=0, below=1))

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
        return _grid(self.schedule, self.levels, self.stop)

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


@functools.cache
def _grid(schedule: str, levels: int, stop: float) -> Tensor:
    return time_grid(make_schedule(schedule), levels, stop=stop, spacing="logistic")


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
    steps=1500,
    warmup=100,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)
