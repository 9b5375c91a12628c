"""What the contenders come to with the settings that won: three trainings each, five sets of 2,000 samples each.

Neither seeds nor samples are those of the search. The rows lie in `results.json` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from diffusion_teach import devices
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import stored
from diffusion_teach.studies.equal_terms import search
from diffusion_teach.studies.equal_terms.contenders import BATCH, CONTENDERS, STEPS

RESULTS = Path(__file__).with_name("results.json")
SEEDS, SETS = (0, 1, 2), 5
ROWS = tuple(CONTENDERS)
SHARES = ("precision", "recall", "density", "coverage")


def row(name: str) -> dict[str, Any]:
    """A contender's scores: means over its trainings with standard deviations, and all that they depend on."""
    contender, chosen = CONTENDERS[name], search.results()[name]["best"]
    found = [contender.scores(chosen, seed, SETS) for seed in SEEDS]
    recipe = contender.tuned(chosen)
    weights = sum(weight.numel() for weight in recipe.model().parameters())
    about = {"label": contender.label, "settings": chosen, "parameters": weights, "images": BATCH * STEPS}
    about |= {"trials": len(search.results()[name]["trials"]), "seeds": len(SEEDS), "sets": SETS}
    about |= {"recipe": recipe.settings(), "judges": stored.judges()}
    scores = {judge: _judged([run[judge] for run in found]) for judge in JUDGES}
    besides = {key: fmean(run[key] for run in found) for key in ("illegible", "ink", "label_kl", "illegible_real")}
    besides |= {"evaluations": found[0]["evaluations"]}
    besides |= {"training_seconds": round(fmean(run["training_seconds"] for run in found))}
    print(name, {judge: scores[judge]["times_floor"] for judge in JUDGES}, flush=True)
    return about | scores | besides | {"machine": devices.machine(torch.device("cpu"), 1)}


def _judged(runs: list[dict[str, float]]) -> dict[str, float]:
    scores = {key: fmean(run[key] for run in runs) for key in ("frechet", "floor", "times_floor", *SHARES)}
    scores |= {f"{key}_real": fmean(run[f"{key}_real"] for run in runs) for key in SHARES}
    return scores | {f"{key}_std": stdev(run[key] for run in runs) for key in ("times_floor", *SHARES)}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by contender, in the order of the history."""
    return stored.rows(path, ROWS)
