"""Precision and recall of generated samples: which are realistic, and how much of the data they reach.

Each set is given the union of balls around its points, each as wide as the distance to its k-th nearest neighbour in
the same set. Precision is the share of generated points in the data's balls; recall the share of data points in the
generated ones'. Drop half the modes and recall halves while precision stays; blur and the reverse happens.

Source: Kynkäänniemi et al. (2019), "Improved precision and recall metric for assessing generative models", eq. 1-2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks


class PrecisionRecall(NamedTuple):
    """Two shares in [0, 1]."""

    precision: float
    recall: float


def precision_recall(real: Tensor, generated: Tensor, *, k: int = 3, chunk: int = 1000) -> PrecisionRecall:
    """Precision and recall by k-nearest-neighbour manifolds; exact, computed in chunks of rows.

    Args:
        real: (n, d) features or points of the data, n > k.
        generated: (m, d) of the model, m > k. Use m = n: both values depend on the numbers.
        k: the neighbour that sets a ball's radius; 3 in the paper.
        chunk: rows whose distances are held at a time; bounds the memory, does not change the result.
    """
    _checks.integer("k", k)
    _checks.integer("chunk", chunk)
    _checks.tensor("real", real, ("n", "d"))
    _checks.tensor("generated", generated, ("m", real.shape[1]))
    _more_than(k, "real", real)
    _more_than(k, "generated", generated)
    a, b = real.detach().double(), generated.detach().double()
    return PrecisionRecall(
        _share_inside(b, a, radii(a, k=k, chunk=chunk), chunk), _share_inside(a, b, radii(b, k=k, chunk=chunk), chunk)
    )


def radii(points: Tensor, *, k: int = 3, chunk: int = 1000) -> Tensor:
    """The distance (n,) of each point (n, d) to its k-th nearest neighbour in the same set, itself not counted."""
    _checks.tensor("points", points, ("n", "d"))
    _checks.integer("k", k)
    _checks.integer("chunk", chunk)
    _more_than(k, "points", points)
    start, found = 0, []
    for distances in _distances(points, points, chunk):
        rows = torch.arange(len(distances))
        distances[rows, start + rows] = torch.inf
        found.append(distances.kthvalue(k, dim=1).values)
        start += len(distances)
    return torch.cat(found)


def _more_than(k: int, name: str, points: Tensor) -> None:
    if len(points) <= k:
        raise ValueError(f"{name} must hold more than k = {k} points, got {_checks.describe(points)}.")


def _share_inside(points: Tensor, centres: Tensor, radius: Tensor, chunk: int) -> float:
    inside = [(distances <= radius).any(dim=1) for distances in _distances(points, centres, chunk)]
    return float(torch.cat(inside).double().mean())


def _distances(a: Tensor, b: Tensor, chunk: int) -> Iterator[Tensor]:
    # Differences, not the matrix product |a|² + |b|² − 2ab: the latter loses the small distances that decide.
    for part in a.split(chunk):
        yield torch.cdist(part, b, compute_mode="donot_use_mm_for_euclid_dist")
