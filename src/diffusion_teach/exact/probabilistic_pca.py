r"""Probabilistic PCA: the latent-variable model whose posterior and likelihood are known in closed form.

    p(z) = N(0, I_J),   p(x|z) = N(Wz + b, σ²I_D)

Everything else is Gaussian too: p(x) = N(b, WWᵀ + σ²I), and the posterior p(z|x) = N(M⁻¹Wᵀ(x − b), σ²M⁻¹) with
M = WᵀW + σ²I. It is to the variational autoencoder what `exact` is to diffusion: the answer to hold a bound against.

Source: Tipping and Bishop (1999), "Probabilistic principal component analysis", section 3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from diffusion_teach import _checks
from diffusion_teach.exact.densities import gaussian_kl_full, gaussian_log_prob


class ProbabilisticPCA:
    """The linear-Gaussian model, in float64.

    Args:
        weights: W, (D, J).
        offset: b, (D,).
        noise: σ², the variance of each coordinate of x given z, above 0.
    """

    def __init__(self, weights: Tensor, offset: Tensor, noise: float) -> None:
        _checks.tensor("weights", weights, ("D", "J"))
        _checks.tensor("offset", offset, (len(weights),))
        self.weights, self.offset = weights.double(), offset.double()
        self.noise = _checks.number("noise", noise, above=0)
        d, j = weights.shape
        self.covariance = self.weights @ self.weights.T + self.noise * torch.eye(d, dtype=torch.float64)
        precision = self.weights.T @ self.weights / self.noise + torch.eye(j, dtype=torch.float64)
        self.posterior_covariance = precision.inverse()

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, exact; x (B, D) gives (B,)."""
        _checks.tensor("x", x, ("B", len(self.offset)))
        return MultivariateNormal(self.offset, self.covariance).log_prob(x.double())

    def posterior_mean(self, x: Tensor) -> Tensor:
        """E[z|x], (B, J) of x (B, D); the covariance is `posterior_covariance` (J, J), the same for every x."""
        residual = _checks.tensor("x", x, ("B", len(self.offset))).double() - self.offset
        return residual @ self.weights @ self.posterior_covariance / self.noise

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) + log p(z); x (..., D) and z (..., J) give (...)."""
        d, j = self.weights.shape
        _checks.tensor("x", x, ("...", d))
        mean = self.offset + _checks.tensor("z", z, ("...", j)).double() @ self.weights.T
        return gaussian_log_prob(x.double(), mean, math.log(self.noise)) + gaussian_log_prob(z.double())

    def elbo(self, x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        """The bound for q(z|x) = N(mean, covariance), without sampling.

        E_q[log p(x|z)] − KL(q ‖ p(z)), both of them integrals of squares:

            −½(D log 2πσ² + (‖x − b − Wm‖² + tr WSWᵀ)/σ²) − ½(‖m‖² + tr S − J − log det S)

        Args:
            x: (B, D).
            mean: m, (B, J).
            covariance: S, (J, J) or (B, J, J).

        Returns:
            (B,).
        """
        _checks.tensor("x", x, ("B", len(self.offset)))
        _checks.tensor("mean", mean, (len(x), self.weights.shape[1]))
        _checks.tensor("covariance", covariance, ("...", self.weights.shape[1], self.weights.shape[1]))
        m, s = mean.double(), covariance.double()
        miss = (x.double() - self.offset - m @ self.weights.T).square().sum(-1)
        spread = (self.weights.T @ self.weights * s).sum((-2, -1))
        d = len(self.offset)
        reconstruction = -0.5 * (d * math.log(2 * math.pi * self.noise) + (miss + spread) / self.noise)
        return reconstruction - gaussian_kl_full(m, s, torch.zeros_like(m), torch.eye(m.shape[-1], dtype=m.dtype))

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n data (n, D), float64."""
        d, j = self.weights.shape
        eps = torch.randn(_checks.integer("n", n), d + j, dtype=torch.float64, generator=_checks.generator(generator))
        return self.offset + eps[:, :j] @ self.weights.T + math.sqrt(self.noise) * eps[:, j:]


def collapse(variances: Tensor, noise: float, beta: float = 1.0) -> Tensor:
    """The squared length w² of each latent's weight at the best β-ELBO of a linear decoder with fixed noise σ².

        w² = max(0, λ − βσ²)

    A latent along a principal direction of the data, variance λ, is used only where λ exceeds βσ²; all others collapse
    to the prior. For the best q the β-ELBO is β times a log-likelihood with noise βσ², up to a constant, which λ =
    w² + βσ² maximises: β > 1 trains as if the data were noisier than the decoder says.

    Args:
        variances: λ, (D,) eigenvalues of the data's covariance.
        noise: σ² of the decoder.
        beta: weight of the KL divergence.

    Source: Tipping and Bishop (1999), section 3.2, for β = 1; Lucas et al. (2019), "Don't blame the ELBO!".
    """
    _checks.tensor("variances", variances, ("D",))
    return (variances - _checks.number("beta", beta, above=0) * _checks.number("noise", noise, above=0)).clamp_min(0)
