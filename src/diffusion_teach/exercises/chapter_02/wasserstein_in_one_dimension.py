"""`wasserstein-in-one-dimension`: the distance W₁ of two samples on a line."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def wasserstein(x: Tensor, y: Tensor) -> Tensor:
    """W₁ of two samples of n numbers each, (n,) and (n,), a scalar."""
    return (x.sort().values - y.sort().values).abs().mean()


def _examine(answer: Answer) -> None:
    x = torch.tensor([4.0, 0.0, 1.5, -2.0], dtype=torch.float64)
    y = torch.tensor([-1.0, 7.5, 2.5, -4.0], dtype=torch.float64)
    value = answer(x, y)
    difference = x.sort().values - y.sort().values
    every = (x[:, None] - y).abs()
    named = {
        "you pair the points as they come. The order of a sample means nothing: pair the smallest with the smallest, "
        "and so on.": (x - y).abs().mean(),
        "you compare the means only. Two samples may differ and have one mean.": (x.mean() - y.mean()).abs(),
        "you average over all pairs. Each point is moved once, to one place.": every.mean(),
        "you square the distances, which is W₂². W₁ adds the distances themselves.": difference.square().mean(),
        "you sum over the points. Each carries the mass 1/n: take the mean.": difference.abs().sum(),
        "you send each point to its nearest. Then several may go to one place, and others get nothing.": (
            every.min(dim=1).values.mean()
        ),
        "the absolute value is missing: moves to the left and to the right cancel.": difference.mean(),
        "you divide by n − 1, and n points are moved.": difference.abs().sum() / (len(x) - 1),
        "you have sorted x and not y.": (x.sort().values - y).abs().mean(),
        "you have sorted y and not x.": (x - y.sort().values).abs().mean(),
        "one of them is sorted the other way round: the smallest goes to the largest.": (
            (x.sort().values - y.sort(descending=True).values).abs().mean()
        ),
        "that is W₂, the root of the mean squared way. W₁ is the mean way.": difference.square().mean().sqrt(),
        "that is the longest way. W₁ is the mean way.": difference.abs().max(),
    }
    if same(value, wasserstein(x, y)):
        return
    diagnose(
        value,
        named.items(),
        f"for (4, 0, 1.5, −2) and (−1, 7.5, 2.5, −4) the least work is {float(wasserstein(x, y)):.4f}, yours "
        f"{float(value):.4f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    return Trial((torch.randn(9, generator=g), 1 + 2 * torch.randn(9, generator=g)))


EXERCISE = Exercise(
    id="wasserstein-in-one-dimension",
    chapter="02_gan",
    examine=_examine,
    solution=wasserstein,
    mistakes=(
        Mistake(lambda x, y: (x - y).abs().mean(), "as they come"),
        Mistake(lambda x, y: (x.mean() - y.mean()).abs(), "means only"),
        Mistake(lambda x, y: (x[:, None] - y).abs().mean(), "all pairs"),
        Mistake(lambda x, y: (x.sort().values - y.sort().values).square().mean(), "W₂²"),
        Mistake(lambda x, y: (x.sort().values - y.sort().values).abs().sum(), "mass 1/n"),
        Mistake(lambda x, y: (x[:, None] - y).abs().min(1).values.mean(), "nearest"),
        Mistake(lambda x, y: (x.sort().values - y.sort().values).mean(), "absolute value is missing"),
        Mistake(lambda x, y: wasserstein(x, y) * len(x) / (len(x) - 1), "n − 1"),
        Mistake(lambda x, y: (x.sort().values - y).abs().mean(), "sorted x and not y"),
        Mistake(lambda x, y: (x.sort().values - y.sort(descending=True).values).abs().mean(), "the other way round"),
        Mistake(lambda x, y: (x.sort().values - y.sort().values).square().mean().sqrt(), "that is W₂,"),
        Mistake(lambda x, y: (x.sort().values - y.sort().values).abs().max(), "longest way"),
    ),
    praise="on a line the best plan keeps the order, so sorting finds it; in the plane one needs more, such as a "
    "critic.",
    trial=_trial,
)
