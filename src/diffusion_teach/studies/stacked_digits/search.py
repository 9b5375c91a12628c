"""The search for each contender's settings.

Each has four trials (`TRIALS`), short trainings on a seed of their own, judged by the modes among 2,500 samples and,
where they tie, by the divergence from equal shares. The plain GAN tries convolutions and dense layers; the other one
has convolutions. (Before, the plain GAN with convolutions had four more trials, at rates of 2e-4 and 1e-3: all made a
single number.) The trials lie in `search.json` beside this file. The recipes `gan-stacked`, `rpgan-stacked` and
`ddpm-stacked` have the settings that won.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.recipes.gan import STACKED, STACKED_DENSE
from diffusion_teach.studies import stored
from diffusion_teach.training import run

RESULTS = Path(__file__).with_suffix(".json")
SEARCH_STEPS = 200
SEARCH_SEED = 1000  # no seed that a checkpoint is trained with
TRIALS: dict[str, tuple[dict[str, Any], ...]] = {
    "gan-stacked": tuple({"lr": lr, "network": network} for lr in (1e-4, 2e-4) for network in (STACKED, STACKED_DENSE)),
    "rpgan-stacked": tuple({"lr": lr, "r1": g, "r2": g} for lr in (2e-3, 4e-3) for g in (2.0, 8.0)),
    "ddpm-stacked": tuple({"muon": m, "adamw": a} for m in (0.025, 0.05) for a in (3e-3, 6e-3)),
}
"""By recipe, the settings that the search tries."""
ROWS = tuple(TRIALS)


def results(path: Path = RESULTS) -> dict[str, list[dict[str, Any]]]:
    """The stored search: by recipe, its trials with the modes among 2,500 samples and their divergence."""
    return stored.rows(path, TRIALS)


def judge(row: Mapping[str, Any]) -> tuple[float, float]:
    """What the best trial has most of: modes; where they tie, nearness to equal shares."""
    return row["covered"], -row["kl_uniform"]


def try_out(name: str, settings: Mapping[str, Any], steps: int = SEARCH_STEPS) -> dict[str, Any]:
    """A trial: train a recipe with other settings for some steps, and what its samples score."""
    recipe = dataclasses.replace(recipes.get(name), seed=SEARCH_SEED, **settings)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = run.train(recipe, folder, steps=steps, progress=False, device="cpu")
            found = checkpoints.card(path)["metrics"]
    except FloatingPointError:  # the training diverged: the trial has failed
        found = {"covered": 0, "kl_uniform": math.log(stacked_mnist.KINDS)}
    row = {**settings, "covered": int(found["covered"]), "kl_uniform": round(found["kl_uniform"], 3)}
    print(name, row, flush=True)
    return row


def row(name: str) -> list[dict[str, Any]]:
    """Every trial of a recipe, by its name in `TRIALS`."""
    return [try_out(name, trial) for trial in TRIALS[name]]
