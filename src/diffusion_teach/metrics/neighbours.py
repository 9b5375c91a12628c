"""Nearest neighbours: in the training set (does a model make new things, or copy?), and the balls that they span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks, devices

ROWS = 1000
"""Rows whose distances are held at a time; bounds the memory, does not change the result."""


class Nearest(NamedTuple):
    """For each sample the Euclidean distance (n,) to its nearest point, and which point it is (n,)."""

    distance: Tensor
    which: Tensor


def nearest(samples: Tensor, points: Tensor) -> Nearest:
    """The nearest of many points for each sample.

    Args:
        samples: (n, d), or any shape (n, ...) that flattens to it, such as images.
        points: (m, d), or the like; float32 is enough.
    """
    a, b = flattened("samples", samples, "points", points)
    which = torch.cat([part.argmin(dim=1) for part in squared_distances(a, b)])
    return Nearest((a - b[which]).norm(dim=1), which)


def flattened(name: str, value: Tensor, other_name: str, other: Tensor) -> tuple[Tensor, Tensor]:
    """Two sets (n, ...) and (m, ...) of one kind as points (n, d) and (m, d), in the dtype of the first.

    Raises:
        ValueError: where they are of different kinds, or not finite.
    """
    _checks.tensor(name, value)
    _checks.tensor(other_name, other)
    if value.ndim < 2 or value.shape[1:] != other.shape[1:]:
        raise ValueError(
            f"{name} and {other_name} must be (n, ...) and (m, ...) of the same kind, got {tuple(value.shape)} "
            f"and {tuple(other.shape)}."
        )
    return value.detach().flatten(1), other.detach().flatten(1).to(value.dtype)


def feature_pair(real: Tensor, generated: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Check the features (n, d) of the data, n > k, and (m, d) of a model, and return both in float64."""
    k = _checks.integer("k", k)
    _checks.tensor("real", real, ("n", "d"))
    _checks.tensor("generated", generated, ("m", real.shape[1]))
    more_than(k, "real", real)
    return real.detach().double(), generated.detach().double()


def radii(points: Tensor, *, k: int = 3) -> Tensor:
    """The distance (n,) of each point (n, d) to its k-th nearest neighbour in the same set, itself not counted.

    Args:
        points: (n, d), n > k.
        k: which neighbour.
    """
    _checks.tensor("points", points, ("n", "d"))
    k = _checks.integer("k", k)
    more_than(k, "points", points)
    start, found = 0, []
    for part in distances(points, points):
        rows = torch.arange(len(part))
        part[rows, start + rows] = torch.inf
        found.append(part.kthvalue(k, dim=1).values)
        start += len(part)
    return torch.cat(found)


def distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """The Euclidean distances (n, m) of points a (n, d) to points b (m, d), `ROWS` rows at a time.

    Of differences, not by the matrix product |a|² + |b|² − 2ab: the latter loses the small distances that decide.
    """
    _checks.tensor("a", a, ("n", "d"))
    _checks.tensor("b", b, ("m", a.shape[1]))
    dtype = torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)
    a, b = a.to(dtype), b.to(dtype)
    for part in a.split(ROWS):
        yield torch.cdist(part, b, compute_mode="donot_use_mm_for_euclid_dist")


def squared_distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """The squared Euclidean distances (n, m) of points a (n, d) to b (m, d) in many dimensions, `ROWS` rows at a time.

    By the matrix product |a|² + |b|² − 2ab, which is fast, around the mean of b and in float64 (float32 on Apple's
    GPUs): what it loses is 10⁻¹⁶ of the points' squared spread, wherever they lie.
    """
    _checks.tensor("a", a, ("n", "d"))
    wide = devices.widest(a.device)
    points = _checks.tensor("b", b, ("m", a.shape[1])).to(wide)
    middle = points.mean(0)
    points = points - middle
    lengths = points.square().sum(1)
    for part in a.split(ROWS):
        rows = part.to(wide) - middle
        yield (rows.square().sum(1, keepdim=True) - 2 * rows @ points.T + lengths).clamp(min=0)


def more_than(k: int, name: str, points: Tensor) -> None:
    """Raise ValueError where a set (n, d) is too small for a k-th neighbour: n ≤ k."""
    if len(_checks.tensor("points", points, ("...", "n", "d"), finite=False)) <= _checks.integer("k", k):
        raise ValueError(f"{name} must hold more than k = {k} points, got {_checks.describe(points)}.")
