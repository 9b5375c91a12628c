"""What a model says of itself, so that nobody has to ask it: the shape of a sample, the labels it knows, its device."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from diffusion_teach import _checks


def device_of(module: nn.Module) -> torch.device:
    """Where a module's parameters lie; the CPU for one that has none."""
    first = next(_checks.module("module", module).parameters(), None)
    return torch.device("cpu") if first is None else first.device


class Network(nn.Module):
    """A network that is asked at a noise level: network(x_t, t, cond) answers in the shape of x_t.

    Attributes:
        shape: of one sample, such as (1, 28, 28); None for any.
        classes: how many labels `cond` may name, from 0 on; the label `classes` then stands for none. 0: it takes none.
        condition: shape of the condition of one sample: () for a label, (L,) for a caption of L words, whose numbers
            then are in 0 … classes − 1; `classes` L times stands for none.
        members: M of a batch of M networks, see `networks.mlp`; None for a single one.
    """

    shape: tuple[int, ...] | None = None
    classes: int = 0
    condition: tuple[int, ...] = ()
    members: int | None = None


class OneStepGenerator(nn.Module, ABC):
    """A model that draws a sample in one evaluation of its network, as a GAN or a VAE does."""

    shape: tuple[int, ...]
    classes = 0  # it takes no labels

    @abstractmethod
    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Samples (count, *shape) in [−1, 1], of noise that is drawn on the CPU."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return device_of(self)


class FewStepGenerator(OneStepGenerator):
    """A model that draws in a few steps of its own, with no sampler to choose: one evaluation of its network each.

    Attributes:
        network: what it asks at each step.
        steps: how many it takes unless it is asked for another number.
        most: how many it can be asked for at most; `least` at least.
    """

    network: nn.Module
    steps: int
    least = 1
    most: int

    @abstractmethod
    def sample(self, count: int, *, generator: torch.Generator | None = None, steps: int | None = None) -> Tensor:
        """Samples (count, *shape), of noise that is drawn on the CPU, in so many steps; by default in `steps`."""

    def asked(self, steps: int | None) -> int:
        """How many steps to take.

        Raises:
            ValueError: for a number of steps that the model was not made for.
        """
        if steps is None:
            return self.steps
        if self.least == self.most and _checks.integer("steps", steps) != self.steps:
            raise ValueError(f"steps must be {self.steps}, as the model was trained for, got {steps}.")
        return _checks.integer("steps", steps, least=self.least, most=self.most)
