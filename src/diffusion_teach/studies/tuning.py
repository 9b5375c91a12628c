"""The same small search for whoever is compared: two settings, from the middle of a grid to its best neighbour, and on.

A trial is a whole training on a seed that is not reported, and its score is the smaller the better. The search ends
where no neighbour is better, or after `TRIALS` trials; a row says which.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from diffusion_teach.recipes.digits import DigitsRecipe

SEED = 1000
"""Of every trial; no seed that is reported."""
TRIALS = 9
FAILED = 1e9
"""The score of a training that diverged."""

Place = tuple[int, int]


def around(middle: float, factor: float = 2.0) -> tuple[float, ...]:
    """Five values, each a factor from the next."""
    return tuple(middle * factor**k for k in range(-2, 3))


def tuned(recipe: DigitsRecipe, chosen: Mapping[str, float], **fields: Any) -> DigitsRecipe:
    """A recipe with chosen settings, and other fields.

    "gamma" is the weight of both penalties, "beta1" Adam's first decay, and "latents" belongs to the network.
    """
    for name, value in chosen.items():
        if name == "gamma":
            fields |= {"r1": value, "r2": value}
        elif name == "latents":
            fields["network"] = MappingProxyType({**recipe.network, "latents": int(value)})
        elif name == "beta1":
            fields["betas"] = (value, 0.99)
        else:
            fields[name] = value
    return dataclasses.replace(recipe, **fields)


def search(
    settings: Mapping[str, Sequence[float]], trial: Callable[[dict[str, float]], Mapping[str, float]]
) -> dict[str, Any]:
    """Search two settings for the smallest "score" of a trial.

    Args:
        settings: by name the values that may be tried, in order; the search begins in the middle.
        trial: trains with chosen settings, and returns the "score" with whatever else is kept; may raise
            FloatingPointError where the training diverges, and has failed then.

    Returns:
        The "best" settings, whether they are "inside" what was tried, and all "trials".
    """
    (first, one), (second, other) = settings.items()
    trials: list[dict[str, Any]] = []

    def score(place: Place) -> float:
        chosen = {first: one[place[0]], second: other[place[1]]}
        try:
            found = trial(chosen)
        except FloatingPointError:
            found = {"score": FAILED}
        trials.append(chosen | dict(found))
        print(trials[-1], flush=True)
        return float(trials[-1]["score"])

    _, inside = climb(score, (len(one), len(other)))
    best = min(trials, key=lambda row: float(row["score"]))
    return {"best": {name: best[name] for name in settings}, "inside": inside, "trials": trials}


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
