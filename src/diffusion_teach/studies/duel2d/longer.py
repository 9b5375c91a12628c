"""Quality against steps: is a contender of chapter 11 at its end after 800 steps, or has it only begun?

Every contender is trained on the grid with Fourier features, at the settings that won the search, for 800 steps and for
two, four and eight times as many, ten seeds each. That takes some six minutes on one core, so what every seed scores is
stored in `longer.json` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from diffusion_teach.metrics.modes import Modes
from diffusion_teach.studies import stored
from diffusion_teach.studies.duel2d import contenders, search

SEED = 3000  # neither a seed that a chapter is run with nor that of another study
DATA = "grid"
STEPS = (800, 1600, 3200, 6400)
RESULTS = Path(__file__).with_suffix(".json")
ROWS = contenders.CONTENDERS


def results() -> dict[str, dict[int, Modes]]:
    """The stored modes: contender → steps → one value for each seed."""
    return {
        contender: {row["steps"]: search.modes_of(row) for row in found["trained"]}
        for contender, found in stored.rows(RESULTS, ROWS).items()
    }


def row(contender: str, steps: tuple[int, ...] = STEPS) -> dict[str, Any]:
    """A contender trained for each number of steps: its settings, and what every seed scored."""
    mixture, chosen = contenders.data()[DATA], search.settings("fourier", DATA, contender)
    trained = []
    for count in steps:
        g = torch.Generator().manual_seed(SEED)
        points = mixture.sample(contenders.POINTS, generator=g)
        model = contenders.train(contender, points, contenders.OCTAVES, g, chosen, steps=count)
        found = {"steps": count, **search.scored(contenders.measure(model.draw(2500), mixture))}
        print(contender, found, flush=True)
        trained.append(found)
    return {"settings": chosen, "trained": trained}
