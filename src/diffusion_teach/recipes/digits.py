"""What the recipes of generators of digits have in common: their data, and how they are measured for a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach.datasets import mnist, stacked_mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import evaluation, stacked_modes
from diffusion_teach.networks.network import OneStepGenerator
from diffusion_teach.training.recipe import Recipe

COUNT, REPEATS = 2000, 20


@dataclass(frozen=True, kw_only=True)
class DigitsRecipe(Recipe):
    """A generator of MNIST's digits, or of stacks of them.

    Args:
        network: the settings of its network.
    """

    network: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_channels not in (1, stacked_mnist.CHANNELS):
            raise ValueError(f"image_channels must be 1, or 3 for stacked digits, got {self.image_channels}.")

    @property
    def image_channels(self) -> int:
        """C: digits of a picture, each a channel."""
        return int(self.network.get("image_channels", 1))

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """The training images as bytes, and their labels."""
        images, labels = mnist.load("train")
        return images.to(device), labels.to(device)

    def rehearse(self, model: nn.Module) -> None:
        """Draw one image as the metrics' are drawn: `measure` with no set of samples."""
        self.measure(model, Sampling(), repeats=0)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The table of `metrics.evaluation`, means over twenty sets of samples; of a model of stacks, their modes."""
        generator = cast(Denoiser | OneStepGenerator, model)
        if repeats == 0:
            generate(generator, 1, sampling, labels=0 if generator.classes else None, progress=False)
            return {}
        if self.image_channels > 1:
            return stacked_modes.evaluate(generator, sampling, count=count, repeats=repeats)
        n = COUNT if count is None else count
        return evaluation.averaged(
            lambda how: evaluation.evaluate(generator, how, count=n),
            sampling,
            repeats=REPEATS if repeats is None else repeats,
        )
