r"""Likelihoods and their bounds, in nats.

A latent-variable model says p(x) = ∫ p(x|z) p(z) dz, an integral that nobody can compute. With any q(z|x),

    log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)),   ELBO = E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)),

so the ELBO never exceeds log p(x), and reaches it where q is the true posterior. With k draws z₁ … z_k of q and their
weights w_i = p(x|z_i) p(z_i) / q(z_i|x), Burda et al. (2016) bound it more tightly:

    ELBO = L₁ ≤ L₅ ≤ … ≤ log p(x),   L_k = E[log (1/k) Σ_i w_i].

Nats of binary images, bits per dimension of dequantised ones and Parzen-window estimates are three different things.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact.densities import gaussian_kl, gaussian_log_prob

ACTIVE = 0.01
"""A latent unit is active when the variance of its posterior mean over the data exceeds this (Burda et al. 2016)."""


class LatentVariableModel(Protocol):
    """What the bounds need: a prior p(z) = N(0, I), a likelihood, and a Gaussian encoder."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), both (B, J), of data x (B, D)."""

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), shape (B,), of x (B, D) and z (B, J)."""


def reparameterise(
    mean: Tensor, log_variance: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """z = mean + exp(log_variance/2)·ε, a draw that one can differentiate; all shapes alike.

    ε ~ N(0, I) comes from the generator, unless it is given.
    """
    _checks.tensor("mean", mean, finite=False)
    _checks.same_shape("log_variance", _checks.tensor("log_variance", log_variance, finite=False), "mean", mean)
    generator = _checks.generator(generator)
    if eps is None:
        eps = torch.randn(mean.shape, dtype=mean.dtype, device=mean.device, generator=generator)
    _checks.same_shape("eps", _checks.tensor("eps", eps, finite=False), "mean", mean)
    return mean + (log_variance / 2).exp() * eps


class ELBO(NamedTuple):
    """The two parts of the bound, each (B,): its value is their difference."""

    reconstruction: Tensor
    kl: Tensor

    @property
    def value(self) -> Tensor:
        """E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)), shape (B,)."""
        return self.reconstruction - self.kl


def elbo(
    model: LatentVariableModel, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
) -> ELBO:
    """The evidence lower bound of data x (B, D) with one reparameterised draw and the exact KL divergence.

    The draw's noise eps (B, J) comes from the generator, unless it is given.

    Source: Kingma and Welling (2014), eq. 7 with L = 1.
    """
    mean, log_variance = _encoded(model, x)
    z = reparameterise(mean, log_variance, eps=eps, generator=generator)
    return ELBO(model.log_likelihood(x, z), gaussian_kl(mean, log_variance))


def _encoded(model: LatentVariableModel, x: Tensor) -> tuple[Tensor, Tensor]:
    if isinstance(model, type) or not (hasattr(model, "encode") and hasattr(model, "log_likelihood")):
        raise TypeError(f"model must have encode(x) and log_likelihood(x, z), as a VAE, got {_checks.describe(model)}.")
    return model.encode(_checks.tensor("x", x, ("B", "D")))


def log_weights(model: LatentVariableModel, x: Tensor, k: int, *, generator: torch.Generator | None = None) -> Tensor:
    """log p(x|z) + log p(z) − log q(z|x) at k draws of q for each row of x (B, D); shape (k, B)."""
    k = _checks.integer("k", k)
    mean, log_variance = _encoded(model, x)
    found = []
    for _ in range(k):
        z = reparameterise(mean, log_variance, generator=generator)
        found.append(model.log_likelihood(x, z) + gaussian_log_prob(z) - gaussian_log_prob(z, mean, log_variance))
    return torch.stack(found)


def iwae_bound(log_w: Tensor, k: int | None = None) -> Tensor:
    """L_k = log (1/k) Σ_i w_i from log-weights (n, B), the mean over the n/k groups of k draws; shape (B,).

    Args:
        log_w: (n, B), as `log_weights` gives.
        k: draws in a group, a divisor of n; all n by default. k = 1 estimates the ELBO.

    Source: Burda et al. (2016), eq. 8.
    """
    _checks.tensor("log_w", log_w, ("n", "B"), finite=False)
    k = len(log_w) if k is None else _checks.integer("k", k)
    if len(log_w) % k:
        raise ValueError(f"k must divide the {len(log_w)} draws of log_w, got {k}.")
    return (log_w.unflatten(0, (-1, k)).logsumexp(1) - math.log(k)).mean(0)


def active_units(means: Tensor, *, threshold: float = ACTIVE) -> int:
    """How many latent units listen to the data: Var_x(E[z_j|x]) > threshold; posterior means (N, J), N ≥ 2.

    Source: Burda et al. (2016), section 5.
    """
    _checks.tensor("means", means, ("N", "J"))
    if len(means) < 2:
        raise ValueError(f"means must hold at least 2 rows to vary, got {_checks.describe(means)}.")
    threshold = _checks.number("threshold", threshold, least=0)
    return int((means.var(0) > threshold).sum())
