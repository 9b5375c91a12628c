"""Wasserstein distances: exact in one dimension, and sliced, their mean over directions, in many.

On the line the cheapest way to move one distribution into another keeps the order of the points, so that

    W_p(a, b)^p = ∫₀¹ |F_a⁻¹(u) − F_b⁻¹(u)|^p du,   for n points each: (1/n) Σ_i |a_(i) − b_(i)|^p, sorted.

Sliced: SW_p^p is the mean of W_p^p over projections on directions θ, uniform on the sphere. For N(0, I) against
N(m, I) in d dimensions SW_2² = |m|²/d, while W_2² = |m|²: a shift counts once for the direction in which it lies.

Neither is 0 for two samples of one distribution. On the line the mean of W_1 is √(1/n + 1/m) √(2/π) ∫ √(F(1 − F)) dx to
leading order (`wasserstein_null`); for the others `null_value` measures it.

Source: Rabin et al. (2012), "Wasserstein barycenter and its application to texture mixing"; the null value: del Barrio,
Giné and Matrán (1999), "Central limit theorems for the Wasserstein distance between the empirical and the true
distributions".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.metrics.frechet import Floor

DIRECTIONS = 200


def wasserstein_1d(a: Tensor, b: Tensor, *, p: float = 1) -> Tensor:
    """The exact W_p of points on the line, each with the same weight: by sorting.

    Args:
        a: (..., n) points.
        b: (..., m) points with the same leading dimensions; n and m may differ.
        p: the order, at least 1.

    Returns:
        W_p (the root, in the points' units), shape (...), float64.
    """
    p = _checks.number("p", p, least=1)
    _checks.tensor("a", a, ("...", "n"))
    _checks.tensor("b", b, ("...", "m"))
    if a.shape[:-1] != b.shape[:-1]:
        raise ValueError(
            f"a and b must have the same leading dimensions, got {tuple(a.shape)} and {tuple(b.shape)}. "
            "The last one holds the points."
        )
    return _cost(a, b, p) ** (1 / p)


def _cost(a: Tensor, b: Tensor, p: float) -> Tensor:
    """W_p^p of points on the line (..., n) and (..., m)."""
    x, y = (part.detach().double().sort(dim=-1).values for part in (a, b))
    n, m = x.shape[-1], y.shape[-1]
    if n == m:
        return (x - y).abs().pow(p).mean(dim=-1)
    # Both quantile functions are constant between the multiples of 1/n and 1/m: whole numbers in units of 1/(n m)
    ends = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    begins = torch.cat([ends.new_zeros(1), ends[:-1]])
    gap = x[..., begins // m] - y[..., begins // n]
    return (gap.abs().pow(p) * (ends - begins)).sum(dim=-1) / (n * m)


def sliced_wasserstein(
    a: Tensor,
    b: Tensor,
    *,
    p: float = 2,
    directions: int = DIRECTIONS,
    generator: torch.Generator | None = None,
) -> float:
    """Sliced Wasserstein distance SW_p = (mean over θ of W_p(⟨θ, a⟩, ⟨θ, b⟩)^p)^{1/p}.

    With random directions it is itself random: its relative error falls like 1/√directions. Compare values for the same
    directions, the same n, and beside their null value: `null_value(sliced_wasserstein, data, n)`.

    Args:
        a: (n, d) points.
        b: (m, d) points; n and m may differ.
        p: the order, at least 1.
        directions: how many, uniform on the sphere.
        generator: draws the directions.

    Returns:
        SW_p, in the points' units.
    """
    p = _checks.number("p", p, least=1)
    _checks.generator(generator)
    _checks.tensor("a", a, ("n", "d"))
    _checks.tensor("b", b, ("m", a.shape[1]))
    size = _checks.integer("directions", directions), a.shape[1]
    thetas = torch.nn.functional.normalize(torch.randn(size, dtype=torch.float64, generator=generator), dim=1)
    x, y = (thetas @ part.detach().double().T for part in (a, b))
    return float(_cost(x, y, p).mean() ** (1 / p))


def wasserstein_null(points: Tensor, n: int, m: int | None = None) -> float:
    """The W_1 that two samples of one distribution on the line score on average, to leading order in 1/n.

    E W_1 ≈ √(1/n + 1/m) √(2/π) ∫ √(F(x) (1 − F(x))) dx, for tails light enough that the integral exists.

    Args:
        points: (N,) a large sample that stands for the distribution.
        n: points of the one sample.
        m: points of the other; n where not given.
    """
    _checks.tensor("points", points, ("N",))
    n = _checks.integer("n", n)
    others = n if m is None else _checks.integer("m", m)
    x = points.detach().double().sort().values
    below = torch.arange(1, len(x), dtype=torch.float64) / len(x)
    spread = float(((below * (1 - below)).sqrt() * x.diff()).sum())
    return math.sqrt((1 / n + 1 / others) * 2 / math.pi) * spread


def null_value(
    distance: Callable[[Tensor, Tensor], float],
    points: Tensor,
    n: int,
    *,
    draws: int = 10,
    generator: torch.Generator | None = None,
) -> Floor:
    """What a distance says of two samples of one distribution: between two disjoint halves of 2 n points, some times.

    Args:
        distance: of two sets (n, ...), such as `sliced_wasserstein`.
        points: (N, ...) that stand for the distribution, N ≥ 2 n.
        n: points of each sample: as many as are compared otherwise.
        draws: how many pairs of samples, at least 2.
        generator: chooses them.

    Returns:
        Mean and standard deviation over the draws.
    """
    _checks.function("distance", distance)
    _checks.tensor("points", points, ("...", "N"))
    n = _checks.integer("n", n)
    draws = _checks.integer("draws", draws, least=2)
    _checks.generator(generator)
    if len(points) < 2 * n:
        raise ValueError(f"points must hold 2 n = {2 * n} at least, got {_checks.describe(points)}.")
    values = []
    for _ in range(draws):
        chosen = points[torch.randperm(len(points), generator=generator)[: 2 * n]]
        values.append(float(distance(chosen[:n], chosen[n:])))
    return Floor.of(values)
