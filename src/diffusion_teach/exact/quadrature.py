"""Means over a noised mixture of Gaussians by Gauss and Hermite's rule: no draw, so nothing is left to chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact.distributions import GaussianMixture

LARGEST = 3
"""Dimensions: a grid of n nodes an axis has n^d of them."""


def expectation(
    mixture: GaussianMixture,
    function: Callable[[Tensor], Tensor],
    alpha: Tensor | float = 1.0,
    sigma: Tensor | float = 0.0,
    *,
    nodes: int = 40,
) -> Tensor:
    """E[function(x_t)] for x_t = α·x₀ + σ·ε, by a grid of nodes in the axes of each component.

    Args:
        mixture: of x₀, in at most three dimensions.
        function: points (..., n, d) to numbers (..., n), smooth on the scale of a component.
        alpha, sigma: the noise level, not both without spread: numbers, or one for each of several levels (...).
        nodes: an axis; exact for polynomials of degree 2·nodes − 1.

    Returns:
        (...), float64: a scalar where the levels are numbers.

    Raises:
        ValueError: for more dimensions, or a function that returns another shape.
    """
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    _checks.function("function", function)
    if mixture.dim > LARGEST:
        raise ValueError(f"mixture must have at most {LARGEST} dimensions, got {mixture.dim}. Draw a sample instead.")
    place, weight = np.polynomial.hermite_e.hermegauss(_checks.integer("nodes", nodes, most=200))
    z = torch.cartesian_prod(*[torch.from_numpy(place)] * mixture.dim).reshape(-1, mixture.dim)
    share = torch.cartesian_prod(*[torch.from_numpy(weight / weight.sum())] * mixture.dim)
    share = mixture.weights[:, None] * share.reshape(-1, mixture.dim).prod(1)
    points = mixture.at_deviations(z, alpha, sigma).flatten(-3, -2)
    found = _checks.tensor("what function(x) returns", function(points))
    _checks.same_shape("what function(x) returns", found, "the points", points[..., 0])
    return found.double() @ share.flatten()


def entropy(
    mixture: GaussianMixture, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0, *, nodes: int = 40
) -> Tensor:
    """The entropy of x_t = α·x₀ + σ·ε in nats, −E[log q(x_t)]; arguments and shape as of `expectation`."""
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    return -expectation(mixture, lambda x: mixture.log_prob(x, alpha, sigma), alpha, sigma, nodes=nodes)
