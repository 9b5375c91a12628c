"""Watching a batch of models while they train: the loss, and how many modes each member covers along the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.metrics.modes import Modes


@dataclass
class Watch:
    """Looks in on a training from time to time, and keeps the mean loss since the last look and each member's modes.

    It draws from a generator of its own, so a training that is watched ends exactly where it would end unwatched.

    Args:
        measure: from samples (M, N, 2), each member's modes.
        generator: of the samples.
        every: how many steps from look to look.
        samples: N.
    """

    measure: Callable[[Tensor], Modes]
    generator: torch.Generator
    every: int = 100
    samples: int = 1000
    steps: list[int] = field(default_factory=list, init=False)
    losses: list[float] = field(default_factory=list, init=False)
    measured: list[Modes] = field(default_factory=list, init=False)
    _recent: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        _checks.function("measure", self.measure)
        _checks.generator(self.generator)
        self.every = _checks.integer("every", self.every)
        self.samples = _checks.integer("samples", self.samples)

    def look(self, step: int, loss: float, draw: Callable[[int, torch.Generator], Tensor]) -> None:
        """Take in the loss of a step (from 0 on); when it is time, measure `draw(N, generator)`, samples (M, N, 2)."""
        _checks.function("draw", draw)
        step = _checks.integer("step", step, least=0)
        self._recent.append(_checks.number("loss", loss))
        if (step + 1) % self.every == 0:
            self.steps.append(step + 1)
            self.losses.append(sum(self._recent) / len(self._recent))
            self.measured.append(self.measure(draw(self.samples, self.generator)))
            self._recent.clear()

    def covered(self) -> Tensor:
        """Modes covered at each look, (looks, M)."""
        if not self.measured:
            raise ValueError(f"nothing was measured yet: the first look is after {self.every} steps.")
        return torch.stack([one.covered for one in self.measured])
