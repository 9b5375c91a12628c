"""Nearest neighbours: in the training set (does a model make new things, or copy?), and the balls that they span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks


class Nearest(NamedTuple):
    """For each sample the Euclidean distance (n,) to its nearest point, and which point it is (n,)."""

    distance: Tensor
    which: Tensor


def nearest(samples: Tensor, points: Tensor, *, chunk: int = 10_000) -> Nearest:
    """The nearest of many points for each sample.

    Args:
        samples: (n, d), or any shape (n, ...) that flattens to it, such as images.
        points: (m, d), or the like; float32 is enough.
        chunk: points whose distances are held at a time; bounds the memory.
    """
    _checks.tensor("samples", samples)
    _checks.tensor("points", points)
    _checks.integer("chunk", chunk)
    if samples.ndim < 2 or samples.shape[1:] != points.shape[1:]:
        raise ValueError(
            f"samples and points must be (n, ...) and (m, ...) of the same kind, got {tuple(samples.shape)} "
            f"and {tuple(points.shape)}."
        )
    a, b = samples.detach().flatten(1), points.detach().flatten(1).to(samples.dtype)
    best = torch.full((len(a),), torch.inf, dtype=a.dtype)
    index = torch.zeros(len(a), dtype=torch.int64)
    for start in range(0, len(b), chunk):
        part = b[start : start + chunk]
        # |a|² is the same for every point: the rest decides.
        found = (part.square().sum(dim=1) - 2 * a @ part.T).min(dim=1)
        closer = found.values < best
        best = torch.where(closer, found.values, best)
        index = torch.where(closer, found.indices + start, index)
    return Nearest((a - b[index]).norm(dim=1), index)


def radii(points: Tensor, *, k: int = 3, chunk: int = 1000) -> Tensor:
    """The distance (n,) of each point (n, d) to its k-th nearest neighbour in the same set, itself not counted.

    Args:
        points: (n, d), n > k.
        k: which neighbour.
        chunk: rows whose distances are held at a time; bounds the memory, does not change the result.
    """
    _checks.tensor("points", points, ("n", "d"))
    _checks.integer("k", k)
    more_than(k, "points", points)
    start, found = 0, []
    for part in distances(points, points, chunk=chunk):
        rows = torch.arange(len(part))
        part[rows, start + rows] = torch.inf
        found.append(part.kthvalue(k, dim=1).values)
        start += len(part)
    return torch.cat(found)


def distances(a: Tensor, b: Tensor, *, chunk: int = 1000) -> Iterator[Tensor]:
    """The Euclidean distances (n, m) of points a (n, d) to points b (m, d), `chunk` rows at a time.

    Of differences, not by the matrix product |a|² + |b|² − 2ab: the latter loses the small distances that decide.
    """
    _checks.integer("chunk", chunk)
    for part in a.split(chunk):
        yield torch.cdist(part, b, compute_mode="donot_use_mm_for_euclid_dist")


def more_than(k: int, name: str, points: Tensor) -> None:
    """Raise ValueError where a set (n, d) is too small for a k-th neighbour: n ≤ k."""
    if len(points) <= k:
        raise ValueError(f"{name} must hold more than k = {k} points, got {_checks.describe(points)}.")
