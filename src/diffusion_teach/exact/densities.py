"""Log-densities and divergences in closed form, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence
from torch.nn.functional import softplus

from diffusion_teach import _checks, devices


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)) = ½ Σ_j (mean² + variance − 1 − log variance); (..., J) gives (...)."""
    _checks.tensor("mean", mean, ("...", "J"), finite=False)
    _checks.same_shape("log_variance", _checks.tensor("log_variance", log_variance, finite=False), "mean", mean)
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)


def gaussian_kl_full(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> Tensor:
    """KL(N(mean_a, cov_a) ‖ N(mean_b, cov_b)) in nats; means (B, J), covariances (J, J) or (B, J, J), gives (B,).

    Raises:
        ValueError: for shapes that do not fit, and covariances that are not symmetric and positive definite.
    """
    count, j = _checks.tensor("mean_a", mean_a, ("B", "J")).shape
    _checks.same_shape("mean_b", _checks.tensor("mean_b", mean_b), "mean_a", mean_a)
    for name, covariance in (("cov_a", cov_a), ("cov_b", cov_b)):
        _checks.tensor(name, covariance, ("...", j, j))
        if covariance.shape not in ((j, j), (count, j, j)):
            shape = tuple(covariance.shape)
            raise ValueError(f"{name} must have shape ({j}, {j}) or ({count}, {j}, {j}), got {shape}.")
        square = covariance.to(devices.widest(covariance.device))
        if not torch.allclose(square, square.mT) or torch.linalg.cholesky_ex(square).info.any():
            raise ValueError(f"{name} must be symmetric and positive definite, as a covariance is.")
    wide = devices.widest(mean_a.device)
    a, b = MultivariateNormal(mean_a.to(wide), cov_a.to(wide)), MultivariateNormal(mean_b.to(wide), cov_b.to(wide))
    return kl_divergence(a, b).to(mean_a.dtype)


def gaussian_log_prob(x: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0) -> Tensor:
    """log N(x; mean, variance), coordinates independent and summed over the last dimension: (..., J) gives (...)."""
    _checks.tensor("x", x, ("...", "J"), finite=False)
    mean, log_variance = (_checks.numbers_like(*given, x) for given in (("mean", mean), ("log_variance", log_variance)))
    return -0.5 * ((x - mean) ** 2 / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """Σ_i x_i log y_i + (1 − x_i) log(1 − y_i) with y = sigmoid(logits), for x in {0, 1}: (..., D) gives (...).

    Raises:
        ValueError: for x outside [0, 1], such as images in [−1, 1], for which this is no likelihood.
    """
    _checks.tensor("x", x, ("...", "D"))
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError(
            f"x must lie in [0, 1], 1 being ink, got values from {float(x.min()):g} to {float(x.max()):g}. Make binary "
            "images with datasets.mnist.binarise."
        )
    _checks.tensor("logits", logits, ("...", x.shape[-1]), finite=False)
    return (x * logits - softplus(logits)).sum(-1)
