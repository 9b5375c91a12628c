"""Each kind and strength of guidance: sets of 2,000 digits, asked for by label, by both judges, beside real ones.

All are drawn alike, by 15 steps of the sampler that the shipped models are drawn with, but for the rows "2M", without
noise. The labels are those of training images that were drawn by chance. A row stores every set's value, not only
their means. The rows lie in `results.json` beside this file.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints, samplers
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import ClassifierGuided, Denoiser, Guided
from diffusion_teach.denoisers.guided import EVERYWHERE
from diffusion_teach.metrics.evaluation import evaluate_images
from diffusion_teach.metrics.features import JUDGES, pretrained
from diffusion_teach.metrics.labels import label_accuracy
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.objectives.classification import noisy_cross_entropy
from diffusion_teach.objectives.diffusion import sample_times
from diffusion_teach.recipes.diffusion import DDPM_MNIST, SHORT, make_schedule
from diffusion_teach.studies import stored
from diffusion_teach.training import fit, run

RESULTS = Path(__file__).with_name("results.json")
MODEL, PLAIN, COUNT, SETS, STEPS, BATCH = "ddpm-mnist-conditional", "ddpm-mnist", 2000, (0, 1, 2, 3), 15, 250
SCORES = ("times_floor", "precision", "recall", "density", "coverage")
WEAK = dataclasses.replace(
    SHORT,
    name="weak-conditional",
    network=MappingProxyType({"classes": 10}),
    label_dropout=0.15,
    ema=0.97,
    adamw=5e-3,
    precision="float32",
)
"""A smaller network with labels, trained for chapter 6's half a minute, or for a sixth of it."""
WEAK_STEPS = {"weak": 600, "weaker": 100}
CLASSIFIER_STEPS = 1000
EARLY, MIDDLE, LATE = (-math.inf, -2.0), (-2.0, 3.0), (3.0, math.inf)
"""Three parts of the walk, log-SNRs: nothing but noise to be seen, the digit's shape decided, the strokes finished."""


@dataclass(frozen=True)
class Row:
    """One way of guiding.

    Attributes:
        w: of `Guided`; of a classifier its scale less one.
        away: from what: "none", the same network without a label; "weak" or "weaker", one of `WEAK_STEPS` with it. Or
            by a classifier of noisy digits, "noise-aware", or of clean ones, "clean", and the model that takes no
            labels. Or "real", training images in place of samples.
        towards: "shipped", or a network of `WEAK_STEPS`, given the label.
        between: log-SNRs.
        step: of the walk.
    """

    w: float
    away: str = "none"
    towards: str = "shipped"
    between: tuple[float, float] = EVERYWHERE
    step: samplers.Step = samplers.sde_dpm_solver


STRENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ROWS: dict[str, Row] = {
    "real": Row(0.0, "real"),
    **{f"w = {w:g}": Row(w) for w in STRENGTHS},
    "early, w = 4": Row(4.0, between=EARLY),
    "middle, w = 4": Row(4.0, between=MIDDLE),
    "late, w = 4": Row(4.0, between=LATE),
    "middle, w = 1": Row(1.0, between=MIDDLE),
    "weak, w = 0": Row(0.0, towards="weak"),
    **{f"weak by none, w = {w:g}": Row(w, towards="weak") for w in (0.5, 1.0)},
    **{f"weak by weaker, w = {w:g}": Row(w, "weaker", "weak") for w in (0.25, 0.5, 1.0, 2.0)},
    "by weak, w = 0.5": Row(0.5, "weak"),
    "2M, w = 0": Row(0.0, step=samplers.dpm_solver),
    "2M, w = 4": Row(4.0, step=samplers.dpm_solver),
    "noise-aware classifier, w = 0": Row(0.0, "noise-aware"),
    "noise-aware classifier, w = 4": Row(4.0, "noise-aware"),
    "clean classifier, w = 0": Row(0.0, "clean"),
    "clean classifier, w = 4": Row(4.0, "clean"),
}
"""By name."""


