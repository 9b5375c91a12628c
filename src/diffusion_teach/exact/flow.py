r"""The probability flow of a Gaussian, exactly: where each point is carried from one time to another.

If x₀ ~ N(μ, Σ), then x_t ~ N(α_t·μ, C_t) with C_t = α_t²·Σ + σ_t²·I. All C_t share their eigenvectors, and along each
of them the flow only stretches,

    x_s = α_s·μ + C_s^(1/2)·C_t^(−1/2)·(x_t − α_t·μ),

so that a point stays as many standard deviations from the mean as it was.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact.distributions import GaussianMixture
from diffusion_teach.schedules import Schedule, check_schedule, check_time


def gaussian_flow(gaussian: GaussianMixture, schedule: Schedule, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
    """x_s of the points x_t (..., d) by the exact flow of a single Gaussian; s before t or after it.

    Raises:
        ValueError: for a mixture of several Gaussians, whose flow has no closed form, and where C_t is singular.
    """
    _checks.instance("gaussian", gaussian, GaussianMixture, "a GaussianMixture of one component")
    if len(gaussian.weights) != 1:
        raise ValueError(
            f"gaussian must have one component, got {len(gaussian.weights)}: a mixture's flow has no formula."
        )
    check_schedule(schedule)
    _checks.tensor("x_t", x_t, ("...", gaussian.dim))
    if check_time(t).ndim or check_time(s, "s").ndim:
        raise ValueError(f"t and s must be one time each, got {t.tolist()} and {s.tolist()}.")
    spread, basis = torch.linalg.eigh(gaussian.covariances[0])
    spread, basis, mean = spread.clamp(min=0).to(x_t), basis.to(x_t), gaussian.means[0].to(x_t)
    (alpha, sigma), (alpha_s, sigma_s) = ((schedule.alpha(u).to(x_t), schedule.sigma(u).to(x_t)) for u in (t, s))
    before = alpha**2 * spread + sigma**2
    if not (before > 0).all():
        raise ValueError("the Gaussian has no spread in some direction at t, so it has no flow from there. Use t > 0.")
    stretch = torch.sqrt((alpha_s**2 * spread + sigma_s**2) / before)
    return alpha_s * mean + ((x_t - alpha * mean) @ basis * stretch) @ basis.mT
