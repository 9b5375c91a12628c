"""`parzen-window`: the likelihoods that the tables of 2014 report."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def parzen_window(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    """log (1/n) Σ_i N(x; c_i, σ²·I), in nats, of each test point.

    samples (n, d) and test (m, d) give (m,).
    """
    n, d = samples.shape
    squared = torch.cdist(test, samples).square()
    constant = math.log(n) + d / 2 * math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(-squared / (2 * sigma**2), dim=1) - constant


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(5)
    samples, test = torch.randn(6, 3, generator=g), torch.randn(4, 3, generator=g)
    sigma, (n, d) = 0.5, samples.shape
    value = answer(samples, test, sigma)
    right = parzen_window(samples, test, sigma)
    if same(value, right):
        far, points = torch.rand(5, 784, generator=g), torch.rand(3, 784, generator=g)
        expected, found = parzen_window(far, points, 0.2), answer(far, points, 0.2)
        if not found.isfinite().all():
            raise Wrong("right in 3 dimensions, but not finite in 784: densities over- and underflow there.")
        if not same(found, expected):
            raise Wrong(
                f"right in 3 dimensions, but in 784 a value of {float(expected[0]):.0f} becomes {float(found[0]):.0f}: "
                "so small a density is lost before the logarithm sees it."
            )
        return
    squared = torch.cdist(test, samples).square()
    exponent = -squared / (2 * sigma**2)
    normaliser = d / 2 * math.log(2 * math.pi * sigma**2)
    total = exponent.logsumexp(1)
    named = {
        "the normalising constant is missing: N(x; c, σ²·I) has the factor (2πσ²)^(−d/2).": total - math.log(n),
        "you sum over the samples and do not average: divide by n, that is, subtract log n.": total - normaliser,
        "the constant is that of one dimension. There are d.": total - math.log(n) - normaliser / d,
        "the deviation stands where the variance belongs in the constant: 2πσ².": (
            total - math.log(n) - normaliser + d / 2 * math.log(sigma)
        ),
        "you average the logarithms. The mean is inside: log of the mean of the densities.": (
            exponent.mean(1) - normaliser
        ),
        "you take the nearest sample only, in place of the sum over all.": (
            exponent.max(1).values - math.log(n) - normaliser
        ),
        "that is in bits: you divided by log 2. Asked are nats.": right / math.log(2),
        "you return densities. Take the logarithm: in 784 dimensions they overflow.": right.exp(),
        "the distance is not squared.": ((-squared.sqrt() / (2 * sigma**2)).logsumexp(1) - math.log(n) - normaliser),
        "the exponent lacks the 2 of 2σ².": (2 * exponent).logsumexp(1) - math.log(n) - normaliser,
        "you divide the squared distance by 2σ in place of 2σ².": (
            (exponent * sigma).logsumexp(1) - math.log(n) - normaliser
        ),
    }
    diagnose(
        value,
        named.items(),
        "with one sample and σ = 1 it must be log N(x; c, I) = −‖x − c‖²/2 − d/2·log 2π. Try that case.",
    )


def _parzen(combine: Callable[[Tensor, int, int, float], Tensor]) -> Answer:
    def answer(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
        n, d = samples.shape
        return combine(-torch.cdist(test, samples).square() / (2 * sigma**2), n, d, sigma)

    return answer


def _naive_parzen(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    density = torch.exp(-torch.cdist(test, samples).square() / (2 * sigma**2)).mean(1)
    return torch.log(density / (2 * math.pi * sigma**2) ** (samples.shape[1] / 2))


def _padded_parzen(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    density = torch.exp(-torch.cdist(test, samples).square() / (2 * sigma**2)).mean(1)
    return torch.log(density + 1e-30) - _constant(samples.shape[1], sigma)


def _not_squared(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    exponent = -torch.cdist(test, samples) / (2 * sigma**2)
    return exponent.logsumexp(1) - math.log(len(samples)) - _constant(samples.shape[1], sigma)


def _constant(d: int, sigma: float) -> float:
    return d / 2 * math.log(2 * math.pi * sigma**2)


def _trial(g: torch.Generator) -> Trial:
    d = int(torch.randint(2, 5, (), generator=g))
    return Trial((torch.randn(7, d, generator=g), torch.randn(5, d, generator=g), uniform(g, 0.3, 0.9)))


EXERCISE = Exercise(
    id="parzen-window",
    chapter="03_nonequilibrium",
    examine=_examine,
    solution=parzen_window,
    mistakes=(
        Mistake(_parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n)), "normalising constant is missing"),
        Mistake(_parzen(lambda e, n, d, s: e.logsumexp(1) - _constant(d, s)), "do not average"),
        Mistake(_parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n) - _constant(1, s)), "that of one dimension"),
        Mistake(_parzen(lambda e, n, d, s: e.mean(1) - _constant(d, s)), "average the logarithms"),
        Mistake(_parzen(lambda e, n, d, s: e.max(1).values - math.log(n) - _constant(d, s)), "nearest sample only"),
        Mistake(lambda c, x, s: parzen_window(c, x, s) / math.log(2), "in bits"),
        Mistake(_naive_parzen, "not finite in 784"),
        Mistake(_padded_parzen, "lost before the logarithm"),
        Mistake(
            _parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n) - _constant(d, s) + d / 2 * math.log(s)),
            "where the variance belongs in the constant",
        ),
        Mistake(_not_squared, "not squared"),
        Mistake(lambda c, x, s: parzen_window(c, x, s).exp(), "return densities"),
        Mistake(_parzen(lambda e, n, d, s: (2 * e).logsumexp(1) - math.log(n) - _constant(d, s)), "lacks the 2"),
        Mistake(_parzen(lambda e, n, d, s: (s * e).logsumexp(1) - math.log(n) - _constant(d, s)), "by 2σ in place"),
    ),
    praise="now you can compute what the tables of 2014 were made of, and see what is wrong with it.",
    trial=_trial,
)