@functools.cache
def labelled(name: str) -> Denoiser:
    """A model that takes labels: "shipped", or one of `WEAK_STEPS`, trained where it is first asked for."""
    found = checkpoints.model(MODEL) if name == "shipped" else run.trained(WEAK, steps=WEAK_STEPS[name], seed=0)
    return cast(Denoiser, found)


@functools.cache
def noise_aware() -> Classifier:
    """The shipped classifier's design, trained on noisy digits; that there is noise, and how much, it sees itself."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Classifier()
    g = torch.Generator().manual_seed(0)
    path = make_schedule(DDPM_MNIST.schedule)
    images, labels = mnist.load("train")

    def loss() -> Tensor:
        rows = torch.randint(len(images), (128,), generator=g)
        t = sample_times(path, (128,), spacing="logistic", generator=g)
        x0 = mnist.to_model(images[rows])
        return noisy_cross_entropy(lambda x, t: model(x), path, x0, labels[rows], t=t, generator=g)

    fit(model, loss, steps=CLASSIFIER_STEPS, lr=2e-3, warmup=50)
    return model.requires_grad_(False)


READERS = MappingProxyType({"noise-aware": noise_aware, "clean": pretrained})
"""The classifiers that guide, by name."""


def chosen(seed: int, count: int = COUNT) -> Tensor:
    """Which training images (count,) lend their labels to a set; they are the set of the row "real"."""
    g = torch.Generator().manual_seed(10_000 + seed)
    return torch.randperm(len(mnist.load("train")[1]), generator=g)[:count]


def denoiser(row: Row) -> Callable[[Tensor], Denoiser]:
    """What makes of labels (B,) the guided denoiser of a row."""
    if row.away not in READERS:
        towards = labelled(row.towards)
        other = None if row.away == "none" or not row.w else labelled(row.away)

        def guided(labels: Tensor) -> Denoiser:
            away = towards if other is None else other.given(labels)
            return Guided(towards.given(labels), away, row.w, between=row.between)

        return guided
    plain = cast(Denoiser, checkpoints.model(PLAIN))
    reader = READERS[row.away]()

    def steered(labels: Tensor) -> Denoiser:
        def log_p(x_t: Tensor, t: Tensor) -> Tensor:
            return reader(x_t).log_softmax(1).gather(1, labels[:, None])[:, 0]

        return ClassifierGuided(plain, log_p, 1 + row.w)

    return steered


def draw(row: Row, seed: int) -> tuple[Tensor, Tensor]:
    """A set of digits (COUNT, 1, 28, 28), as a row draws them, and the labels (COUNT,) that it was asked for."""
    images, labels = (part[chosen(seed, COUNT)] for part in mnist.load("train"))
    if row.away == "real":
        return mnist.to_model(images), labels
    make, g, made = denoiser(row), torch.Generator().manual_seed(seed), []
    for some in labels.split(BATCH):
        bound = make(some)
        times = samplers.time_grid(bound.schedule, STEPS, spacing="logistic")
        x = samplers.prior(bound.schedule, (len(some), 1, 28, 28), generator=g)
        made.append(samplers.sample(bound, row.step, x, times, generator=g).clamp(-1, 1))
    return torch.cat(made), labels


def row(name: str) -> dict[str, Any]:
    """What both judges say of a row's sets: of each score a list, a set an entry."""
    found: dict[str, Any] = {judge: {key: [] for key in (*SCORES, "label_accuracy")} for judge in JUDGES}
    found |= {"ink": [], "illegible": []}
    for seed in SETS:
        images, labels = draw(ROWS[name], seed)
        judged = evaluate_images(images, seed=seed)
        for judge in JUDGES:
            judged[judge]["label_accuracy"] = label_accuracy(judge, images, labels)
            for key, values in found[judge].items():
                values.append(round(float(judged[judge][key]), 4))
        for key in ("ink", "illegible"):
            found[key].append(round(float(judged[key]), 4))
    print(name, {judge: found[judge]["times_floor"] for judge in JUDGES}, flush=True)
    return found | about() | {"count": COUNT, "steps": STEPS}


def about() -> dict[str, Any]:
    """What the rows depend on: hashes of the models and of the judges."""
    return {"models": {name: checkpoints.card(name)["sha256"] for name in (MODEL, PLAIN)}, "judges": stored.judges()}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
