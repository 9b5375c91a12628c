"""`iwae-bound`: the bound of the importance-weighted autoencoder, from log-weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def iwae_bound(log_w: Tensor) -> Tensor:
    """The bound log (1/k) Σ w of each image, from log-weights (k, B): (B,) out."""
    return log_w.logsumexp(dim=0) - math.log(len(log_w))


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    log_w = 2 * torch.randn(5, 7, generator=g, dtype=torch.float64) - 3
    value = answer(log_w)
    expected = iwae_bound(log_w)
    if isinstance(value, Tensor) and value.shape == (5,):
        raise Wrong("you average over the images, dim=1. The k draws stand in the rows: reduce dim=0.")
    if same(value, expected):
        far = answer(log_w - 2000)
        if not isinstance(far, Tensor) or not torch.isfinite(far).all() or not same(far, expected - 2000):
            raise Wrong(
                "right for these, but log-weights of images are near −100 and below, where exp underflows to 0. Use "
                "logsumexp."
            )
        return
    named = {
        "that is the mean of the logarithms, the ELBO. IWAE takes the logarithm of the mean.": log_w.mean(0),
        "log k is missing: the weights are averaged, not summed.": log_w.logsumexp(0),
        "you add log k. The mean divides by k, so its logarithm is subtracted.": log_w.logsumexp(0) + math.log(5),
        "you divide by k − 1. This is a mean of all k weights, not a variance.": log_w.logsumexp(0) - math.log(4),
        "you divide by the number of images. The mean is over the draws, and there are k.": (
            log_w.logsumexp(0) - math.log(7)
        ),
        "you divide the logarithm by k. The division stands inside the logarithm: subtract log k.": (
            log_w.logsumexp(0) / 5
        ),
        "you take the largest weight alone.": log_w.max(0).values,
        "you return the mean weight. Its logarithm is the bound.": expected.exp(),
    }
    image = int((value - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"for image {image} the bound should be {float(expected[image]):.4f}, yours is {float(value[image]):.4f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    return Trial((3 * torch.randn(6, 9, dtype=torch.float64, generator=g) - 50,))


EXERCISE = Exercise(
    id="iwae-bound",
    chapter="01_vae",
    examine=_examine,
    solution=iwae_bound,
    mistakes=(
        Mistake(lambda w: w.mean(0), "mean of the logarithms"),
        Mistake(lambda w: w.logsumexp(0), "log k is missing"),
        Mistake(lambda w: w.logsumexp(0) + math.log(len(w)), "add log k"),
        Mistake(lambda w: w.logsumexp(0) / len(w), "divide the logarithm"),
        Mistake(lambda w: w.max(0).values, "largest weight alone"),
        Mistake(lambda w: w.exp().mean(0), "mean weight"),
        Mistake(lambda w: w.exp().mean(0).log(), "underflows"),
        Mistake(lambda w: w.logsumexp(0) - math.log(len(w) - 1), "divide by k − 1"),
        Mistake(lambda w: w.logsumexp(0) - math.log(w.shape[1]), "number of images"),
        Mistake(lambda w: w.logsumexp(1) - math.log(w.shape[1]), "reduce dim=0"),
    ),
    praise="one draw gives the ELBO, and many come close to the likelihood itself.",
    trial=_trial,
)
