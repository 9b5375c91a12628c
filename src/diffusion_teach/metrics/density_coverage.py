"""Density and coverage: precision and recall that one outlier cannot spoil, and whose null values are known exactly.

Around each real point stands the ball that reaches to its k-th nearest real neighbour. Density counts in how many of
the balls a generated point lies, in units of k; coverage is the share of balls that hold a generated point. Only
*real* points have balls: a generated outlier, whose ball would be huge, changes neither by more than its own share.

Null values, for n real and m generated points drawn independently from one continuous distribution, whatever it is
(all that enters is who is nearest, and every order of n − 1 + m exchangeable points is equally likely):

    E[density] = 1
    E[coverage] = 1 − Π_{i=1..k} (n − i) / (n + m − i),   which goes to 1 − 2^{−k} for m = n → ∞

Source: Naeem et al. (2020), "Reliable fidelity and diversity metrics for generative models", section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.metrics.neighbours import ROWS, distances, feature_pair, radii

NEIGHBOURS = 5


class DensityCoverage(NamedTuple):
    """Density, 0 or more, 1 for a perfect model; coverage, a share in [0, 1]."""

    density: float
    coverage: float


def density_coverage(real: Tensor, generated: Tensor, *, k: int = NEIGHBOURS) -> DensityCoverage:
    """Density and coverage of generated points by the k-nearest-neighbour balls of real ones.

    density = Σ_j Σ_i [|y_j − x_i| ≤ r_i] / (k m),   coverage = Σ_i [min_j |y_j − x_i| ≤ r_i] / n

    Density above 1 means that samples crowd where the data are dense; it does not mean a better model than the data.
    Copies of the real points themselves are not independent of them: they score (k + 1)/k and 1.

    Args:
        real: (n, d) features x of the data, n > k.
        generated: (m, d) of the model y, m ≥ 1. Print the values beside their null values, see above.
        k: the neighbour that sets a ball's radius r; 5 in the paper.
    """
    k = _checks.integer("k", k)
    x, y = feature_pair(real, generated, k)
    balls = zip(distances(x, y), radii(x, k=k).split(ROWS), strict=True)
    inside = torch.cat([(part <= radius[:, None]).sum(dim=1) for part, radius in balls])
    return DensityCoverage(int(inside.sum()) / (k * len(y)), float((inside > 0).double().mean()))
