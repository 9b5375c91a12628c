"""Precision and recall of generated samples: which are realistic, and how much of the data they reach.

Each set is given the union of balls around its points, each as wide as the distance to its k-th nearest neighbour in
the same set. Precision is the share of generated points in the data's balls; recall the share of data points in the
generated ones'. Drop half the modes and recall halves while precision stays; blur and the reverse happens.

Source: Kynkäänniemi et al. (2019), "Improved precision and recall metric for assessing generative models", eq. 1-2.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach.metrics.neighbours import distances, feature_pair, more_than, radii


class PrecisionRecall(NamedTuple):
    """Two shares in [0, 1]."""

    precision: float
    recall: float


def precision_recall(real: Tensor, generated: Tensor, *, k: int = 3) -> PrecisionRecall:
    """Precision and recall by k-nearest-neighbour manifolds; exact.

    Args:
        real: (n, d) features or points of the data, n > k.
        generated: (m, d) of the model, m > k. Use m = n: both values depend on the numbers.
        k: the neighbour that sets a ball's radius; 3 in the paper.
    """
    a, b = feature_pair(real, generated, k)
    more_than(k, "generated", b)
    return PrecisionRecall(_share_inside(b, a, radii(a, k=k)), _share_inside(a, b, radii(b, k=k)))


def _share_inside(points: Tensor, centres: Tensor, radius: Tensor) -> float:
    inside = [(part <= radius).any(dim=1) for part in distances(points, centres)]
    return float(torch.cat(inside).double().mean())
