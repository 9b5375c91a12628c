r"""The Parzen window, a museum piece: a likelihood for models that have none.

Draw samples c₁ … c_n of the model, put a Gaussian of one width σ on each, and call the mean of

    log (1/n) Σ_i N(x; c_i, σ²·I)

over test images x the model's log-likelihood; σ is chosen on a validation set (Breuleux et al. 2011; Goodfellow et al.
2014). In many dimensions it measures neither the model's likelihood nor its quality: k-means centroids score above the
data's own distribution (Theis et al. 2016, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.metrics.neighbours import flattened, nearest, squared_distances


class Parzen(NamedTuple):
    """The estimate in nats an image, and the width that the validation set chose."""

    nats: float
    sigma: float


def log_likelihood(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    """log (1/n) Σ_i N(x; c_i, σ²·I) in nats of each test point, (m,).

    Args:
        samples: (n, d), the model's, or any shape (n, ...) that flattens to it.
        test: (m, d), or the like.
        sigma: the width σ.
    """
    return _log_likelihoods(samples, test, [_checks.number("sigma", sigma, above=0)])[0]


def estimate(samples: Tensor, validation: Tensor, test: Tensor, sigmas: Sequence[float]) -> Parzen:
    """The Parzen-window estimate of a model by its samples: the width that suits the validation set, on the test set.

    Args:
        samples, validation, test: (n, d), (l, d), (m, d), or any shapes that flatten to it; no image in two of them.
        sigmas: widths to choose from.

    Raises:
        ValueError: when the best width is the outermost one offered, so that a better one may lie beyond it.
    """
    if not isinstance(sigmas, (list, tuple)):
        raise TypeError(
            f"sigmas must be widths to choose from, such as (0.1, 0.2, 0.3), got {_checks.describe(sigmas)}."
        )
    widths = sorted(_checks.number("sigmas", sigma, above=0) for sigma in sigmas)
    if len(widths) < 3:
        raise ValueError(f"sigmas must offer at least 3 widths to choose from, got {len(widths)}.")
    flattened("validation", validation, "samples", samples)
    scores = _log_likelihoods(samples, validation, widths).mean(1)
    best = int(scores.argmax())
    if best in (0, len(widths) - 1):
        raise ValueError(f"the best of the widths is the outermost, {widths[best]:g}: offer others beyond it.")
    return Parzen(float(log_likelihood(samples, test, widths[best]).mean()), widths[best])


def _log_likelihoods(samples: Tensor, test: Tensor, sigmas: Sequence[float]) -> Tensor:
    """One row for each width, (len(sigmas), m)."""
    points, c = flattened("test", test, "samples", samples)
    n, d = c.shape
    rows = []
    for squared in squared_distances(points, c):
        sums = [(squared / (-2 * s**2)).logsumexp(1) - d / 2 * math.log(2 * math.pi * s**2) for s in sigmas]
        rows.append(torch.stack(sums) - math.log(n))
    return torch.cat(rows, dim=1).to(points.dtype)


def k_means(points: Tensor, k: int, *, iterations: int = 5, generator: torch.Generator | None = None) -> Tensor:
    """k centroids (k, d) of points (n, d) by Lloyd's algorithm: points go to the nearest, centroids to their mean.

    The first centroids are k of the points, chosen at random; a centroid that no point is nearest to stays where it is.
    """
    _checks.tensor("points", points, ("n", "d"))
    k = _checks.integer("k", k, most=len(points))
    iterations = _checks.integer("iterations", iterations)
    centroids = points[torch.randperm(len(points), generator=_checks.generator(generator))[:k]].clone()
    for _ in range(iterations):
        which = nearest(points, centroids).which
        count = torch.bincount(which, minlength=k).to(points).unsqueeze(1)
        means = torch.zeros_like(centroids).index_add_(0, which, points) / count.clamp(min=1)
        centroids = torch.where(count > 0, means, centroids)
    return centroids
