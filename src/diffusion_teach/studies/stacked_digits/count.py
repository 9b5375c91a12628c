"""A thousand modes counted, by the protocol of the literature: 26,000 samples, named by the shipped classifier.

How often each of the thousand numbers occurs is kept in `counts.json` beside this file, a row a contender, with the
hashes of the weights that it was counted on. Two more rows are controls: real stacks of test digits, and the same with
most of their detail averaged away.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks, checkpoints, devices
from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics.stacked_modes import SAMPLES, StackedModes, histogram, modes, numbers
from diffusion_teach.studies import stored

RESULTS = Path(__file__).with_name("counts.json")
PART = 2000
"""Stacks drawn and named at a time; bounds the memory."""


@dataclass(frozen=True)
class Contender:
    """A row of the count.

    Attributes:
        label: its name in figures.
        checkpoint: the shipped weights; None for real stacks.
        sampler, steps: see `generate.generate`; without a sampler it draws in one evaluation.
        pool: of a control, the size of the blocks whose pixels are averaged.
    """

    label: str
    checkpoint: str | None = None
    sampler: str | None = None
    steps: int = 1
    pool: int = 1


CONTENDERS: dict[str, Contender] = {
    "gan": Contender("GAN, plain", "gan-stacked"),
    "gan-penalised": Contender("GAN + R1 + R2", "gan-penalised-stacked"),
    "rpgan": Contender("RpGAN + R1 + R2", "rpgan-stacked"),
    "ddpm": Contender("diffusion, 10 steps", "ddpm-stacked", "sde_dpm_solver", 10),
    "real": Contender("real stacks"),
    "coarse": Contender("real, 7 × 7 pixels", pool=4),
}
"""By name; the last two are controls."""
ROWS = tuple(CONTENDERS)


def draw(contender: Contender, count: int, *, seed: int = 0) -> Tensor:
    """Stacks (count, 3, 28, 28) of a contender, float32 in [−1, 1]; the same for the same seed."""
    if contender.checkpoint is None:
        images, _ = stacked_mnist.draw(count, "test", generator=torch.Generator().manual_seed(seed))
        coarse = F.avg_pool2d(images, contender.pool)
        return coarse.repeat_interleave(contender.pool, 2).repeat_interleave(contender.pool, 3)
    model = checkpoints.model(contender.checkpoint)
    how = Sampling(sampler=contender.sampler, steps=contender.steps, seed=seed)
    return generate(cast(Any, model), count, how, progress=False)


def count(contender: Contender, samples: int = SAMPLES) -> dict[str, Any]:
    """The row of a contender: how often each number occurs among its samples, and what it was counted on."""
    _checks.integer("samples", samples)
    began, counts = time.perf_counter(), torch.zeros(stacked_mnist.KINDS, dtype=torch.int64)
    for part, begin in enumerate(range(0, samples, PART)):
        counts += histogram(numbers(draw(contender, min(PART, samples - begin), seed=part)))
    row: dict[str, Any] = dataclasses.asdict(contender) | hashes(contender)
    row |= {"seconds": round(time.perf_counter() - began, 1), "machine": devices.machine(torch.device("cpu"), 1)}
    return row | {"counts": counts.tolist()}


def hashes(contender: Contender) -> dict[str, str | None]:
    """SHA-256 of the weights that a row depends on: the contender's own, and the classifier's that named the digits."""
    own = None if contender.checkpoint is None else checkpoints.card(contender.checkpoint)["sha256"]
    return {"sha256": own, "classifier": checkpoints.card("classifier")["sha256"]}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by contender, in the order of `CONTENDERS`."""
    return stored.rows(path, CONTENDERS)


def counts(row: Mapping[str, Any]) -> Tensor:
    """The histogram of a row, (1000,) int64."""
    return torch.tensor(row["counts"])


def modes_of(row: Mapping[str, Any]) -> StackedModes:
    """Modes and divergences of a row, beside what as many real stacks score."""
    return modes(torch.arange(stacked_mnist.KINDS).repeat_interleave(counts(row)))


def row(name: str) -> dict[str, Any]:
    """The row of a contender by its name."""
    return count(CONTENDERS[name])
