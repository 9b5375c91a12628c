"""Nearest neighbours in the training set: does a model make new things, or copy?"""

from __future__ import annotations

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
