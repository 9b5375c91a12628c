"""`tilted-mean`: a mean under p(x)·p(c|x)^(1 + w), by weights on points from p(x|c)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def tilted_mean(x: Tensor, p_c: Tensor, w: float) -> Tensor:
    """The mean (d,) of points x (n, d) from p(x|c), tilted; p_c (n,) is p(c|x)."""
    weight = p_c**w
    return (weight / weight.sum()) @ x


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    x = torch.randn(200, 2, generator=g, dtype=torch.float64) + torch.tensor([1.0, -0.5])
    p_c, w = torch.sigmoid(2 * x[:, 0] - x[:, 1]), 2.0
    value = answer(x, p_c, w)
    expected = tilted_mean(x, p_c, w)
    if same(value, expected):
        return
    named = {
        "that is the mean of the points as they are: each needs a weight.": x.mean(0),
        "your weight is p(c|x)^(1 + w). One power is in the points already: they come from p(x|c).": (
            tilted_mean(x, p_c, 1 + w)
        ),
        "weights must sum to one: divide by their sum.": (p_c**w) @ x,
        "weights must sum to one, and yours have the sum of p(c|x)^w over n: divide by their sum, not by n.": (
            (p_c**w) @ x / len(x)
        ),
        "your weight is p(c|x), or a multiple of it, which falls out of a mean. w is an exponent.": (
            tilted_mean(x, p_c, 1.0)
        ),
        "your weight grows as p(c|x) falls: the exponent is w, not −w.": tilted_mean(x, p_c, -w),
        "your weight is the logarithm of a weight. Take its exponential.": (
            (w * p_c.log()) @ x / (w * p_c.log()).sum()
        ),
    }
    diagnose(
        value,
        named.items(),
        f"at w = {w:g} your mean is {[round(v, 3) for v in value.tolist()]}; expected "
        f"{[round(v, 3) for v in expected.tolist()]}.",
    )


def _trial(g: Generator) -> Trial:
    x = torch.randn(50, 3, generator=g, dtype=torch.float64) + 2
    p_c = torch.rand(50, generator=g, dtype=torch.float64) * 0.9 + 0.05
    return Trial((x, p_c, uniform(g, 1.2, 4.0)))


EXERCISE = Exercise(
    id="tilted-mean",
    chapter="10_guidance",
    examine=_examine,
    solution=tilted_mean,
    mistakes=(
        Mistake(lambda x, p, w: x.mean(0), "as they are"),
        Mistake(lambda x, p, w: tilted_mean(x, p, 1 + w), "in the points already"),
        Mistake(lambda x, p, w: (p**w) @ x, "to one: divide by their sum."),
        Mistake(lambda x, p, w: (p**w) @ x / len(x), "not by n"),
        Mistake(lambda x, p, w: tilted_mean(x, p, 1.0), "w is an exponent"),
        Mistake(lambda x, p, w: tilted_mean(x, p, -w), "not −w"),
        Mistake(lambda x, p, w: (w * p.log()) @ x / (w * p.log()).sum(), "Take its exponential"),
        Mistake(lambda x, p, w: tilted_mean(x, p, w / 4), "your mean is"),
    ),
    praise="a density that is known up to a constant is enough for a mean.",
    trial=_trial,
)
