"""One training for each schedule and seed, of as many images by the same network, each drawn from in two ways.

Training times are even in the schedule's own time and the loss is L_simple, so that a schedule decides what the
training looks at. The row "edm" has its own noise and weight, and "even v" the times of "cosine" with the error of v as
it is. What is drawn is judged twice: with steps that are even in the schedule's own time, and with the steps of
`samplers.time_grid`, "logistic", which are at the same log-SNRs for all. So the first reading is of the schedule as a
whole, the second of what it does to the training alone. Both judges see 2,000 samples of each. All is computed on the
fastest device that there is. The rows lie in `results.json` beside this file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import devices, samplers
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.metrics.evaluation import evaluate_images
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.recipes.diffusion import SHORT, DiffusionRecipe
from diffusion_teach.studies import stored
from diffusion_teach.training import run

RESULTS = Path(__file__).with_name("results.json")
IMAGES, SEEDS, COUNT, STEPS = 38_400, range(10), 2000, 15
SPACINGS = {"own": "time", "common": "logistic"}
BASE = dataclasses.replace(
    SHORT,
    name="schedules-study",
    network=MappingProxyType({}),
    weight="simple",
    times="time",
    ema=0.97,
    adamw=5e-3,
)
"""Chapter 6's half a minute of training, with L_simple at even times."""


@dataclass(frozen=True)
class Row:
    """A schedule with the loss that is usual on it.

    Attributes:
        label: in tables.
        recipe: fields of the recipe that differ.
    """

    label: str
    recipe: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def changed(self) -> DiffusionRecipe:
        """The recipe of the row."""
        return dataclasses.replace(BASE, **self.recipe)

    def samples(self, model: Denoiser, seed: int, spacing: str) -> Tensor:
        """A set of samples (COUNT, 1, 28, 28), by steps of a spacing of `SPACINGS`."""
        g = torch.Generator().manual_seed(seed)
        times = samplers.time_grid(model.schedule, STEPS, spacing=SPACINGS[spacing])
        noise = samplers.prior(model.schedule, (COUNT, 1, 28, 28), generator=g)
        step = samplers.ddim()
        return torch.cat([samplers.sample(model, step, x, times) for x in noise.to(model.device).split(250)])


ROWS: dict[str, Row] = {
    "linear": Row("linear, DDPM's"),
    "cosine": Row("cosine", {"schedule": "cosine"}),
    "sigmoid": Row("sigmoid", {"schedule": "sigmoid"}),
    "stable-diffusion": Row("Stable Diffusion's", {"schedule": "stable-diffusion"}),
    "zero-snr": Row("Stable Diffusion's, zero terminal SNR", {"schedule": "stable-diffusion-zero"}),
    "shifted": Row("cosine, shifted by −2 log 2", {"schedule": "shifted-cosine"}),
    "even v": Row("cosine, the error of v", {"schedule": "cosine", "weight": "none"}),
    "edm": Row(
        "EDM's ladder, row, noise and weight", {"schedule": "edm", "target": "edm", "weight": "none", "times": "edm"}
    ),
}
"""By name, in the order of the tables."""


def row(name: str) -> dict[str, Any]:
    """What the ten trainings of a row end with: for each way of drawing and each judge a list, a seed an entry."""
    change = ROWS[name]
    recipe = change.changed()
    found: dict[str, dict[str, list[float]]] = {way: {key: [] for key in (*JUDGES, "illegible")} for way in SPACINGS}
    for seed in SEEDS:
        model = cast(Denoiser, run.trained(recipe, steps=IMAGES // recipe.batch, seed=seed, device="auto"))
        for way, columns in found.items():
            judged = evaluate_images(change.samples(model, 1000 + seed, way), seed=seed)
            for judge in JUDGES:
                columns[judge].append(round(float(judged[judge]["times_floor"]), 3))
            columns["illegible"].append(round(float(judged["illegible"]), 4))
        print(name, seed, {way: columns["classifier"][-1] for way, columns in found.items()}, flush=True)
    about = {"label": change.label, "images": IMAGES, "evaluations": STEPS, "judges": stored.judges()}
    return {**found, **about, "recipe": recipe.settings(), "machine": devices.machine(devices.pick())}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
