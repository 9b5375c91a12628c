"""`count-the-nats`: the entropy of a density on a grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_00._shared import mistakes
from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise
from diffusion_teach.exercises.trials import Trial, uniform


def nats(p: Tensor, dx: float) -> Tensor:
    """−∫ p log p dx of a density p (n,), spacing dx; where p is 0 it adds nothing."""
    return -torch.xlogy(p, p).sum() * dx


_NAN = "0·log 0 came out as NaN. It counts as 0: torch.xlogy(p, p) knows."
_NATS: tuple[tuple[Answer, str], ...] = (
    (
        lambda p, dx: torch.xlogy(p, p).sum() * dx,
        "the sign is wrong: where p is below 1 its logarithm is negative, and the entropy is minus the sum.",
    ),
    (lambda p, dx: nats(p, dx) / math.log(2), "that is in bits: you took log2. Nats come from the natural logarithm."),
    (
        lambda p, dx: -torch.xlogy(p, p).sum(),
        "the sum is no integral yet: each term stands for a stretch of length dx.",
    ),
    (
        lambda p, dx: -torch.xlogy(p * dx, p * dx).sum(),
        "that is the entropy of the cells, which grows with their number. Take the logarithm of p, not of p·dx.",
    ),
)


def _examine(answer: Answer) -> None:
    dx = 0.01
    x = torch.arange(-8, 8, dx, dtype=torch.float64) + dx / 2
    ramp = torch.where((x > -2) & (x < 2), 0.25, 0.0) + 0.125 * (x.abs() < 1) - 0.125 * ((x.abs() > 1) & (x.abs() < 2))
    expected = nats(ramp, dx)
    value = torch.as_tensor(answer(ramp.clone(), dx)).to(expected)
    if bool(value.isnan().any()):
        raise Wrong(_NAN)
    if same(value, expected):
        return
    diagnose(
        value,
        ((diagnosis, wrong(ramp, dx)) for wrong, diagnosis in _NATS),
        f"on a density with two steps the entropy is {expected:.3f} nats, yours is {float(value):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    p, dx = torch.rand(40, dtype=torch.float64, generator=g), uniform(g, 0.02, 0.2)
    p[::5] = p[-1] = 0  # 0 at the ends, so that the trapezoidal rule is the same sum
    return Trial((p / (p.sum() * dx), dx))


EXERCISE = Exercise(
    id="count-the-nats",
    chapter="00_ink",
    examine=_examine,
    solution=nats,
    mistakes=mistakes((*_NATS, (lambda p, dx: -(p * p.log()).sum() * dx, _NAN))),
    praise="right: a sum over the grid, in nats, and 0·log 0 is 0.",
    trial=_trial,
)
