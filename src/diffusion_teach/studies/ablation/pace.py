"""What a change costs: the time of a training step, an image, as a multiple of the base's.

The two take turns, a few steps each, so that whatever else the machine does slows both; a ratio is taken between
neighbours in time. Medians and quartiles lie in `pace.json` beside this file.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from diffusion_teach import devices
from diffusion_teach.recipes.diffusion import DiffusionRecipe
from diffusion_teach.studies import stored
from diffusion_teach.studies.ablation.measure import BASE
from diffusion_teach.studies.ablation.measure import ROWS as CHANGES
from diffusion_teach.training.distributed import Processes
from diffusion_teach.training.session import Session

RESULTS = Path(__file__).with_suffix(".json")
ROUNDS, STEPS, WARMUP = 15, 10, 3
ROWS = tuple(name for name, change in CHANGES.items() if change.recipe)
"""Those that train otherwise than the base."""


def row(name: str) -> dict[str, Any]:
    """The quartiles of the ratios."""
    base, changed = _session(BASE), _session(CHANGES[name].changed())
    ratios = []
    for _ in range(ROUNDS):
        usual = _seconds_an_image(base)
        ratios.append(_seconds_an_image(changed) / usual)
    low, middle, high = (round(value, 2) for value in quantiles(ratios, n=4))
    print(name, middle, flush=True)
    return {"times_base": middle, "quartiles": [low, high], "machine": devices.machine(devices.CPU)}


def _session(recipe: DiffusionRecipe) -> Session:
    about = {"seed": 0, "precision": devices.precision(recipe.precision, devices.CPU)}
    session = Session(recipe, about, Path("not written"), devices.CPU, Processes())
    session.try_out(WARMUP, lambda step, loss: None)
    return session


def _seconds_an_image(session: Session) -> float:
    began = time.perf_counter()
    session.try_out(STEPS, lambda step, loss: None)
    return (time.perf_counter() - began) / STEPS / session.recipe.batch


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by name."""
    return stored.rows(path, ROWS)
