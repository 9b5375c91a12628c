"""Recipes that train in milliseconds, and calls of the command that expect it to succeed or to fail."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from click.testing import CliRunner, Result
from torch import Tensor, nn

from diffusion_teach.cli.main import main
from diffusion_teach.generate import Sampling
from diffusion_teach.recipes.diffusion import DiffusionRecipe
from diffusion_teach.recipes.gan import AdversarialRecipe

NETWORK = {"width": (8, 8), "blocks": 1, "dense": 0, "embedding": 8}


@dataclass(frozen=True, kw_only=True)
class Quick(DiffusionRecipe):
    """A diffusion recipe that trains in milliseconds; `broken` makes its loss NaN."""

    broken: bool = False

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        return super().loss(model, *drawn) * (torch.nan if self.broken else 1)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        if count is None:
            return {"sampler": "ddim", "steps": 3, "seen": 0.5}
        return super().measure(model, sampling, count=count, repeats=repeats)


@dataclass(frozen=True, kw_only=True)
class QuickGAN(AdversarialRecipe):
    """A GAN recipe whose model is not measured."""

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        return {"seen": 0.5} if count is None else super().measure(model, sampling, count=count, repeats=repeats)


PLAIN = Quick(
    name="plain",
    summary="a test",
    intended_use="tests",
    network=NETWORK,
    batch=2,
    steps=5,
    precision="float32",
    sampler="ddim",
    sampler_steps=3,
)


LABELLED = dataclasses.replace(PLAIN, name="labelled", network={**NETWORK, "classes": 10}, label_dropout=0.2)


BROKEN = dataclasses.replace(PLAIN, name="broken", broken=True)


ONE_STEP = QuickGAN(
    name="one-step",
    summary="a test",
    intended_use="tests",
    network={"width": (4, 4), "dense": 8},
    batch=2,
    steps=2,
    precision="float32",
)


def call(*arguments: Any) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def good(*arguments: Any) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def bad(code: int, *arguments: Any) -> str:
    """The error's text on one line; nothing goes to the standard output."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())
