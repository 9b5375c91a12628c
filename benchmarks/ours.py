"""The book's own network, trained as its recipe says: network, loss, optimizers, average and precision.

It is the default U-Net, the one that chapter 6 trains in a minute, and not the larger one of the shipped checkpoint.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import devices
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.recipes.diffusion import SHORT, DiffusionRecipe
from diffusion_teach.training import EMA

TITLE = "this book"
SAMPLER = "sde_dpm_solver"
CPU = torch.device("cpu")


def short() -> DiffusionRecipe:
    """The recipe for minutes with the default U-Net, and an average that forgets sooner."""
    return dataclasses.replace(SHORT, network=MappingProxyType({}), ema=0.99)


class Ours:
    """A recipe's model with its loss, optimizers and average.

    Args:
        batch: another batch than the recipe's.
        network: what the U-Net is called with, beside what the recipe says.
        precision: "float32", "bfloat16", or "auto"; the recipe's where not given.
    """

    title = TITLE

    def __init__(
        self, *, batch: int | None = None, network: Mapping[str, Any] | None = None, precision: str | None = None
    ) -> None:
        recipe = short()
        self.recipe = dataclasses.replace(
            recipe,
            batch=recipe.batch if batch is None else batch,
            network={**recipe.network, **(network or {})},
            precision=recipe.precision if precision is None else precision,
        )
        self.precision = devices.precision(self.recipe.precision, CPU)
        self.model = cast(Learned, self.recipe.model())
        self.network = self.model.network
        self.optimizers = self.recipe.optimizers(self.model)
        self.ema = EMA(self.model, decay=self.recipe.ema or 0.0)

    @property
    def parameters(self) -> int:
        """Numbers that are learned."""
        return sum(p.numel() for p in self.model.parameters())

    def loss(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The recipe's loss on a batch drawn from bytes (N, H, W)."""
        labels = torch.zeros(len(images), dtype=torch.int64)
        generator = torch.default_generator if generator is None else generator
        drawn = self.recipe.draw((images, labels), generator)
        with devices.autocast(CPU, self.precision):
            return self.recipe.loss(self.model, *drawn)

    def forward_backward(self, images: Tensor) -> None:
        """Loss and gradients on a batch drawn from bytes (N, H, W)."""
        self.model.zero_grad(set_to_none=True)
        self.loss(images).backward()

    def step(self, images: Tensor) -> None:
        """One training step on a batch drawn from bytes (N, H, W)."""
        self.forward_backward(images)
        for optimizer in self.optimizers:
            optimizer.step()

    def sample(self, count: int, steps: int, seed: int = 0) -> Tensor:
        """Images (count, 1, 28, 28) in [−1, 1] of the averaged weights, by the sampler that ships."""
        how = Sampling(SAMPLER, steps, seed=seed)
        return generate(cast(Learned, self.ema.model), count, how, progress=False)
