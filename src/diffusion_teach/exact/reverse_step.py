r"""The true step back of one-dimensional data, q(x_s|x_t), and how far the best Gaussian is from it.

For a mixture of Gaussians x₀ the law of x_s given x_t is a mixture again: with μᵢ and Vᵢ the mean and the variance of
component i at s, and x_t = a·x_s + b·ε between the two times,

    weights ∝ wᵢ·N(x_t; a·μᵢ, a²Vᵢ + b²),   means (b²μᵢ + a·Vᵢ·x_t)/(a²Vᵢ + b²),   variances b²Vᵢ/(a²Vᵢ + b²).

Of all Gaussians the one of the same mean and variance is nearest, KL(q‖N) = ½·log(2πe·Var) − h(q).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact.distributions import GaussianMixture
from diffusion_teach.exact.quadrature import expectation
from diffusion_teach.schedules import Schedule, check_schedule, transitions


def reverse_law(
    mixture: GaussianMixture,
    schedule: Schedule,
    s: Tensor,
    t: Tensor,
    x_t: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights and means (..., K), variances (K,), of q(x_s|x_t) at points x_t (...,).

    Args:
        mixture: of x₀, in one dimension.
        schedule: α(t), σ(t).
        s, t: two times, 0-dimensional, s < t.
        x_t: where it is asked for.
    """
    _one_dimensional(mixture)
    scale, std = (part.double() for part in transitions.forward(schedule, s, t))
    alpha, sigma = schedule.alpha(s).double(), schedule.sigma(s).double()
    mean = alpha * mixture.means[:, 0]
    variance = alpha**2 * mixture.covariances[:, 0, 0] + sigma**2
    x = _checks.tensor("x_t", x_t).double().unsqueeze(-1)
    total = scale**2 * variance + std**2
    log_density = -((x - scale * mean) ** 2) / (2 * total) - total.log() / 2
    weights = (mixture.weights.log() + log_density).softmax(-1)
    means = (std**2 * mean + scale * variance * x) / total
    return weights, means, std**2 * variance / total


def reverse_step_kl(mixture: GaussianMixture, schedule: Schedule, s: Tensor, t: Tensor, *, nodes: int = 100) -> Tensor:
    """E KL(q(x_s|x_t) ‖ N) in nats, N the Gaussian of the same mean and variance and the mean over x_t; a scalar.

    Args: as of `reverse_law`; `nodes` of Gauss and Hermite's rule, over x_t and over x_s.

    Source: Xiao et al. (2022), figure 2, shows such a step of one dimension.
    """
    _one_dimensional(mixture)
    check_schedule(schedule)
    place, weight = np.polynomial.hermite_e.hermegauss(_checks.integer("nodes", nodes, most=200))
    z, share = torch.from_numpy(place), torch.from_numpy(weight / weight.sum())

    def kl(x_t: Tensor) -> Tensor:
        weights, means, variances = reverse_law(mixture, schedule, s, t, x_t[..., 0])
        mean = (weights * means).sum(-1)
        variance = (weights * (variances + means**2)).sum(-1) - mean**2
        x_s = means.unsqueeze(-1) + variances.sqrt().unsqueeze(-1) * z  # (..., K, nodes)
        off = (x_s.unsqueeze(-1) - means[..., None, None, :]) ** 2 / variances
        log_q = torch.logsumexp(weights.log()[..., None, None, :] - off / 2 - (2 * math.pi * variances).log() / 2, -1)
        entropy = -(weights * (log_q @ share)).sum(-1)
        return 0.5 * torch.log(2 * math.pi * math.e * variance) - entropy

    alpha, sigma = schedule.alpha(t).double(), schedule.sigma(t).double()
    return expectation(mixture, kl, alpha, sigma, nodes=nodes)


def _one_dimensional(mixture: GaussianMixture) -> None:
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    if mixture.dim != 1:
        raise ValueError(f"mixture must be of one dimension, got {mixture.dim}.")
