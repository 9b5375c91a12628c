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
    means = 10 * torch.cartesian_prod(torch.arange(5.0), torch.arange(3.0))
    std = 0.5
    # Mode 0: four points at its middle. 1, 2 and 3: one at 2.95, 2.5 and 3.2 std along a diagonal. 4, 5 and 6: one at
    # 1, 2 and 6 std along an axis. The other eight: none.
    diagonal = [[d / 2**0.5, d / 2**0.5] for d in (2.95, 2.5, 3.2)]
    where = torch.tensor([[0, 0], [0.1, 0], [0, 0.1], [0.1, 0.1], *diagonal, [1, 0], [2, 0], [6, 0]])
    x = means[[0, 0, 0, 0, 1, 2, 3, 4, 5, 6]] + std * where
    value = int(answer(x, means, std))
    named = {
        2: "you compare the distance with 3·std², the variance. High quality means within 3 standard deviations.",
        6: "you test each coordinate by itself, a square around the mode. The protocol's region is a disc: use the "
        "Euclidean distance.",
        8: "you count good samples, not the modes that hold one.",
        7: "you count the nearest mode of every sample, however far away. A mode is covered by a sample within 3·std.",
        10: "you count the modes that hold no sample.",
    }
    if value == 5:
        return
    raise Wrong(named.get(value, f"five of these fifteen modes hold a sample within 3·std, you count {value}."))


def _square_modes(x: Tensor, means: Tensor, std: float) -> Tensor:
    return ((x[:, None] - means).abs() < 3 * std).all(dim=2).any(dim=0).sum()


def _trial(g: torch.Generator) -> Trial:
    std = uniform(g, 0.3, 0.8)
    apart = 7 * std * torch.cartesian_prod(torch.arange(5.0), torch.arange(3.0))  # no sample is within 3 std of two
    x = apart[torch.randint(len(apart), (12,), generator=g)] + 2.2 * std * torch.randn(12, 2, generator=g)
    return Trial((x, apart, std))


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
        Mistake(lambda x, m, s: (torch.cdist(x, m) >= 3 * s).all(0).sum(), "no sample"),
        Mistake(lambda x, m, s: (torch.cdist(x, m) < 2.9 * s).any(0).sum(), "you count 4."),
        Mistake(lambda x, m, s: ((x[:, None] - m).abs().sum(2) < 3 * s).any(0).sum(), "you count 3."),
    ),
    praise="one good sample covers a mode, which is why the share of good samples has to stand beside it.",
    trial=_trial,
)
