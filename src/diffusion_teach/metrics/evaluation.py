"""How good a generator of digits is, and what a sample costs: one table, every score beside what real digits reach.

`evaluate_images` scores a stack of images, whoever made them: a GAN, a VAE, a diffusion model. `evaluate` draws them
from a denoiser first, and counts seconds and network evaluations.

By each of the two judges (see `features`), who may disagree:

- Fréchet distance, see `frechet`: its floor is what real training images score, mean and standard deviation over some
  draws; its control is real digits blurred 3 × 3, which a good score must beat by far.
- Precision and recall, see `precision_recall`, density and coverage, see `density_coverage`: on the judge's features,
  against test images. What real training images reach stands beside; samples that are more typical than real digits
  pass it in precision and density, and a large sample passes a small one in coverage.

Distances of distributions hardly see a few per cent of digits on top of one another. So beside them:

- Illegible: the share of images that the classifier reads with a confidence below `LEGIBLE`. It is the classifier's
  doubt, and not a reader's: of pictures that are no digits, such as noise, the classifier is mostly sure, and it is the
  encoder's distance that finds them.
- Ink: the mean grey value, from 0 for paper to 1, over that of the training images.
- Label KL, the diversity of the digits, see `modes`: the divergence of the histogram of the classifier's labels from
  the test labels' shares, in nats; its floor is what as many labels of training images score on average.
- Label accuracy, of images that were asked for by label: how often the classifier sees that label.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.denoisers.guided import EVERYWHERE
from diffusion_teach.generate import Sampling, check_images, generate
from diffusion_teach.metrics import frechet
from diffusion_teach.metrics.density_coverage import density_coverage
from diffusion_teach.metrics.features import JUDGES, check_digits, predict, pretrained, seen_by
from diffusion_teach.metrics.modes import expected_kl, label_coverage
from diffusion_teach.metrics.precision_recall import precision_recall
from diffusion_teach.metrics.spoilt import blurred
from diffusion_teach.networks.network import OneStepGenerator

LEGIBLE = 0.9
"""The classifier's confidence in a digit that can be read, its largest probability."""
MOST_NEIGHBOURS = 2000
"""Images that precision, recall, density and coverage compare at most: their cost grows with the square."""


