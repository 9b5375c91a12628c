"""Train on what was generated, test on what is real: the classification accuracy score of each way of guiding.

A new classifier of the shipped one's design is trained on a set of digits and the labels that were asked for, without
turning or shifting them, and reads the 10,000 real test images (Ravuri and Vinyals 2019). Beside it stand as many real
training images, and fewer; and a generator that knows nothing but the ten mean pictures, whose every label is right.
A row stores every set's accuracy. The rows lie in `learned_from.json` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.features import predict
from diffusion_teach.metrics.labels import label_accuracy
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.studies import stored
from diffusion_teach.studies.guidance import measure
from diffusion_teach.training import fit

RESULTS = Path(__file__).with_suffix(".json")
TRAINING_STEPS, TRAINING_BATCH, RATE = 600, 64, 2e-3
GENERATED = ("w = 0", "w = 0.5", "w = 1", "w = 2", "w = 4", "w = 8", "middle, w = 4")
"""Rows of `measure`."""
REAL = (250, 500, 1000, 2000)
ROWS = (*GENERATED, *(f"real, {count}" for count in REAL), "mean pictures")


def training_set(name: str, seed: int) -> tuple[Tensor, Tensor]:
    """The digits (n, 1, 28, 28) and labels (n,) that a row's classifier learns from."""
    if name in GENERATED:
        return measure.draw(measure.ROWS[name], seed)
    images, labels = measure.draw(measure.ROWS["real"], seed)
    if name == "mean pictures":
        train, of = mnist.load("train")
        means = torch.stack([mnist.to_model(train[of == digit]).mean(0) for digit in range(10)])
        return means[labels], labels
    count = int(name.removeprefix("real, "))
    return images[:count], labels[:count]


def accuracy_from(images: Tensor, labels: Tensor, seed: int) -> float:
    """The share of real test images that a classifier reads rightly which has learned from these digits alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier()
    g = torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        rows = torch.randint(len(images), (TRAINING_BATCH,), generator=g)
        return F.cross_entropy(model(images[rows]), labels[rows])

    fit(model, loss, steps=TRAINING_STEPS, lr=RATE, warmup=50, progress=False)
    test, wanted = mnist.load("test")
    return float((predict(model, mnist.to_model(test)).argmax(1) == wanted).double().mean())


def row(name: str) -> dict[str, Any]:
    """Of each set what it teaches, and how often the judges see the label that it was asked for."""
    learned, seen = [], []
    for seed in measure.SETS:
        images, labels = training_set(name, seed)
        learned.append(round(accuracy_from(images, labels, seed), 4))
        seen.append(round(label_accuracy("classifier", images, labels), 4))
    print(name, learned, flush=True)
    return {"accuracy": learned, "label_accuracy": seen, "count": len(images)} | measure.about()


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
