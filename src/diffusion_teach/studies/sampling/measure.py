"""Each sampler at equal evaluations: sets of 2,000 digits, by both judges, beside their floor, and the seconds.

The grid is "logistic", as the shipped models are drawn. Evaluations are counted by the network's calls, not by formula.
Seconds are those of drawing alone, on one thread, and say what the machine was. The rows lie in `results.json` beside
this file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints, devices, samplers
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.metrics.evaluation import evaluate_images
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.studies import stored

RESULTS = Path(__file__).with_name("results.json")
MODEL, COUNT, SEEDS = "ddpm-mnist", 2000, (0, 1, 2)
EVALUATIONS = (5, 9, 15, 25, 49)
"""Odd: Heun asks twice a step, and once in its last."""


@dataclass(frozen=True)
class Method:
    """A sampler, and how often it asks in each step but the last, in which all ask once."""

    step: samplers.Step
    asks: int = 1

    def steps(self, evaluations: int) -> int:
        """The steps that a number of evaluations pays for."""
        return (evaluations - 1) // self.asks + 1


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "ancestral": Method(samplers.ancestral),
        "SDE 2M": Method(samplers.sde_dpm_solver),
        "DDIM": Method(samplers.ddim(0.0)),
        "2M": Method(samplers.dpm_solver),
        "third order": Method(samplers.multistep(3)),
        "Heun": Method(samplers.heun, 2),
        "EDM, γ = 0.2": Method(samplers.edm(0.2), 2),
    }
)
"""By what figures call them."""


@dataclass(frozen=True)
class Row:
    """One method at one number of evaluations."""

    method: str
    evaluations: int


ROWS: dict[str, Row] = {
    f"{method}, {evaluations}": Row(method, evaluations) for method in METHODS for evaluations in EVALUATIONS
}
"""By name, such as "2M, 9"."""


class Counted(Denoiser):
    """A denoiser that counts how often it is asked."""

    def __init__(self, source: Denoiser) -> None:
        self.source, self.schedule, self.shape, self.asked = source, source.schedule, source.shape, 0

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        self.asked += 1
        return self.source(x_t, t)


def draw(row: Row, model: Denoiser, seed: int) -> tuple[Tensor, int, float]:
    """A set of digits (COUNT, 1, 28, 28), the evaluations of each, and the seconds that it took."""
    method, counted = METHODS[row.method], Counted(model)
    g = torch.Generator().manual_seed(seed)
    times = samplers.time_grid(model.schedule, method.steps(row.evaluations), spacing="logistic")
    batches = samplers.prior(model.schedule, (COUNT, 1, 28, 28), generator=g).split(250)
    begun = time.perf_counter()
    made = [samplers.sample(counted, method.step, x, times, generator=g) for x in batches]
    return torch.cat(made), counted.asked // len(batches), time.perf_counter() - begun


def row(name: str) -> dict[str, Any]:
    """What a method makes with that many evaluations: means over the sets, and deviations of the distances."""
    model, found, seconds = cast(Denoiser, checkpoints.model(MODEL)), [], []
    for seed in SEEDS:
        images, evaluations, took = draw(ROWS[name], model, seed)
        assert evaluations == ROWS[name].evaluations, f"{name} asked {evaluations} times"
        found.append(evaluate_images(images, seed=seed))
        seconds.append(took)
    times = {judge: [one[judge]["times_floor"] for one in found] for judge in JUDGES}
    measured: dict[str, Any] = {judge: {"times_floor": fmean(of), "std": stdev(of)} for judge, of in times.items()}
    measured |= {key: fmean(one[key] for one in found) for key in ("illegible", "illegible_real", "ink")}
    print(name, {judge: round(measured[judge]["times_floor"], 2) for judge in JUDGES}, flush=True)
    measured |= {"seconds": min(seconds), "machine": devices.machine(torch.device("cpu"), torch.get_num_threads())}
    return measured | {"model": checkpoints.card(MODEL)["sha256"], "judges": stored.judges(), "count": COUNT}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
