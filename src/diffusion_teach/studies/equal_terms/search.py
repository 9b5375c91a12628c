"""The search for each contender's two settings.

A trial scores the geometric mean of its distances over their floors by both judges, 2,000 samples. The rows lie in
`search.json` beside this file.

The grids of the GANs were moved once: begun at the rates and penalties of the shipped recipes, which train for longer,
the search ended at an edge.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import stored, tuning
from diffusion_teach.studies.equal_terms.contenders import CONTENDERS

RESULTS = Path(__file__).with_suffix(".json")
ROWS = tuple(CONTENDERS)


def row(name: str) -> dict[str, Any]:
    """The search of a contender, see `tuning.search`."""
    contender = CONTENDERS[name]

    def trial(chosen: dict[str, float]) -> dict[str, float]:
        found = contender.scores(chosen, tuning.SEED, repeats=1)
        times = {judge: found[judge]["times_floor"] for judge in JUDGES}
        mean = math.exp(math.fsum(math.log(value) for value in times.values()) / len(times))
        return {"score": round(mean, 3), **{judge: round(value, 2) for judge, value in times.items()}}

    return tuning.search(contender.settings, trial)


def results(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The stored search, by contender."""
    return stored.rows(path, ROWS)
