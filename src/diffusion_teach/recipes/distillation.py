"""Students of the shipped diffusion model of digits, which draw in one step or a few.

They begin with the teacher's weights, in a U-Net with half as many blocks: of the teacher's eight at quarter resolution
the student keeps those of `KEPT`. Of the seventy choices of four it is the one whose answer is nearest to the
teacher's, an error of 0.8 per cent of v's mean square before any training.

What they learn is told in `consistency`, `adversarial_distillation` and `denoising_gan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Distilled, Learned
from diffusion_teach.networks.network import FewStepGenerator
from diffusion_teach.networks.unet import UNet
from diffusion_teach.recipes.diffusion import DEEP
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.training.recipe import plain

KEPT = (0, 3, 7, 8)
"""Which of the teacher's blocks the student keeps, by their places."""
DENSE_AT = 4
"""The place of the dense layer, in the middle of the blocks."""
SHALLOW = {**DEEP, "blocks": len(KEPT)}


class Pupil(nn.Module):
    """A student, its teacher, and what else the training needs: a judge, or the average that the student aims at."""

    def __init__(self, student: Distilled, teacher: Learned, other: nn.Module) -> None:
        super().__init__()
        self.student, self.teacher, self.other = student, teacher.requires_grad_(False), other


@dataclass(frozen=True, kw_only=True)
class StudentRecipe(DigitsRecipe):
    """A generator of a few steps that begins with the weights of a diffusion model, its teacher.

    Args:
        network: what the student's U-Net is called with; it must be the teacher's but for `blocks`.
        teacher: the name of a checkpoint, an unconditional denoiser of v.
        kept: which of the teacher's blocks the student keeps; None for a student with fresh weights.
        schedule: the teacher's, one of `recipes.diffusion.SCHEDULES`.
    """

    teacher: str = "ddpm-mnist"
    kept: tuple[int, ...] | None = KEPT
    schedule: str = "linear"

    def student(self, teacher: Learned) -> FewStepGenerator:
        """A student with the weights of the teacher's that it keeps."""
        student = cast(FewStepGenerator, checkpoints.build(cast(dict[str, Any], self.architecture())))
        if self.kept is not None:
            begin_as(cast(UNet, student.network), cast(UNet, teacher.network), self.kept)
        return student

    def images(self, data: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Training images (B, 1, 28, 28) by chance."""
        rows = torch.randint(len(data[0]), (self.batch,), generator=generator, device=data[0].device)
        return mnist.to_model(data[0][rows])


@dataclass(frozen=True, kw_only=True)
class DistillationRecipe(StudentRecipe):
    """A student that jumps to data, and whose teacher goes on teaching.

    Args:
        stop, most: see `denoisers.Distilled`.
    """

    stop: float = 0.0
    most: int = 1

    def architecture(self) -> dict[str, Any]:
        network = {"kind": "unet", **plain(self.network)}
        schedule = {"name": self.schedule}
        return {"kind": "distilled", "network": network, "schedule": schedule, "stop": self.stop, "most": self.most}

    def student(self, teacher: Learned) -> Distilled:
        """A student with the weights of the teacher's that it keeps."""
        return cast(Distilled, super().student(teacher))

    def shipped(self, model: nn.Module) -> nn.Module:
        """The student alone."""
        return cast(Pupil, model).student


def begin_as(student: UNet, teacher: UNet, kept: tuple[int, ...] = KEPT) -> None:
    """Give a U-Net the weights of a deeper one: the blocks `kept`, the dense layer between them, and all else.

    The layers that noise of its own goes through, where it has them, stay as they are.

    Raises:
        ValueError: the two differ in more than their depth, or `kept` does not have the student's number of blocks.
    """
    blocks = [*(k for k in kept if k < DENSE_AT), DENSE_AT, *(k for k in kept if k > DENSE_AT)]
    names = {f"middle.{of}.": f"middle.{to}." for to, of in enumerate(blocks)}
    weights = {name: value for name, value in student.state_dict().items() if name.startswith("mapping.")}
    for name, value in teacher.state_dict().items():
        if not name.startswith("middle."):
            weights[name] = value
        elif (block := ".".join(name.split(".")[:2]) + ".") in names:
            weights[names[block] + name.removeprefix(block)] = value
    try:
        student.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the student cannot begin with the teacher's weights: {error}") from None
