r"""The noising process as an equation for a density: Fokker and Planck's, on the line.

The SDE dx = −½β·x dt + √β dw pulls each particle to the origin and shakes it. The density of its particles follows

    ∂p/∂t = ½β ∂/∂x (x·p) + ½β ∂²p/∂x² = ½β ∂/∂x [π ∂/∂x (p/π)],      π = N(0, 1).

The second form says why it ends where it does: mass flows down the slope of p/π, and stops when p = π. On a grid the
same form makes a Markov chain between neighbouring cells that has π for its equilibrium exactly, keeps the mass, and
keeps p positive. Its matrix L does not depend on time, so that p(t) = exp(L·½∫β dt)·p(0), and ½∫β dt = −log α(t).

Source: Song et al. (2021), eqs. 11 and 25, for the process; Risken, "The Fokker–Planck Equation", for the form.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules import Schedule, check_schedule, check_time


def _spacing(x: Tensor) -> float:
    """The spacing of an even grid, which must be fine beside the prior's deviation of 1."""
    _checks.tensor("x", x, ("n",))
    gaps = x.diff()
    if len(x) < 3 or not (gaps > 0).all() or not torch.allclose(gaps, gaps.mean(), rtol=1e-6):
        raise ValueError(f"x must be at least 3 rising, evenly spaced points, got {x.tolist()[:4]} …")
    if float(gaps[0]) * float(x.abs().max()) > 2:
        raise ValueError(
            f"x is too coarse: a cell of {float(gaps[0]):g} at {float(x.abs().max()):g}; their product must be at most "
            "2, or the drift jumps over cells. Take more points."
        )
    return float(gaps.mean())


def rates(x: Tensor) -> Tensor:
    """The chain's matrix L, (n, n): how fast cell j's mass goes to cell i, at ½β = 1; its columns sum to 0.

    From a cell to its neighbour it is √(π_neighbour/π_cell)/Δx². So π_cell·L(neighbour ← cell) is the same in both
    directions, and in equilibrium nothing flows. No mass leaves the ends.

    Args:
        x: (n,) the cells' centres, rising and even.
    """
    spacing = _spacing(x)
    rise = x.double().square().diff() / 4  # ½ log(π_i/π_{i+1})
    matrix = torch.diag(torch.exp(-rise), -1) + torch.diag(torch.exp(rise), 1)
    return (matrix - torch.diag(matrix.sum(0))) / spacing**2


def solve(p: Tensor, x: Tensor, schedule: Schedule, t: float | Tensor) -> Tensor:
    """The density at time t of what begins with p at time 0 and is noised by a variance-preserving schedule.

    Args:
        p: (..., n) densities at x, or shares of the cells: whatever its sum is, it stays.
        x: (n,) the cells' centres, rising and even; so wide that hardly any of p or of N(0, 1) lies outside.
        schedule: with α² + σ² = 1, such as `VP()` or `Cosine()`.
        t: one time, with α(t) > 0.

    Returns:
        (..., n) float64. The error against the equation falls with the square of the spacing.

    Raises:
        ValueError: for a schedule that does not preserve the variance; its equation is another.
    """
    _checks.tensor("x", x, ("n",))
    if not (_checks.tensor("p", p, ("...", len(x))) >= 0).all():
        raise ValueError(f"p must be densities or shares, not negative, got {float(p.min()):g} as the least.")
    time = check_time(_checks.numbers_like("t", t, torch.zeros((), dtype=torch.float64)))
    if time.ndim != 0:
        raise ValueError(f"t must be one time, got {_checks.describe(time)}.")
    alpha, sigma = check_schedule(schedule).alpha(time), schedule.sigma(time)
    if abs(float(alpha**2 + sigma**2) - 1) > 1e-6:
        raise ValueError(
            f"schedule must preserve the variance, α² + σ² = 1, got {float(alpha**2 + sigma**2):g} from "
            f"{type(schedule).__name__}. Use VP() or Cosine()."
        )
    if not alpha > 0:
        raise ValueError(f"alpha must be above 0, as it takes for ever to get there; got 0 at t = {float(time):g}.")
    transition = torch.linalg.matrix_exp(float(-alpha.log()) * rates(x))
    return (p.double() @ transition.T).clamp(min=0)  # no entry is negative but by rounding
