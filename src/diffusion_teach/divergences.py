r"""How spread out a distribution is, and how far apart two of them are, in closed form or by quadrature.

What thermodynamics measures, in nats, with p cut into cells (`entropy`, `kullback_leibler`, `mutual_information`):

    h(p) = −∫ p log p,   KL(p ‖ q) = ∫ p log(p/q),   I(x₀; x_t) = h(x_t) − h(x_t|x₀)

What a GAN's discriminator measures:

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
    if not (_checks.tensor("x", x, ("n",)).diff() > 0).all():
        raise ValueError(f"x must rise, got {x.tolist()[:4]} …")
    for name, density in (("p", p), ("q", q)):
        _checks.tensor(name, density, ("...", len(x)))
        mass = torch.trapezoid(density, x)
        if not (density >= 0).all() or not ((mass - 1).abs() < 0.01).all():
            raise ValueError(
                f"{name} must be a density that integrates to 1 on the grid, got an integral of "
                f"{float(mass.flatten()[0]):.4g}. Take a wider or a finer grid."
            )
    _checks.same_shape("q", q, "p", p)
    middle = (p + q) / 2
    # Where the mean is 0 both densities are, and 0·log 0 counts as 0.
    safe = middle.clamp_min(torch.finfo(middle.dtype).tiny)
    return 0.5 * torch.trapezoid(torch.xlogy(p, p / safe) + torch.xlogy(q, q / safe), x)


def entropy(shares: Tensor, cell: float = 1.0) -> Tensor:
    """The differential entropy h = −Σ p log(p/cell) in nats: how little one knows of where a particle is.

    Args:
        shares: (n,) or (n, m), the share of the mass in each cell: not negative, summing to 1.
        cell: the size of a cell, its length or its area. With 1 this is the entropy of the cells themselves.

    Returns:
        A number; largest, log(all cells together), where every cell holds as much as any other. Below 0 where a
        particle is known to within less than one unit.
    """
    _is_shares("shares", shares)
    cell = _checks.number("cell", cell, above=0)
    return -(torch.xlogy(shares, shares).sum() - math.log(cell))


def kullback_leibler(p: Tensor, q: Tensor) -> Tensor:
    """KL(p ‖ q) = Σ p log(p/q) in nats, from the shares of the same cells; infinite where p has mass and q has none.

    Args:
        p, q: (n,) or (n, m), each not negative and summing to 1.
    """
    _is_shares("p", p)
    _is_shares("q", q)
    _checks.same_shape("p", p, "q", q)
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def mutual_information(shares: Tensor, sigma: float, cell: float = 1.0) -> Tensor:
    """What x_t tells of x₀, I(x₀; x_t) = h(x_t) − ½ log(2πe·σ²) in nats, on the line.

    Given x₀, only the noise σε is open, whatever α is, and its entropy is the second term.

    Args:
        shares: (n,) those of x_t = α·x₀ + σ·ε.
        sigma: the noise's standard deviation, above 0: without noise x_t tells everything, infinitely much.
        cell: the length of a cell, short beside σ.
    """
    _checks.tensor("shares", shares, ("n",))
    sigma = _checks.number("sigma", sigma, above=0)
    return entropy(shares, cell) - 0.5 * math.log(2 * math.pi * math.e * sigma**2)


def _is_shares(name: str, value: Tensor) -> None:
    _checks.tensor(name, value)
    if not (value >= 0).all() or not math.isclose(float(value.sum()), 1, abs_tol=1e-3):
        raise ValueError(
            f"{name} must be shares, not negative and summing to 1; got values from {float(value.min()):.3g} on, and a "
            f"sum of {float(value.sum()):.4g}. Multiply a density by the size of a cell, and take cells all over it."
        )


def jensen_shannon_of_points(distance: Tensor) -> Tensor:
    """JSD of two points at these distances: log 2, or 0 where they coincide. Its slope is 0 wherever it has one."""
    _checks.tensor("distance", distance)
    return torch.where(distance == 0, torch.zeros_like(distance), torch.full_like(distance, math.log(2)))


def wasserstein_of_points(distance: Tensor) -> Tensor:
    """W₁ of two points at these distances (signed ones are made positive): the distance itself, with slope 1."""
    _checks.tensor("distance", distance)
    return distance.abs()
