"""Fair timing on a machine that is never quite still: steps that alternate, ratios of neighbours, quartiles."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from diffusion_teach import _checks


class Quartiles(NamedTuple):
    """Lower quartile, median, upper quartile."""

    low: float
    middle: float
    high: float


class PowerLaw(NamedTuple):
    """y = factor · x^exponent, with the exponent's standard error."""

    exponent: float
    error: float
    factor: float


def quartiles(values: Sequence[float]) -> Quartiles:
    """Quartiles of at least one value, linearly interpolated; one value is all three."""
    if not values:
        raise ValueError("values is empty, expected at least one number.")
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    return Quartiles(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(slow: Sequence[float], fast: Sequence[float]) -> Quartiles:
    """Quartiles of slow[i] / fast[i]: both were measured in round i, so what slows the machine down cancels."""
    if len(slow) != len(fast):
        raise ValueError(f"both must have as many rounds, got {len(slow)} and {len(fast)}.")
    return quartiles([a / b for a, b in zip(slow, fast, strict=True)])


def power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw:
    """The line of least squares through (log x, log y).

    Args:
        x, y: as many positive numbers, with at least three different x: two leave nothing to judge the error by.
    """
    if len(x) != len(y) or len(set(x)) < 3:
        raise ValueError(
            f"x and y must be as many, with at least three different x; got {len(x)} and {len(y)} numbers, "
            f"{len(set(x))} different x."
        )
    if min(*x, *y) <= 0:
        raise ValueError(f"x and y must be positive to have a logarithm, got {min(*x, *y):g}.")
    logs_x, logs_y = [math.log(value) for value in x], [math.log(value) for value in y]
    slope, intercept = statistics.linear_regression(logs_x, logs_y)
    rest = sum((b - intercept - slope * a) ** 2 for a, b in zip(logs_x, logs_y, strict=True))
    spread = (len(x) - 1) * statistics.variance(logs_x)
    return PowerLaw(slope, math.sqrt(rest / (len(x) - 2) / spread), math.exp(intercept))


def seconds(run: Callable[[], object], repeats: int = 1) -> float:
    """Seconds that one run takes, the mean of some in a row."""
    begin = time.perf_counter()
    for _ in range(_checks.integer("repeats", repeats)):
        run()
    return (time.perf_counter() - begin) / repeats


def best(run: Callable[[], object], *, trials: int = 5, least: float = 0.2) -> float:
    """The least seconds a run over some trials, each of repeats that last about `least` seconds: for a peak.

    A peak is what the machine can do, so its best trial counts; whatever else runs can only make it slower.
    """
    run()
    repeats = max(1, round(least / max(seconds(run), 1e-6)))
    return min(seconds(run, repeats) for _ in range(_checks.integer("trials", trials)))


def interleaved(
    runs: Mapping[str, Callable[[], object]], rounds: int, *, warm_up: int = 3, least: float = 0.5
) -> dict[str, list[float]]:
    """Seconds a run, by name, in each of some rounds; in a round every contender takes its turn.

    Args:
        runs: what each does, once.
        rounds: how many.
        warm_up: runs of each that do not count: the first ones choose kernels and fetch memory.
        least: seconds that a contender's turn lasts at least, by repeating runs that are shorter; so that a fast one is
            measured over as long a time as a slow one.
    """
    _checks.integer("rounds", rounds)
    repeats = {}
    for name, run in runs.items():
        for _ in range(_checks.integer("warm_up", warm_up)):
            last = seconds(run)
        repeats[name] = max(1, round(least / max(last, 1e-6)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(seconds(run, repeats[name]))
    return found
