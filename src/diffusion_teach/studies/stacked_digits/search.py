"""The search for each contender's two settings.

A trial is a whole training of `STACKED_STEPS` steps, and scores the divergence of the numbers among its 2,500 samples
from equal shares, which is large where numbers are missing. The rows lie in `search.json` beside this file; the recipes
have the settings that won.

The plain GAN has dense layers, as in 2014. Convolutions without penalties were tried once and not tuned: the network of
the penalised GANs, at their rate, showed 526 numbers among as many samples; the dense layers that won showed 590.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from diffusion_teach import checkpoints, recipes
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.studies import stored, tuning
from diffusion_teach.studies.tuning import around
from diffusion_teach.training import run

RESULTS = Path(__file__).with_suffix(".json")
_PENALISED = {"lr": around(4e-3), "gamma": around(8.0, 4.0)}
SETTINGS: Mapping[str, Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "gan-stacked": {"lr": around(1.6e-3), "beta1": (0.0, 0.25, 0.5, 0.75, 0.9)},
        "gan-penalised-stacked": _PENALISED,
        "rpgan-stacked": _PENALISED,
        "ddpm-stacked": {"muon": around(0.05), "adamw": around(3e-3)},
    }
)
"""By recipe, the values that the search may try."""
ROWS = tuple(SETTINGS)


def results(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The stored search, by recipe."""
    return stored.rows(path, SETTINGS)


def row(name: str) -> dict[str, Any]:
    """The search of a recipe, see `tuning.search`."""
    recipe = cast(DigitsRecipe, recipes.get(name))

    def trial(chosen: dict[str, float]) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            tried = tuning.tuned(recipe, chosen, seed=tuning.SEED)
            found = checkpoints.card(run.train(tried, folder, progress=False, device="cpu"))["metrics"]
        return {"score": round(found["kl_uniform"], 3), "covered": int(found["covered"])}

    return tuning.search(SETTINGS[name], trial)
