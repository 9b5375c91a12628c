r"""Distributions in the plane whose every score is known: each function returns a mixture of Gaussians.

`ring` and `grid` are the two of the mode-collapse literature. Their defaults are the numbers of Lin et al. (2018), who
follow Srivastava et al. (2017): eight Gaussians of standard deviation 0.01 on a circle of radius 1, and twenty-five of
standard deviation 0.05 on a grid of spacing 2. A curve is a dense row of Gaussians along it, so that two moons and the
swiss roll have an exact density too. `unit_spread` brings any of them to the scale on which networks are trained.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact import GaussianMixture

POINTS_PER_STD = 1  # of a curve: Gaussians one standard deviation apart add up to a density that ripples by under 1e-8


def _isotropic(means: Tensor, std: float) -> GaussianMixture:
    ones = torch.ones(len(means), dtype=torch.float64)
    return GaussianMixture(ones, means, std**2 * ones)


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> GaussianMixture:
    """Equal Gaussians, evenly spaced on a circle around the origin; the first lies on the positive x axis."""
    modes = _checks.integer("modes", modes)
    radius = _checks.number("radius", radius, above=0)
    std = _checks.number("std", std, above=0)
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    return _isotropic(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> GaussianMixture:
    """side × side equal Gaussians on a square grid centred at the origin."""
    side = _checks.integer("side", side)
    spacing = _checks.number("spacing", spacing, above=0)
    std = _checks.number("std", std, above=0)
    line = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return _isotropic(torch.cartesian_prod(line, line), std)


def mixture() -> GaussianMixture:
    """Three Gaussians of unequal weight, shape and tilt: little enough symmetry that a mistake shows."""
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    means = torch.tensor([[-1.2, -0.4], [1.0, 0.9], [0.8, -1.2]], dtype=torch.float64)
    covariances = torch.tensor(
        [[[0.25, 0.12], [0.12, 0.15]], [[0.12, -0.06], [-0.06, 0.20]], [[0.10, 0.0], [0.0, 0.06]]],
        dtype=torch.float64,
    )
    return GaussianMixture(weights, means, covariances)


def two_moons(std: float = 0.08) -> GaussianMixture:
    """Two half circles of radius 1 that reach into one another, blurred by `std`, centred at the origin."""
    std = _checks.number("std", std, least=0.005)
    angle = torch.linspace(0, math.pi, _count(math.pi, std), dtype=torch.float64)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    return _isotropic(torch.cat([upper, -upper]), std)


def swiss_roll(std: float = 0.05, turns: float = 1.5) -> GaussianMixture:
    """A spiral r = angle, from half a turn to `turns` more, scaled to an outer radius of 2, blurred by `std`.

    Points are uniform along its length. (Many copies draw them uniform in the angle, which crowds the inner end.)
    """
    std = _checks.number("std", std, least=0.005)
    turns = _checks.number("turns", turns, above=0, most=10)
    angle = math.pi + 2 * math.pi * turns * torch.linspace(0, 1, 20_001, dtype=torch.float64)
    curve = 2 * (angle / angle[-1]).unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], dim=1)
    length = torch.cat([torch.zeros(1, dtype=torch.float64), curve.diff(dim=0).norm(dim=1).cumsum(0)])
    wanted = torch.linspace(0, float(length[-1]), _count(float(length[-1]), std), dtype=torch.float64)
    after = torch.searchsorted(length, wanted).clamp(1, len(curve) - 1)
    share = (wanted - length[after - 1]) / (length[after] - length[after - 1])
    return _isotropic(torch.lerp(curve[after - 1], curve[after], share.unsqueeze(1)), std)


def _count(length: float, std: float) -> int:
    """How many components make a curve of this length smooth."""
    return math.ceil(POINTS_PER_STD * length / std) + 1


def unit_spread(mixture: GaussianMixture) -> GaussianMixture:
    """The mixture, centred and scaled by one factor so that its coordinates have variance 1 on average.

    Distances measured in standard deviations of a component stay what they were.
    """
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    scale = float(mixture.covariance.trace() / mixture.dim) ** -0.5
    return GaussianMixture(mixture.weights, (mixture.means - mixture.mean) * scale, mixture.covariances * scale**2)
