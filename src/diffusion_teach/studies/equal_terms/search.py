"""The search for each contender's two settings: from the middle of a grid of 5 × 5 to its best neighbour, and on.

A trial is a whole training on a seed of its own, and scores the geometric mean of its distances over their floors by
both judges, 2,000 samples. The search ends where no neighbour is better, or after nine trials; the row says which. The
trials lie in `search.json` beside this file.

The grids of the GANs were moved once: begun at the rates and penalties of the shipped recipes, which train for longer,
the search ended at an edge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import stored
from diffusion_teach.studies.equal_terms.contenders import CONTENDERS, Contender

RESULTS = Path(__file__).with_suffix(".json")
SEED = 1000  # no seed that is reported
TRIALS = 9
ROWS = tuple(CONTENDERS)

Place = tuple[int, int]


def climb(score: Callable[[Place], float], sizes: Place, trials: int = TRIALS) -> tuple[dict[Place, float], bool]:
    """Go down on a grid from its middle, by the best of four neighbours.

    Args:
        score: of a place, the smaller the better; called once for each.
        sizes: of the grid.
        trials: how many places may be tried.

    Returns:
        The score of each place that was tried, and whether the best is inside: none of its four neighbours is untried
        or beyond the grid.
    """
    place = (sizes[0] // 2, sizes[1] // 2)
    tried = {place: score(place)}
    while True:
        around = [(place[0] + i, place[1] + j) for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1))]
        within = [p for p in around if all(0 <= k < size for k, size in zip(p, sizes, strict=True))]
        for neighbour in within:
            if neighbour not in tried and len(tried) < trials:
                tried[neighbour] = score(neighbour)
        best = min(tried, key=lambda p: tried[p])
        if best == place:
            return tried, all(p in tried for p in around)
        place = best
        if len(tried) >= trials:
            return tried, False


def row(name: str) -> dict[str, Any]:
    """The search of a contender: its trials, the best settings, and whether these are inside what was tried."""
    contender = CONTENDERS[name]
    (first, one), (second, other) = contender.settings.items()
    trials: list[dict[str, Any]] = []

    def score(place: Place) -> float:
        chosen = {first: one[place[0]], second: other[place[1]]}
        trials.append(chosen | _trial(contender, chosen))
        print(name, trials[-1], flush=True)
        return float(trials[-1]["score"])

    _, inside = climb(score, (len(one), len(other)))
    best = min(trials, key=lambda trial: float(trial["score"]))
    return {"best": {key: best[key] for key in contender.settings}, "inside": inside, "trials": trials}


def _trial(contender: Contender, chosen: dict[str, float]) -> dict[str, float]:
    try:
        found = contender.scores(chosen, SEED, repeats=1)
    except FloatingPointError:  # the training diverged: the trial has failed
        return {"score": 1e9}
    times = {judge: found[judge]["times_floor"] for judge in JUDGES}
    mean = math.exp(math.fsum(math.log(value) for value in times.values()) / len(times))
    return {"score": round(mean, 3), **{judge: round(value, 2) for judge, value in times.items()}}


def results(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The stored search, by contender."""
    return stored.rows(path, ROWS)
