"""Maximum mean discrepancy: a distance of distributions by a kernel, whose estimate has no bias.

MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y): the squared distance of the mean embeddings of two distributions. Where
the kernel is characteristic, as the Gaussian one is, it is zero only for equal distributions; the polynomial kernel of
the kernel distance (KID) compares moments up to the third.

Null value: the U-statistic leaves out the pairs of a point with itself, so that two samples of one distribution score
0 on average, for every n, and often less. Its variance then is, exactly,

    (2/(n(n − 1)) + 2/(m(m − 1)) + 4/(n m)) E k̃(x, x′)²,   k̃ the kernel centred under the distribution.

Source: Gretton et al. (2012), "A kernel two-sample test", lemma 6 and theorem 12; Bińkowski et al. (2018),
"Demystifying MMD GANs", section 4 (KID).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks

Kernel = Callable[[Tensor, Tensor], Tensor]
"""Of points (n, d) and (m, d): the values (n, m)."""

MOST = 5000
"""Points of a set at most: the memory grows with the square."""


class Discrepancy(NamedTuple):
    """The unbiased estimate of MMD², and the standard deviation that it has where the two distributions are equal.

    The mean is then 0. The estimate's law is skewed to the right, so "2 standard deviations" is no 95 % there.
    """

    squared: float
    null_std: float


def mmd(a: Tensor, b: Tensor, *, kernel: Kernel | None = None) -> Discrepancy:
    """The U-statistic of MMD², in squared units of the kernel, with its null standard deviation.

    Σ_{i≠j} k(a_i, a_j)/(n(n − 1)) + Σ_{i≠j} k(b_i, b_j)/(m(m − 1)) − 2 Σ_ij k(a_i, b_j)/(n m)

    The null standard deviation is the closed form above, with E k̃² taken from both sets together: to leading order.

    Args:
        a: (n, d) points, n from 2 to 5,000.
        b: (m, d) points, m likewise.
        kernel: `gaussian(bandwidth)`, `polynomial()` or another; where not given the Gaussian one with the median
            heuristic. Compare values for one kernel only: the median changes with the points.
    """
    _checks.tensor("a", a, ("n", "d"))
    _checks.tensor("b", b, ("m", a.shape[1]))
    n = _checks.integer("len(a)", len(a), least=2, most=MOST)
    m = _checks.integer("len(b)", len(b), least=2, most=MOST)
    points = torch.cat([a.detach().double(), b.detach().double()])
    chosen = gaussian(median_distance(points)) if kernel is None else _checks.function("kernel", kernel)
    gram = chosen(points, points)
    squared = _off_diagonal_mean(gram[:n, :n]) + _off_diagonal_mean(gram[n:, n:]) - 2 * float(gram[:n, n:].mean())
    centred = gram - gram.mean(dim=0) - gram.mean(dim=1, keepdim=True) + gram.mean()
    spread = _off_diagonal_mean(centred.square())
    return Discrepancy(squared, math.sqrt(spread * (2 / (n * (n - 1)) + 2 / (m * (m - 1)) + 4 / (n * m))))


def kernel_distance(a: Tensor, b: Tensor) -> Discrepancy:
    """The kernel (Inception) distance KID: `mmd` with the polynomial kernel (⟨x, y⟩/d + 1)³, over all points at once.

    Papers print the mean over random subsets, on Inception's features; being unbiased, the estimate has the same mean.

    Args:
        a: (n, d) features, n from 2 to 5,000.
        b: (m, d) features, m likewise.
    """
    return mmd(a, b, kernel=polynomial())


def gaussian(bandwidth: float) -> Kernel:
    """k(x, y) = exp(−|x − y|² / (2 h²)), with the bandwidth h in the points' units."""
    h = _checks.number("bandwidth", bandwidth, above=0)
    return lambda x, y: torch.exp(-_squared_distances(x, y) / (2 * h * h))


def polynomial(degree: int = 3) -> Kernel:
    """k(x, y) = (⟨x, y⟩/d + 1)^degree for points in d dimensions. It sees the moments up to the degree, and no more."""
    _checks.integer("degree", degree)
    return lambda x, y: (x @ y.T / x.shape[1] + 1) ** degree


def median_distance(points: Tensor) -> float:
    """The median of the distances between n points (n, d), n ≥ 2: the usual bandwidth of a Gaussian kernel.

    Raises:
        ValueError: where most points coincide, so that it is 0.
    """
    _checks.tensor("points", points, ("n", "d"))
    n = _checks.integer("len(points)", len(points), least=2, most=2 * MOST)
    squared = _squared_distances(points.detach().double(), points.detach().double())
    above = torch.ones(n, n, dtype=torch.bool).triu(1)
    median = math.sqrt(float(squared[above].median()))
    if median == 0:
        raise ValueError("the median distance of the points is 0: most of them coincide. Give a bandwidth.")
    return median


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    centre = x.mean(dim=0)  # far from the origin the differences would be lost
    a, b = x - centre, y - centre
    squared = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1)[None] - 2 * a @ b.T
    # What rounding leaves of the distance of equal points is none
    scale = a.square().sum(dim=1).max() + b.square().sum(dim=1).max()
    return torch.where(squared > 1e-14 * scale, squared, 0)


def _off_diagonal_mean(square: Tensor) -> float:
    n = len(square)
    return float((square.sum() - square.diagonal().sum()) / (n * (n - 1)))
