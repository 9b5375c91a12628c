r"""Runge and Kutta: a differential equation dy/du = slope(u, y), solved by steps that look before they go.

`rk4` takes the steps that it is given: four slopes each, an error of order h⁴. `dormand_prince` chooses its steps. It
has two answers from the same six slopes, of fifth and of fourth order; their difference tells the error of a step, and
the next step is as long as the tolerance allows (Dormand and Prince 1980; the "RK45" of other libraries). It is written
out here, as one table and one loop say all of it, and nothing else of such a library is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks

# Where each slope is taken: a row of weights for the slopes before it. The last row is the answer of fifth order, and
# its slope is the first one of the next step.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_FOURTH = (5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40)
_ERROR = tuple(a - b for a, b in zip((*_STAGES[-1], 0.0), _FOURTH, strict=True))
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0


class Solved(NamedTuple):
    """What a solver found: y at the end, how often it asked for the slope, and steps that it took back."""

    y: Tensor
    evaluations: int
    rejected: int


def rk4(slope: Callable[[Tensor, Tensor], Tensor], y: Tensor, grid: Tensor) -> Solved:
    """y (B, n) at the end of a grid (N + 1,) that rises or falls, by the classical method of fourth order.

    The slope is asked at u, 0-dimensional and float64, and y, and returns dy/du, shaped like y.
    """
    _start(slope, y)
    gaps = _checks.tensor("grid", grid, ("steps + 1",)).double().diff()
    if len(gaps) == 0 or not ((gaps > 0).all() or (gaps < 0).all()):
        raise ValueError(f"grid must rise or fall, at least two points of it, got {grid.tolist()[:4]}.")
    for u, end in pairwise(grid.double().unbind()):
        h = float(end - u)
        first = _slope(slope, u, y)
        second = _slope(slope, (u + end) / 2, y + h / 2 * first)
        third = _slope(slope, (u + end) / 2, y + h / 2 * second)
        fourth = _slope(slope, end, y + h * third)
        y = y + h / 6 * (first + 2 * second + 2 * third + fourth)
    return Solved(y, 4 * len(gaps), 0)


def dormand_prince(
    slope: Callable[[Tensor, Tensor], Tensor],
    y: Tensor,
    start: float,
    stop: float,
    *,
    tolerance: float = 1e-5,
    most: int = 10_000,
) -> Solved:
    """y (B, n) at `stop`, in steps as long as a tolerance allows.

    A step stands when in every row the root mean square of error/(tolerance·(1 + |y|)) is at most 1.

    Args:
        slope: dy/du at u, 0-dimensional and float64, and y; shaped like y.
        y: at `start`.
        start, stop: of u; stop may lie on either side.
        tolerance: relative and absolute.
        most: steps, taken or taken back.

    Raises:
        ValueError: after `most` steps, as for a slope that jumps or is infinite on the way.
    """
    _start(slope, y)
    u, stop = _checks.number("start", start), _checks.number("stop", stop)
    if u == stop:
        raise ValueError(f"start and stop must differ, got {u:g} for both.")
    tolerance = _checks.number("tolerance", tolerance, above=0, below=1)
    h, rejected, evaluations = (stop - u) / 20, 0, 1
    first = _slope(slope, torch.tensor(u, dtype=torch.float64), y)
    for _ in range(_checks.integer("most", most)):
        h = h if abs(h) < abs(stop - u) else stop - u
        slopes = [first]
        for row in _STAGES:
            at = torch.tensor(u + h * sum(row), dtype=torch.float64)
            ahead = y + h * _weighted(row, slopes)
            slopes.append(_slope(slope, at, ahead))
        evaluations += len(_STAGES)
        room = tolerance * (1 + torch.maximum(y.abs(), ahead.abs()))
        error = float((h * _weighted(_ERROR, slopes) / room).square().mean(1).sqrt().max())
        if error <= 1:
            if h == stop - u:
                return Solved(ahead, evaluations, rejected)
            u, y, first = u + h, ahead, slopes[-1]
        else:
            rejected += 1
        h *= min(GROW, max(SHRINK, SAFETY * max(error, 1e-9) ** -0.2)) if math.isfinite(error) else SHRINK
    raise ValueError(
        f"the solver came as far as {u:g} of {stop:g} in {most} steps: a slope that jumps or is infinite holds it up. "
        "Stay away from such places, or allow a larger tolerance."
    )


def _start(slope: object, y: Tensor) -> None:
    _checks.function("slope", slope)
    _checks.tensor("y", y, ("B", "n"))


def _slope(slope: Callable[[Tensor, Tensor], Tensor], u: Tensor, y: Tensor) -> Tensor:
    value = slope(u, y)
    _checks.same_shape("what slope returns", _checks.tensor("what slope returns", value, finite=False), "y", y)
    return value


def _weighted(weights: tuple[float, ...], slopes: list[Tensor]) -> Tensor:
    return sum((w * k for w, k in zip(weights, slopes, strict=True) if w), torch.zeros_like(slopes[0]))