def evaluate(
    model: Denoiser | OneStepGenerator,
    sampling: Sampling | None = None,
    *,
    count: int = 2000,
    draws: int = 20,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Draw images from a model and measure them; a model that takes labels is given those of training images.

    Args:
        model: of 28 × 28 digits, such as `checkpoints.model("ddpm-mnist")`.
        sampling: how they are drawn, see `generate.Sampling`.
        count: images to draw, 100 to 10,000. Distances compare at the same count only.
        draws: of the floor, at least 2.
        progress: see `generate.generate`.

    Returns:
        The settings, what `evaluate_images` returns, `seconds_per_sample`, and `evaluations` of the network for one
        sample. Numbers and names only.

    Raises:
        ValueError: see `generate`; guidance for a model that takes no labels.
    """
    count = _checks.integer("count", count, least=100, most=10_000)
    draws = _checks.integer("draws", draws, least=2)
    if progress is not None:
        _checks.flag("progress", progress)
    given = Sampling() if sampling is None else _checks.instance("sampling", sampling, Sampling, "a Sampling")
    how = given.of(model)
    if check_images(model) != (1, 28, 28) or model.classes not in (0, 10):
        raise ValueError(
            f"model must draw digits, images (1, 28, 28) with 10 labels or none, got images {model.shape} with "
            f"{model.classes}. Stacked digits are scored by metrics.stacked_modes.evaluate."
        )
    wanted = mnist.load("train")[1][_rows(count, how.seed)[0]] if model.classes else None
    began = time.perf_counter()
    made = generate(model, count, how, labels=wanted, progress=progress)
    seconds = time.perf_counter() - began
    settings: dict[str, Any] = {
        "count": count,
        "sampler": how.sampler,
        "steps": how.steps,
        "guidance": float(how.guidance),
    }
    settings |= {"seed": how.seed, "dtype": how.precision}  # "precision" is a score
    if how.between != EVERYWHERE:
        settings["between"] = list(how.between)
    return (
        settings
        | evaluate_images(made, labels=wanted, draws=draws, seed=how.seed)
        | {"seconds_per_sample": seconds / count, "evaluations": how.evaluations(model)}
    )


def averaged(
    measure: Callable[[Sampling], dict[str, Any]], sampling: Sampling | None = None, *, repeats: int = 5
) -> dict[str, Any]:
    """The means of what is measured with the seeds seed, seed + 1, …: a single set of samples may be lucky.

    Args:
        measure: takes a sampling and returns what `evaluate` does.
        sampling: with the first seed.
        repeats: how many.

    Returns:
        As `measure`, with `repeats`, and for two and more by each judge `frechet_std`, the standard deviation over the
        seeds; `times_floor` is the ratio of the two means.
    """
    repeats = _checks.integer("repeats", repeats)
    _checks.function("measure", measure)
    first = Sampling() if sampling is None else _checks.instance("sampling", sampling, Sampling, "a Sampling")
    rows = [measure(dataclasses.replace(first, seed=first.seed + k)) for k in range(repeats)]
    found = _means(rows)
    found["repeats"] = repeats
    for judge in JUDGES if repeats > 1 else ():
        scores = found[judge]
        scores["times_floor"] = scores["frechet"] / scores["floor"]
        scores["frechet_std"] = stdev(row[judge]["frechet"] for row in rows)
    return found


def _means(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The means of what is a float, within tables too; the first row's of everything else."""
    found = {}
    for key, value in rows[0].items():
        values = [row[key] for row in rows]
        found[key] = fmean(values) if isinstance(value, float) else _means(values) if isinstance(value, dict) else value
    return found


def evaluate_images(images: Tensor, *, labels: Tensor | None = None, draws: int = 20, seed: int = 0) -> dict[str, Any]:
    """Measure images of any generator beside as many real ones.

    Args:
        images: (n, 1, 28, 28) in [−1, 1], −1 paper and 1 ink, n from 100 to 10,000; values outside are clamped.
        labels: (n,) int64, the digits that were asked for; none for a generator that takes none.
        draws: of the floor, at least 2.
        seed: chooses the real images. What depends on them alone is computed once for each n, draws and seed.

    Returns:
        `count` and `seed`; for each of `features.JUDGES` a table of `frechet`, `floor` and `floor_std`, `control`,
        `times_floor` (the distance over its floor), and of `precision`, `recall`, `density` and `coverage`, each
        beside the same with `_real`; `illegible` and `ink`, beside the same with `_real`; `label_kl` and
        `label_kl_floor` in nats; with labels `label_accuracy` and `label_accuracy_real`. Numbers only.

    Raises:
        TypeError, ValueError: images of another shape or scale (bytes, or [0, 1]), or not finite; labels that are no
            digits.
    """
    count = _checks.integer("len(images)", len(check_digits(images)), least=100, most=10_000)
    draws = _checks.integer("draws", draws, least=2)
    seed = _checks.integer("seed", seed, least=0)
    if labels is not None:
        labels = _checks.indices("labels", labels, 10, (count,))
    made = images.detach().float().cpu().clamp(-1, 1)
    real = _real_scores(count, draws, seed)
    found: dict[str, Any] = {"count": count, "seed": seed}
    found |= {judge: _judged(judge, made, real[judge]) for judge in JUDGES}
    logits = predict(pretrained(), made)
    named = logits.argmax(1)
    found |= {"illegible": illegible(logits), "ink": ink(made)}
    found |= {"label_kl": float(label_coverage(named, _label_shares("test")).reverse_kl)}
    found |= {key: real[key] for key in ("illegible_real", "ink_real", "label_kl_floor")}
    if labels is not None:
        found["label_accuracy"] = float((named == labels.cpu()).double().mean())
        found["label_accuracy_real"] = real["label_accuracy"]
    return found


def _judged(judge: str, made: Tensor, real: dict[str, float]) -> dict[str, float]:
    """One judge's scores of images, beside those of real ones."""
    distance = frechet.frechet_to_test(made, judge)
    return {"frechet": distance, "times_floor": distance / real["floor"]} | shares(made, judge) | real


def shares(images: Tensor, judge: str = "classifier") -> dict[str, float]:
    """Precision, recall, density and coverage of images against as many of MNIST's test images.

    Args:
        images: (n, 1, 28, 28) in [−1, 1], n > 5; the first 2,000 are compared.
        judge: by whose features, see `features.JUDGES`.
    """
    check_digits(images)
    n = min(len(images), MOST_NEIGHBOURS)
    test, _ = mnist.load("test")
    some = test[torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:n]]  # the first half is easier
    pair = [seen_by(judge, part) for part in (mnist.to_model(some), images[:n])]
    return precision_recall(*pair)._asdict() | density_coverage(*pair)._asdict()


def illegible(logits: Tensor) -> float:
    """The share of images that a classifier reads with a confidence below `LEGIBLE`, from its logits (n, 10)."""
    _checks.tensor("logits", logits, ("n", 10))
    return float((logits.softmax(1).amax(1) < LEGIBLE).double().mean())


def ink(images: Tensor) -> float:
    """The mean grey value of images (n, 1, 28, 28) in [−1, 1], from paper 0 to ink 1, over the training images'."""
    return float((check_digits(images).double().mean() + 1) / 2) / _training_ink()


@functools.cache
def _training_ink() -> float:
    return float(mnist.load("train")[0].double().mean()) / 255


@functools.cache
def _real_scores(count: int, draws: int, seed: int) -> dict[str, Any]:
    """What real training images score: what `evaluate_images` sets beside a generator's scores."""
    rows, chosen = _rows(count, seed)
    images, labels = mnist.load("train")
    real = mnist.to_model(images[rows])
    control = blurred(mnist.to_model(images[torch.randperm(len(images), generator=chosen)[:count]]))
    found: dict[str, Any] = {}
    for judge in JUDGES:
        floor = frechet.floor(count, draws, judge=judge, generator=chosen)
        found[judge] = {"floor": floor.mean, "floor_std": floor.std, "control": frechet.frechet_to_test(control, judge)}
        found[judge] |= {f"{key}_real": value for key, value in shares(real, judge).items()}
    logits = predict(pretrained(), real)
    return found | {
        "illegible_real": illegible(logits),
        "ink_real": ink(real),
        "label_kl_floor": expected_kl(_label_shares("train"), count, _label_shares("test")),
        "label_accuracy": float((logits.argmax(1) == labels[rows]).double().mean()),
    }


def _rows(count: int, seed: int) -> tuple[Tensor, torch.Generator]:
    """Which training images stand for the real ones, and the generator that chose them."""
    chosen = torch.Generator().manual_seed(seed)
    return torch.randperm(len(mnist.load("train")[1]), generator=chosen)[:count], chosen


def _label_shares(split: str) -> Tensor:
    return mnist.load(split)[1].bincount(minlength=10).double()
