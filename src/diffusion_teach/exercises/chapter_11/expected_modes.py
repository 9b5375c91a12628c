"""`expected-modes`: how many modes a perfect sample of n would reach."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def expected_modes(shares: Tensor, n: int) -> Tensor:
    """How many modes n draws reach on average; mode k has the share shares[k], (K,)."""
    return (1 - (1 - shares) ** n).sum()


def _examine(answer: Answer) -> None:
    shares, n = torch.tensor([0.4, 0.3, 0.2, 0.08, 0.02], dtype=torch.float64), 6
    value, modes = answer(shares, n), len(shares)
    missed = (1 - shares) ** n
    named = {
        "you count the modes that are missed: a mode is missed when all n draws go elsewhere.": missed.sum(),
        "you give the share of the modes that are reached. Sum over them instead of averaging.": (1 - missed).mean(),
        "you take all modes for equally frequent. A rare one is missed more often: use its share.": (
            torch.as_tensor(modes * (1 - (1 - 1 / modes) ** n), dtype=torch.float64)
        ),
        "you subtract pⁿ, the chance that every draw is of this mode. It is missed when none is: (1 − p)ⁿ.": (
            (1 - shares**n).sum()
        ),
        "you count visits, at most one a mode on average. A mode with n·p = 1 is still missed by more than a third of "
        "all samples.": (n * shares).clamp(max=1).sum(),
        "you take the number of visits for Poisson's, e⁻ⁿᵖ. That is near for many draws; with n draws a mode is missed "
        "with (1 − p)ⁿ.": (1 - (-n * shares).exp()).sum(),
        "a mode is missed when all n draws go elsewhere, and you let n − 1 do so.": (
            (1 - (1 - shares) ** (n - 1)).sum()
        ),
        "you count the modes that are met exactly once. Those met more often are reached, too.": (
            (n * shares * (1 - shares) ** (n - 1)).sum()
        ),
        "you count as if no draw met a mode that another has met already.": (
            torch.tensor(float(min(n, modes)), dtype=torch.float64)
        ),
    }
    expected = expected_modes(shares, n)
    if same(value, expected):
        return
    diagnose(
        value,
        named.items(),
        f"six draws of five modes with the shares .4, .3, .2, .08 and .02 reach {float(expected):.3f} of them on "
        f"average, you say {float(value):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    shares = torch.randn(8, dtype=torch.float64, generator=g).softmax(0)
    return Trial((shares, int(torch.randint(2, 30, (), generator=g))))


EXERCISE = Exercise(
    id="expected-modes",
    chapter="11_gan_vs_diffusion",
    examine=_examine,
    solution=expected_modes,
    mistakes=(
        Mistake(lambda p, n: ((1 - p) ** n).sum(), "that are missed"),
        Mistake(lambda p, n: (1 - (1 - p) ** n).mean(), "instead of averaging"),
        Mistake(lambda p, n: p.new_tensor(len(p) * (1 - (1 - 1 / len(p)) ** n)), "equally frequent"),
        Mistake(lambda p, n: (1 - p**n).sum(), "every draw is of this mode"),
        Mistake(lambda p, n: (n * p).clamp(max=1).sum(), "count visits"),
        Mistake(lambda p, n: p.new_tensor(float(min(n, len(p)))), "no draw met a mode"),
        Mistake(lambda p, n: (1 - (-n * p).exp()).sum(), "Poisson"),
        Mistake(lambda p, n: (1 - (1 - p) ** (n - 1)).sum(), "you let n − 1 do so"),
        Mistake(lambda p, n: (n * p * (1 - p) ** (n - 1)).sum(), "exactly once"),
    ),
    praise="a model that scores less than this has dropped modes, and one that scores as much need not have.",
    trial=_trial,
)
