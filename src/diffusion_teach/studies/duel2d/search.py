"""The search for the settings of each contender, and what it found.

On each data set each contender has thirty trials of its settings (`TRIALS`). The trial that covers most modes
wins; where two tie, the one with more samples of high quality. The search trains five members on a seed of its own,
takes a quarter of an hour on one core, and writes `search.json` beside this file, which the chapter reads. It keeps
what every member scored, so that `outcomes` can tell how often a contender trains well, whatever its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import Modes
from diffusion_teach.studies import stored
from diffusion_teach.studies.duel2d.contenders import OCTAVES, POINTS, data, measure, train

SEARCH_SEED = 1000  # no seed that a chapter is run with
SEARCH_MEMBERS = 5
RATES = tuple(float(f"{2.5e-4 * 2 ** (k / 3):.3g}") for k in range(-2, 28))  # from 1.6e-4 to 0.13, an octave in three
GAMMAS = (0.002, 0.01, 0.05, 0.25, 1.25, 6.25)
PENALISED = tuple({"lr": lr, "penalty": gamma} for lr in (2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2) for gamma in GAMMAS)
TRIALS: dict[str, tuple[dict[str, float], ...]] = {
    "GAN": tuple({"lr": lr} for lr in RATES),
    "GAN + R1 + R2": PENALISED,
    "RpGAN + R1 + R2": PENALISED,
    "diffusion": tuple({"lr": lr} for lr in RATES),
}
RESULTS = Path(__file__).with_suffix(".json")
ROWS = ("fourier", "raw")


def search(contender: str, octaves: int, mixture: GaussianMixture) -> list[dict[str, Any]]:
    """Every trial of a contender: its settings, and the modes covered and share of high quality.

    "covered" (a share) and "quality" are means over members; "members_covered" (a number) and "members_quality" have
    each member's.
    """
    rows: list[dict[str, Any]] = []
    for trial in TRIALS[contender]:
        g = torch.Generator().manual_seed(SEARCH_SEED)
        trained = train(contender, mixture.sample(POINTS, generator=g), octaves, g, trial, SEARCH_MEMBERS)
        result = measure(trained.draw(2500), mixture)
        covered = float(result.covered.double().mean()) / len(mixture.means)
        row: dict[str, Any] = {
            **trial,
            "covered": round(covered, 3),
            "quality": round(float(result.high_quality.mean()), 3),
        }
        row["members_covered"] = result.covered.tolist()
        row["members_quality"] = rounded(result.high_quality, 4)
        print(contender, octaves, len(mixture.means), row, flush=True)
        rows.append(row)
    return rows


def rounded(values: Tensor, digits: int) -> list[float]:
    """Numbers (N,) as they are stored."""
    return [round(value, digits) for value in values.tolist()]


def scored(result: Modes) -> dict[str, list[float]]:
    """What each member scored, as it is stored."""
    row = {"covered": result.covered.tolist(), "high_quality": rounded(result.high_quality, 4)}
    return row | {"reverse_kl": rounded(result.reverse_kl, 5)}


def modes_of(row: Mapping[str, Any]) -> Modes:
    """What `scored` stored, as it was."""
    return Modes(*(torch.tensor(row[measure]) for measure in Modes._fields))


def judge(row: Mapping[str, Any]) -> tuple[float, float]:
    """What the best trial has most of: modes covered, to a per cent; where they tie, samples of high quality."""
    return round(row["covered"], 2), row["quality"]


def results() -> dict[str, dict[str, dict[str, list[dict[str, Any]]]]]:
    """The stored search: features ("fourier" or "raw") → data set → contender → trials."""
    return stored.rows(RESULTS, ROWS)


def best(features: str, name: str, contender: str) -> dict[str, Any]:
    """The trial that won the stored search on a data set: its settings and what it scored."""
    _checks.choice("features", features, ROWS)
    _checks.choice("name", name, ("ring", "grid"))
    _checks.choice("contender", contender, TRIALS)
    return max(results()[features][name][contender], key=judge)


def settings(features: str, name: str, contender: str) -> dict[str, float]:
    """The settings of the trial that won the stored search on a data set, as `train` takes them."""
    return {key: value for key, value in best(features, name, contender).items() if key in ("lr", "penalty")}


OUTCOMES = ("drops modes", "blurred", "usable")


def outcomes(features: str, name: str) -> dict[str, list[list[str]]]:
    """How each run of the stored search ended, one of `OUTCOMES`: contender → trial → member.

    A run that does not cover every mode drops modes. Of the others one is usable if its share of high quality is at
    least half of the best contender's on this data set and input, which is the highest of the chosen trials' means.
    """
    bar = max(best(features, name, contender)["quality"] for contender in TRIALS) / 2
    count = len(data()[name].means)

    def outcome(covered: int, quality: float) -> str:
        return OUTCOMES[0 if covered < count else 1 + (quality >= bar)]

    return {
        contender: [list(map(outcome, row["members_covered"], row["members_quality"])) for row in rows]
        for contender, rows in results()[features][name].items()
    }


def row(features: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The search with "fourier" features or on "raw" coordinates: data set → contender → trials."""
    octaves = OCTAVES if features == "fourier" else 0
    return {
        name: {contender: search(contender, octaves, mixture) for contender in TRIALS}
        for name, mixture in data().items()
    }
