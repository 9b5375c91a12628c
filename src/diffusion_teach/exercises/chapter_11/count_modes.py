"""`count-modes`: how many modes a sample reaches."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def count_modes(x: Tensor, means: Tensor, std: float) -> Tensor:
    """How many of the centres (K, 2) have a sample of x (N, 2) within 3 std."""
    distance = torch.cdist(x, means)
    return (distance < 3 * std).any(dim=0).sum()


def _examine(answer: Answer) -> None:
    means = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0], [20.0, 0.0], [20.0, 10.0]])
    std = 0.5
    # Mode 0: four points at its middle. 1: one at 2.8 std. 2: one at 3.2 std along a diagonal.
    # 3: one at 1 std. 4: one at 6 std. 5: none.
    where = torch.tensor([[0, 0], [0.1, 0], [0, 0.1], [0.1, 0.1], [2.8, 0], [2.263, 2.263], [1, 0], [6, 0]])
    x = means[[0, 0, 0, 0, 1, 2, 3, 4]] + std * where
    value = int(answer(x, means, std))
    named = {
        2: "you compare the distance with 3·std², the variance. High quality means within 3 standard deviations.",
        4: "you test each coordinate by itself, a square around the mode. The protocol's region is a disc: use the "
        "Euclidean distance.",
        6: "you count good samples, not the modes that hold one.",
        5: "you count the nearest mode of every sample, however far away. A mode is covered by a sample within 3·std.",
    }
    if value == 3:
        return
    raise Wrong(named.get(value, f"three of these six modes hold a sample within 3·std, you count {value}."))


def _square_modes(x: Tensor, means: Tensor, std: float) -> Tensor:
    return ((x[:, None] - means).abs() < 3 * std).all(dim=2).any(dim=0).sum()


def _trial(g: torch.Generator) -> Trial:
    return Trial((4 * torch.randn(12, 2, generator=g), 4 * torch.randn(15, 2, generator=g), uniform(g, 0.3, 0.8)))


EXERCISE = Exercise(
    id="count-modes",
    chapter="11_gan_vs_diffusion",
    examine=_examine,
    solution=count_modes,
    mistakes=(
        Mistake(lambda x, m, s: (torch.cdist(x, m) < 3 * s**2).any(0).sum(), "3 standard deviations"),
        Mistake(_square_modes, "disc"),
        Mistake(lambda x, m, s: (torch.cdist(x, m) < 3 * s).sum(), "not the modes"),
        Mistake(lambda x, m, s: torch.cdist(x, m).argmin(1).unique().numel(), "nearest mode"),
    ),
    praise="one good sample covers a mode, which is why the share of good samples has to stand beside it.",
    trial=_trial,
)
