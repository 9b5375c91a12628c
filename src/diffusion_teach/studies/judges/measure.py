"""Digits spoilt in known ways before both judges: the distance over its floor, and the share that cannot be read.

Every row is 2,000 images, drawn ten times anew, see `metrics.spoilt`. "real" has them as they are; "no 8" has them
without a digit. What the shipped generators score stands on the scoreboard. The rows lie in `results.json` beside this
file, with the hashes of the judges' weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import frechet
from diffusion_teach.metrics.evaluation import illegible
from diffusion_teach.metrics.features import JUDGES, predict, pretrained
from diffusion_teach.metrics.spoilt import SPOILT
from diffusion_teach.studies import stored

RESULTS = Path(__file__).with_name("results.json")
COUNT, DRAWS = 2000, 10


def _without(label: int) -> Callable[[torch.Generator], Tensor]:
    images, labels = mnist.load("train")
    return lambda g: _some(images[labels != label], g)


def _some(images: Tensor, generator: torch.Generator) -> Tensor:
    return mnist.to_model(images[torch.randperm(len(images), generator=generator)[:COUNT]])


def _real(generator: torch.Generator) -> Tensor:
    return _some(mnist.load("train")[0], generator)


ROWS: dict[str, Callable[[torch.Generator], Tensor]] = {
    "real": _real,
    **{name: lambda g, spoil=spoil: spoil(_real(g), g) for name, spoil in SPOILT.items()},  # type: ignore[misc]
    "no 1": lambda g: _without(1)(g),
    "no 8": lambda g: _without(8)(g),
}
"""By name: what draws a set of images."""


def row(name: str) -> dict[str, Any]:
    """What both judges say of a row's images: means over the draws, and standard deviations."""
    generator = torch.Generator().manual_seed(0)
    floors = {judge: frechet.floor(COUNT, 20, judge=judge, generator=generator).mean for judge in JUDGES}
    times: dict[str, list[float]] = {judge: [] for judge in JUDGES}
    unread = []
    for _ in range(DRAWS):
        images = ROWS[name](generator)
        unread.append(illegible(predict(pretrained(), images)))
        for judge, floor in floors.items():
            times[judge].append(frechet.frechet_to_test(images, judge) / floor)
    found: dict[str, Any] = {judge: {"times_floor": fmean(of), "std": stdev(of)} for judge, of in times.items()}
    found |= {"illegible": fmean(unread), "count": COUNT, "draws": DRAWS}
    return found | {"judges": stored.judges()}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
