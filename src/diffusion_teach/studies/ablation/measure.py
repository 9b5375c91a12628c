"""One training after another, each with one thing changed: three seeds, 160,000 images each, both judges.

All see as many images; what a change costs in time measures `pace`. A set of 2,000 samples of each training is judged,
in 15 evaluations as the shipped models draw. The rows lie in `results.json` beside this file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import devices, samplers
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.metrics.evaluation import evaluate_images
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.recipes.diffusion import SHORT, DiffusionRecipe
from diffusion_teach.samplers.time_grids import LOGISTIC_WIDTHS
from diffusion_teach.studies import stored
from diffusion_teach.training import run

RESULTS = Path(__file__).with_name("results.json")
IMAGES, SEEDS, COUNT, STEPS = 160_000, (0, 1, 2), 2000, 15
BASE = dataclasses.replace(SHORT, widths=LOGISTIC_WIDTHS, ema=0.99)


@dataclass(frozen=True)
class Change:
    """What one row has different.

    Attributes:
        label: in tables.
        recipe: fields of the recipe; of `network` those that are given are replaced.
        step: of the sampler.
        grid: how far its steps spread, `widths` of `samplers.time_grid`.
    """

    label: str
    recipe: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    step: samplers.Step = samplers.sde_dpm_solver
    grid: tuple[float, float] = LOGISTIC_WIDTHS

    def changed(self) -> DiffusionRecipe:
        """The recipe with the change."""
        fields = dict(self.recipe)
        fields["network"] = MappingProxyType({**BASE.network, **fields.get("network", {})})
        return dataclasses.replace(BASE, **fields)

    def samples(self, model: Denoiser, seed: int) -> Tensor:
        """A set of samples (COUNT, 1, 28, 28)."""
        g = torch.Generator().manual_seed(seed)
        times = samplers.time_grid(model.schedule, STEPS, spacing="logistic", widths=self.grid)
        noise = samplers.prior(model.schedule, (COUNT, 1, 28, 28), generator=g)
        return torch.cat([samplers.sample(model, self.step, x, times, generator=g) for x in noise.split(250)])


ROWS: dict[str, Change] = {
    "base": Change("as it is"),
    "blocks": Change("8 blocks, not 3", {"network": {"blocks": 8}}),
    "width": Change("96 channels at 7 × 7, not 64", {"network": {"width": (32, 96)}}),
    "no-dense": Change("no dense layer", {"network": {"dense": 0}}),
    "batch-256": Change("batches of 256, not 64", {"batch": 256}),
    "constant": Change("a rate that does not fall", {"decay": "constant"}),
    "no-average": Change("no average of the weights", {"ema": None}),
    "time": Change("times drawn evenly", {"times": "time"}),
    "simple": Change("L_simple, times drawn evenly", {"times": "time", "weight": "simple"}),
    "eps": Change("asked for ε, L_simple, times drawn evenly", {"times": "time", "target": "eps"}),
    "narrow": Change("noise drawn as narrowly towards data as towards noise", {"widths": (1.3, 1.3)}),
    "coarse-end": Change("the sampler's steps spread as narrowly", grid=(1.3, 1.3)),
    "ode": Change("the ODE's solver", step=samplers.dpm_solver),
}
"""By name; each changes one thing."""


def row(name: str) -> dict[str, Any]:
    """What a change does: means over the seeds, and standard deviations of the distances."""
    change = ROWS[name]
    recipe, found = change.changed(), []
    for seed in SEEDS:
        model = cast(Denoiser, run.trained(recipe, steps=IMAGES // recipe.batch, seed=seed))
        found.append(evaluate_images(change.samples(model, 1000 + seed), seed=seed))
    times = {judge: [one[judge]["times_floor"] for one in found] for judge in JUDGES}
    row: dict[str, Any] = {judge: {"times_floor": fmean(of), "std": stdev(of)} for judge, of in times.items()}
    row |= {key: fmean(one[key] for one in found) for key in ("illegible", "ink")}
    row |= {"parameters": sum(weight.numel() for weight in recipe.model().parameters())}
    print(name, {judge: round(row[judge]["times_floor"], 2) for judge in JUDGES}, flush=True)
    row |= {"recipe": recipe.settings(), "judges": stored.judges()}
    return row | {"label": change.label, "images": IMAGES, "machine": devices.machine(torch.device("cpu"), 1)}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
