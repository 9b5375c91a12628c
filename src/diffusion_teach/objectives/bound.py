r"""The variational bound of a diffusion model, level by level and in the limit of infinitely many.

A diffusion model is a hierarchical VAE: its latents are the x_t, its encoder is fixed. With T levels its bound has the
diffusion loss of T terms, each a divergence of two Gaussians (Kingma et al. 2021, eqs. 12–14),

    L_T = ½ Σ_k (exp(λ_s − λ_t) − 1)·E‖ε − ε̂(x_t)‖²,   s = (k − 1)/T,  t = k/T,

and for T → ∞ (eqs. 17–19)

    L_∞ = ∫ D_velocity/(α·σ)·E‖ε − ε̂(x_t)‖² dt = ½ ∫ E‖ε − ε̂‖² dλ.

In the last form the schedule is gone but for its two ends. With the best ε̂ of all, L_∞ is the information about x₀ that
x_t loses between them (Guo, Shamai and Verdú 2005).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.quadrature import expectation
from diffusion_teach.objectives.weights import bare_weight
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.schedules import Schedule, check_schedule, check_time


def noise_error(mixture: GaussianMixture, schedule: Schedule, t: Tensor, *, nodes: int = 20) -> Tensor:
    """E‖ε − E[ε|x_t]‖² = (α²/σ²)·E tr Cov[x₀|x_t] at times t (n,), by `exact.quadrature`; shape (n,), float64."""
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    check_schedule(schedule)
    check_time(_checks.tensor("t", t, ("n",)))
    nodes = _checks.integer("nodes", nodes, most=200)
    alpha, sigma = schedule.alpha(t).double(), schedule.sigma(t).double()
    if not (sigma > 0).all():
        raise ValueError("there is no noise to be wrong about where sigma = 0. Use t > 0.")
    left = expectation(mixture, lambda x: mixture.posterior_variance(x, alpha, sigma), alpha, sigma, nodes=nodes)
    return (alpha / sigma).square() * left


def continuous_bound(mixture: GaussianMixture, schedule: Schedule, *, cells: int = 40, nodes: int = 20) -> Tensor:
    """L_∞ of the exact denoiser from t = 0 to 1, in nats: a scalar, float64.

    An integral over the schedule's own times, by four nodes of Gauss and Legendre in each of the cells, whose borders
    are even in λ.

    Raises:
        ValueError: for a schedule whose λ is infinite at an end, see `schedules.Cut`.
    """
    cells = _checks.integer("cells", cells)
    ends = check_schedule(schedule).log_snr(torch.tensor([0.0, 1.0], dtype=torch.float64))
    if not torch.isfinite(ends).all():
        raise ValueError(
            f"the schedule runs from λ = {float(ends[0]):g} to {float(ends[1]):g}, where the bound is infinite or has "
            "no end. Cut it, as in schedules.Cut(schedule, 10, -10)."
        )
    borders = schedule.time_of(torch.linspace(float(ends[0]), float(ends[1]), cells + 1, dtype=torch.float64))
    place, share = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(4))
    width = borders.diff()[:, None]
    t = (borders[:-1, None] + width * (place + 1) / 2).flatten()
    weight = bare_weight("bound", schedule, t) / schedule.alpha(t).square()
    return (weight * noise_error(mixture, schedule, t, nodes=nodes) * (width * share / 2).flatten()).sum()


def discrete_bound(mixture: GaussianMixture, schedule: Schedule, levels: int, *, nodes: int = 20) -> Tensor:
    """L_T of the exact denoiser with T even levels, in nats: a scalar, float64.

    Raises:
        ValueError: for a schedule whose λ is infinite at an end.
    """
    t = torch.linspace(0, 1, _checks.integer("levels", levels) + 1, dtype=torch.float64)
    log_snr = check_schedule(schedule).log_snr(t)
    if not torch.isfinite(log_snr).all():
        raise ValueError(
            "a level without noise or without data has no divergence. Cut it, as in schedules.Cut(schedule)."
        )
    return 0.5 * (torch.expm1(-log_snr.diff()) * noise_error(mixture, schedule, t[1:], nodes=nodes)).sum()


def bound_draws(denoiser: Denoiser, x0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    """D_velocity/(ασ)·‖ε − ε̂(x_t)‖² at times t (B,), the integrand of L_∞, whose mean over even times is L_∞.

    Args:
        denoiser: any.
        x0, eps: data and noise, (B, ...).
        t: (B,) where neither α nor σ is 0.

    Returns:
        (B,) nats.
    """
    check_denoiser("denoiser", denoiser)
    x_t = add_noise(denoiser.schedule, _checks.tensor("t", t, ("B",)), x0, eps)
    error = (denoiser(x_t, t).eps - eps).flatten(1).square().sum(1)
    return bare_weight("bound", denoiser.schedule, t) / denoiser.schedule.alpha(t).square() * error
