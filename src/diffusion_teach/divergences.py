r"""How far apart two distributions on a line are, in closed form or by quadrature: what a GAN's discriminator measures.

    JSD(p ‖ q) = ½ KL(p ‖ m) + ½ KL(q ‖ m),   m = (p + q)/2,   in [0, log 2] nats
    W₁(p, q)   = sup E_p f − E_q f  over functions f of slope at most 1

The best discriminator of Goodfellow et al. (2014) has the value −log 4 + 2·JSD (theorem 1), the best critic of Arjovsky
et al. (2017) the value W₁ (eq. 2). For two points at a distance d the first is log 2 whatever d is, the second is d
(their example 1): only the second tells a generator which way to go.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks


def jensen_shannon(p: Tensor, q: Tensor, x: Tensor) -> Tensor:
    """JSD(p ‖ q) in nats from two densities on a grid, by the trapezoidal rule.

    Args:
        p, q: (..., n) densities at x, not negative.
        x: (n,), rising; so wide and fine that both densities integrate to 1 within 1 %.

    Returns:
        (...), between 0 and log 2 up to the error of the rule.

    Raises:
        ValueError: for negative densities, or where they do not integrate to 1.
    """
    _checks.tensor("x", x, ("n",))
    for name, density in (("p", p), ("q", q)):
        _checks.tensor(name, density, ("...", len(x)))
        mass = torch.trapezoid(density, x)
        if not (density >= 0).all() or not ((mass - 1).abs() < 0.01).all():
            raise ValueError(
                f"{name} must be a density that integrates to 1 on the grid, got an integral of "
                f"{float(mass.flatten()[0]):.4g}. Take a wider or a finer grid."
            )
    middle = (p + q) / 2
    # Where the mean is 0 both densities are, and 0·log 0 counts as 0.
    safe = middle.clamp_min(torch.finfo(middle.dtype).tiny)
    return 0.5 * torch.trapezoid(torch.xlogy(p, p / safe) + torch.xlogy(q, q / safe), x)


def jensen_shannon_of_points(distance: Tensor) -> Tensor:
    """JSD of two points at these distances: log 2, or 0 where they coincide. Its slope is 0 wherever it has one."""
    _checks.tensor("distance", distance)
    return torch.where(distance == 0, torch.zeros_like(distance), torch.full_like(distance, math.log(2)))


def wasserstein_of_points(distance: Tensor) -> Tensor:
    """W₁ of two points at these distances (signed ones are made positive): the distance itself, with slope 1."""
    _checks.tensor("distance", distance)
    return distance.abs()
