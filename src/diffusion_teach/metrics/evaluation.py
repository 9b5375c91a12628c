"""How good a model of digits is, and what a sample costs: one table, every score beside what real digits reach.

- Fréchet distance, see `frechet`: its floor is what real training images score, mean and standard deviation over some
  draws; its control is real digits blurred 3 × 3, which a good score must beat by far.
- Precision and recall, see `precision_recall`: on the classifier's features, against test images. Here what real
  training images reach is a ceiling.
- Label accuracy, of a model that takes labels: how often the classifier sees the label that was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser, classes
from diffusion_teach.generate import generate
from diffusion_teach.metrics import frechet
from diffusion_teach.metrics.precision_recall import PrecisionRecall, precision_recall
from diffusion_teach.networks.classifier import evaluate as classify
from diffusion_teach.networks.classifier import pretrained
from diffusion_teach.parameterizations import Prediction

MOST_NEIGHBOURS = 2000
"""Images that precision and recall compare at most: their cost grows with the square."""


def evaluate(
    denoiser: Denoiser,
    *,
    count: int = 2000,
    sampler: str = "ancestral",
    steps: int = 50,
    guidance: float = 0.0,
    seed: int = 0,
    batch: int = 250,
    precision: str = "float32",
    draws: int = 10,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Draw images from a model and measure them; a model that takes labels is given those of training images.

    Args:
        denoiser: a model of 28 × 28 digits, such as `checkpoints.model("ddpm-mnist")`.
        count: images to draw, 100 to 10,000. Distances compare at the same count only.
        sampler, steps, guidance, seed, batch, precision, progress: see `generate.generate`.
        draws: of the floor, at least 2.

    Returns:
        The settings, and `frechet`, `floor` and `floor_std`, `control`, `times_floor` (the distance over its floor),
        `precision` and `precision_real`, `recall` and `recall_real`, for labels `label_accuracy` and
        `label_accuracy_real`, `seconds_per_sample`, and `evaluations` of the network for one sample. Numbers only.

    Raises:
        ValueError: see `generate`; guidance for a model that takes no labels.
    """
    _checks.integer("count", count, least=100, most=10_000)
    _checks.integer("draws", draws, least=2)
    chosen = torch.Generator().manual_seed(_checks.integer("seed", seed, least=0))
    images, labels = mnist.load("train")
    rows = torch.randperm(len(images), generator=chosen)[:count]
    wanted = labels[rows] if classes(denoiser) else None
    counted = _Counted(denoiser)
    began = time.perf_counter()
    made = generate(
        counted,
        count,
        sampler=sampler,
        steps=steps,
        labels=wanted,
        guidance=guidance,
        seed=seed,
        batch=batch,
        precision=precision,
        progress=progress,
    )
    seconds = time.perf_counter() - began
    real = mnist.to_model(images[rows])
    settings = {"count": count, "sampler": sampler, "steps": steps, "guidance": float(guidance), "seed": seed}
    settings["dtype"] = precision  # "precision" is a score
    return (
        settings
        | distances(made, draws=draws, generator=chosen)
        | shares(made, real)
        | ({} if wanted is None else _named(made, real, wanted))
        | {"seconds_per_sample": seconds / count, "evaluations": round(counted.rows / count)}
    )


def distances(images: Tensor, *, draws: int = 10, generator: torch.Generator | None = None) -> dict[str, float]:
    """The Fréchet distance of images (n, 1, 28, 28) in [−1, 1], with the floor and the control of as many real ones.

    Args:
        draws: of the floor, at least 2.
        generator: chooses the real images.
    """
    distance = frechet.frechet_to_test(images)
    floor = frechet.floor(len(images), draws, generator=generator)
    real, _ = mnist.load("train")
    some = mnist.to_model(real[torch.randperm(len(real), generator=generator)[: len(images)]])
    return {
        "frechet": distance,
        "floor": floor.mean,
        "floor_std": floor.std,
        "control": frechet.frechet_to_test(F.avg_pool2d(some, 3, stride=1, padding=1, count_include_pad=False)),
        "times_floor": distance / floor.mean,
    }


def shares(images: Tensor, real: Tensor) -> dict[str, float]:
    """Precision and recall against MNIST's test images, of a model's images and of real ones.

    Args:
        images, real: (n, 1, 28, 28) in [−1, 1], n > 3; the first 2,000 are compared.
    """
    _checks.same_shape("images", images, "real", real)
    n = min(len(images), MOST_NEIGHBOURS)
    test, _ = mnist.load("test")
    some = test[torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:n]]  # the first half is easier
    reference = _features(mnist.to_model(some))
    found: Sequence[PrecisionRecall] = [precision_recall(reference, _features(part[:n])) for part in (images, real)]
    return {
        "precision": found[0].precision,
        "precision_real": found[1].precision,
        "recall": found[0].recall,
        "recall_real": found[1].recall,
    }


def _features(images: Tensor) -> Tensor:
    return classify(pretrained(), images, features=True)


def _named(images: Tensor, real: Tensor, labels: Tensor) -> dict[str, float]:
    made, true = (float((classify(pretrained(), part).argmax(1) == labels).double().mean()) for part in (images, real))
    return {"label_accuracy": made, "label_accuracy_real": true}


class _Counted:
    """A denoiser that counts the rows which its network is asked for."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser, self.rows = denoiser, 0
        self.schedule, self.is_posterior_mean = denoiser.schedule, denoiser.is_posterior_mean
        self.network = getattr(denoiser, "network", None)

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        self.rows += len(x_t)
        return self.denoiser(x_t, t, cond)
