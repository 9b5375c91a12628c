"""`forget-step`: one step of the process that replaces bits by fair coins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def forget_step(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    """Bits x (B, d) of zeros and ones after one step.

    Each is kept, or with probability beta becomes a fair coin.
    """
    rate = (1 - beta) * x + beta / 2
    return (torch.rand(x.shape, generator=generator) < rate).to(x)


def _examine(answer: Answer) -> None:
    n, beta = 40_000, 0.3
    x = torch.tensor([0.0, 1.0]).expand(n, 2).contiguous()
    value = _bits(answer(x.clone(), beta, torch.Generator().manual_seed(1)), x)
    same(value, x)
    if not ((value == 0) | (value == 1)).all():
        if (value == value[0]).all():
            raise Wrong("you return rates, not bits: draw a zero or a one with that rate.")
        raise Wrong(f"bits are 0 or 1; some of yours are others, such as {_first_other(value):.3g}.")
    if (value == value[0]).all():
        more = [_bits(answer(x.clone(), beta, torch.Generator().manual_seed(seed)), x) for seed in range(2, 12)]
        if all(torch.equal(draw, x) for draw in [value, *more]):
            raise Wrong("no bit ever changes.")
        raise Wrong("all rows share one draw. Each bit of each row needs its own: `torch.rand(x.shape, …)`.")
    zeros, ones = value.mean(0).tolist()
    named = {
        "each bit flips with probability β. A coin that replaces it agrees with it half of the time: flips have β/2.": (
            beta,
            1 - beta,
        ),
        "bits are kept with probability β and replaced with 1 − β. It is the other way round.": (
            (1 - beta) / 2,
            (1 + beta) / 2,
        ),
        "a replaced bit becomes 0. The coin is fair: half of the replaced bits become 1.": (0.0, 1 - beta),
        "a replaced bit becomes 1. The coin is fair: half of the replaced bits become 0.": (beta, 1.0),
        "you keep with √(1 − β). That is the Gaussian's factor; bits are kept with 1 − β.": (
            (1 - (1 - beta) ** 0.5) / 2,
            (1 + (1 - beta) ** 0.5) / 2,
        ),
        "ones become zeros as often as they should stay: the comparison with the draw is turned round.": (
            1 - beta / 2,
            beta / 2,
        ),
    }
    if abs(zeros - beta / 2) > 0.01 or abs(ones - (1 - beta / 2)) > 0.01:
        diagnose(
            (zeros, ones),
            named.items(),
            f"with β = {beta} a 0 should become 1 with probability {beta / 2:.3f}, a 1 stay with {1 - beta / 2:.3f}; "
            f"yours are {zeros:.3f} and {ones:.3f}.",
            near=within(0.01, 0.01),
        )
    if torch.corrcoef(value.T)[0, 1].abs() > 0.1:
        raise Wrong("all bits of a row share one draw. Each bit needs its own: `torch.rand(x.shape, …)`.")


def _first_other(value: Tensor) -> float:
    return float(value[(value != 0) & (value != 1)][0])


def _bits(value: Any, x: Tensor) -> Any:
    """Bits as bool or whole numbers are bits too."""
    return value.to(x) if isinstance(value, Tensor) and not value.is_floating_point() else value


def _forget(rate: Callable[[Tensor, float], Tensor], *, shared: bool = False, own: bool = False) -> Answer:
    def answer(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
        shape = (len(x), 1) if shared else x.shape
        return (torch.rand(shape, generator=None if own else generator) < rate(x, beta)).to(x)

    return answer


def _right_rate(x: Tensor, beta: float) -> Tensor:
    return (1 - beta) * x + beta / 2


def _trial(g: torch.Generator) -> Trial:
    x, beta = (torch.rand(6000, 5, generator=g) < 0.4).float(), uniform(g, 0.1, 0.7)
    rate = (1 - beta) * x + beta / 2
    return Trial((x, beta), Law(rate, (rate * (1 - rate)).sqrt(), gaussian=False), lambda value: _bits(value, x))


EXERCISE = Exercise(
    id="forget-step",
    chapter="03_nonequilibrium",
    examine=_examine,
    solution=forget_step,
    mistakes=(
        Mistake(_forget(lambda x, b: (1 - b) * x + b * (1 - x)), "flips with probability β"),
        Mistake(_forget(lambda x, b: b * x + (1 - b) / 2), "other way round"),
        Mistake(_forget(lambda x, b: (1 - b) * x), "becomes 0."),
        Mistake(_forget(lambda x, b: (1 - b) * x + b), "becomes 1."),
        Mistake(_forget(lambda x, b: (1 - b) ** 0.5 * x + (1 - (1 - b) ** 0.5) / 2), "the Gaussian's factor"),
        Mistake(lambda x, b, g: (torch.rand(x.shape, generator=g) > _right_rate(x, b)).to(x), "turned round"),
        Mistake(lambda x, b, g: _right_rate(x, b), "rates, not bits"),
        Mistake(lambda x, b, g: x.clone(), "no bit ever changes"),
        Mistake(_forget(_right_rate, shared=True), "bits of a row share one draw"),
        Mistake(lambda x, b, g: (torch.rand(x.shape[1], generator=g) < _right_rate(x, b)).to(x), "all rows share"),
        Mistake(_forget(_right_rate, own=True), "not repeatable"),
    ),
    praise="a hundred such steps turn any sequence into a row of fair coins.",
    trial=_trial,
)
