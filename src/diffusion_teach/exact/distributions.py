r"""Distributions whose score is known in closed form: the oracle of every chapter and every test.

If x₀ follows a mixture Σₖ wₖ N(μₖ, Σₖ), then x_t = α·x₀ + σ·ε follows Σₖ wₖ N(αμₖ, α²Σₖ + σ²I): noising a mixture
gives a mixture. So its density, its score ∇ log q_t and the best denoiser E[x₀|x_t] can be written down at every noise
level, and a learned model can be held against them. `Empirical` is the same for a finite set of points, which is what
a training set is.

Everywhere, `alpha` and `sigma` are numbers or tensors with the leading dimensions of `x`; the defaults α = 1, σ = 0
mean clean data.
"""

from __future__ import annotations

import functools
import math
from typing import Protocol

import torch
from torch import Tensor

from diffusion_teach import _checks, devices


class Distribution(Protocol):
    """What an exact denoiser needs of a distribution of x₀."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""

    def score(self, x: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
        """∇ₓ log q(x) of α·x₀ + σ·ε."""

    def posterior_mean(self, x_t: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
        """E[x₀ | x_t]."""


def _level(name: str, value: Tensor | float, x: Tensor) -> Tensor:
    """A noise level as a tensor that broadcasts over the last dimension of x (..., d)."""
    if not isinstance(value, Tensor):
        value = torch.tensor(_checks.number(name, value), dtype=x.dtype)
    level = _checks.tensor(name, value, finite=False).to(x)
    # The last dimension of x holds coordinates, which share one level: a level for each would not be this noise.
    if level.ndim >= max(x.ndim, 1) or level.shape != x.shape[: level.ndim]:
        raise ValueError(
            f"{name} must be a number or have the leading shape of x without its coordinates, got "
            f"{tuple(level.shape)} for x of shape {tuple(x.shape)}."
        )
    if not ((level >= 0) & torch.isfinite(level)).all():
        raise ValueError(
            f"{name} must be finite and not negative, got values from {float(level.min()):g} to {float(level.max()):g}."
        )
    return level.reshape(level.shape + (1,) * (x.ndim - level.ndim))


def _wide_level(name: str, value: Tensor | float) -> Tensor:
    """A noise level, or several, not negative, in float64."""
    if not isinstance(value, Tensor):
        value = torch.tensor(_checks.number(name, value), dtype=torch.float64)
    if not (_checks.tensor(name, value) >= 0).all():
        raise ValueError(f"{name} must not be negative, got {float(value.min()):g}.")
    return value.double()


class GaussianMixture:
    r"""Σₖ wₖ N(μₖ, Σₖ) in d dimensions.

    Args:
        weights: (K,) positive; normalised to sum to one.
        means: (K, d).
        covariances: (K, d, d) symmetric positive semi-definite, or (K,) variances of isotropic components.

    Raises:
        ValueError: for shapes that do not fit, weights that are not positive, or covariances that are not covariances.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        _checks.tensor("means", means, ("components", "dimensions"))
        k, d = means.shape
        _checks.tensor("weights", weights, (k,))
        if not (weights > 0).all():
            raise ValueError(f"weights must be positive, got {float(weights.min()):g} as the least of them.")
        if _checks.tensor("covariances", covariances).ndim == 1:
            _checks.tensor("covariances", covariances, (k,))
            covariances = covariances[:, None, None] * torch.eye(d, dtype=covariances.dtype)
        _checks.tensor("covariances", covariances, (k, d, d))
        if not torch.allclose(covariances, covariances.mT):
            raise ValueError("covariances must be symmetric. Use (c + c.mT) / 2.")
        self.weights = weights.double() / weights.double().sum()
        self.means = means.double()
        self.covariances = covariances.double()
        # Σₖ = Uₖ diag(λₖ) Uₖᵀ: in this basis α²Σₖ + σ²I stays diagonal at every noise level.
        self._spread, self._basis = torch.linalg.eigh(self.covariances)
        if (self._spread < -1e-9 * self._spread.abs().max()).any():
            raise ValueError(f"covariances must be positive semi-definite, got eigenvalue {self._spread.min():g}.")
        self._spread = self._spread.clamp(min=0)

    @property
    def dim(self) -> int:
        """The number of dimensions d."""
        return self.means.shape[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample, (d,)."""
        return (self.dim,)

    @property
    def mean(self) -> Tensor:
        """E[x₀], shape (d,)."""
        return self.weights @ self.means

    @property
    def covariance(self) -> Tensor:
        """Cov[x₀], shape (d, d): the spread within the components plus the spread of their means."""
        offset = self.means - self.mean
        return torch.einsum("k,kij->ij", self.weights, self.covariances + offset[:, :, None] * offset[:, None, :])

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """The distribution of α·x₀ + σ·ε, again a mixture."""
        alpha, sigma = _checks.number("alpha", alpha, least=0), _checks.number("sigma", sigma, least=0)
        blur = sigma**2 * torch.eye(self.dim, dtype=torch.float64)
        return GaussianMixture(self.weights, alpha * self.means, alpha**2 * self.covariances + blur)

    def _components(
        self, x: Tensor, alpha: Tensor | float, sigma: Tensor | float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Joint log-densities (..., K), and per component the rotated residual, variance and α (..., K, d)."""
        _checks.tensor("x", x, ("...", self.dim))
        a = _level("alpha", alpha, x).unsqueeze(-1)
        s = _level("sigma", sigma, x).unsqueeze(-1)
        residual = torch.einsum("...ki,kij->...kj", x.unsqueeze(-2) - a * self.means.to(x), self._basis.to(x))
        variance = a**2 * self._spread.to(x) + s**2
        if not (variance > 0).all():
            raise ValueError(
                "a component has no spread at sigma = 0, so it has no density there. Use sigma > 0, or give the "
                "components a covariance."
            )
        log_normal = -0.5 * (residual**2 / variance + torch.log(2 * math.pi * variance)).sum(-1)
        return log_normal + self.weights.log().to(x), residual, variance, a

    def log_prob(self, x: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
        """log q(x) of α·x₀ + σ·ε in nats; x (..., d) gives (...)."""
        return self._components(x, alpha, sigma)[0].logsumexp(-1)

    def score(self, x: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
        """∇ₓ log q(x) of α·x₀ + σ·ε; x (..., d) gives (..., d)."""
        log_joint, residual, variance, _ = self._components(x, alpha, sigma)
        pull = -torch.einsum("...kj,kij->...ki", residual / variance, self._basis.to(x))
        return (log_joint.softmax(-1).unsqueeze(-1) * pull).sum(-2)

    def posterior_mean(self, x_t: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
        """E[x₀ | x_t]; x_t (..., d) gives (..., d). Defined at α = 0 too, where it is E[x₀]."""
        log_joint, residual, variance, a = self._components(x_t, alpha, sigma)
        gain = a * self._spread.to(x_t) / variance
        centre = self.means.to(x_t) + torch.einsum("...kj,kij->...ki", gain * residual, self._basis.to(x_t))
        return (log_joint.softmax(-1).unsqueeze(-1) * centre).sum(-2)

    def at_deviations(self, z: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
        """Where deviations z (n, d) of N(0, I) lie in each component of α·x₀ + σ·ε: (..., K, n, d) for levels (...)."""
        _checks.tensor("z", z, ("n", self.dim))
        a, s = (_wide_level(name, value) for name, value in (("alpha", alpha), ("sigma", sigma)))
        if a.ndim and s.ndim:
            _checks.same_shape("sigma", s, "alpha", a)
        a, s = a[..., None, None], s[..., None, None]
        root = self._basis * (a**2 * self._spread + s**2).sqrt().unsqueeze(-2)
        return (a * self.means).unsqueeze(-2) + torch.einsum("...kij,nj->...kni", root, z.double())

    def posterior_variance(self, x_t: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
        """tr Cov[x₀ | x_t], the squared error that the best denoiser still makes; x_t (..., d) gives (...)."""
        _checks.tensor("x_t", x_t, ("...", self.dim))
        log_joint, residual, variance, a = self._components(x_t, alpha, sigma)
        weight = log_joint.softmax(-1)
        spread = self._spread.to(x_t)
        within = (spread * (1 - a**2 * spread / variance)).sum(-1)
        centre = self.means.to(x_t) + torch.einsum(
            "...kj,kij->...ki", a * spread / variance * residual, self._basis.to(x_t)
        )
        between = (centre - (weight.unsqueeze(-1) * centre).sum(-2, keepdim=True)).square().sum(-1)
        return (weight * (within + between)).sum(-1)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n independent draws of x₀, shape (n, d), in torch's default dtype."""
        n = _checks.integer("n", n)
        _checks.generator(generator)
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self.dim, dtype=torch.float64, generator=generator)
        spread = torch.einsum("nij,nj->ni", self._basis[component], self._spread[component].sqrt() * z)
        return (self.means[component] + spread).to(torch.get_default_dtype())


class Empirical:
    """A finite set of points, each equally likely: what a training set is as a distribution.

    Its exact denoiser is a soft nearest neighbour, E[x₀|x_t] = Σᵢ softmaxᵢ(−‖x_t − α·xᵢ‖²/2σ²)·xᵢ, so sampling with
    it can only return training points.

    Args:
        points: (N, ...) of any shape per point.
    """

    def __init__(self, points: Tensor) -> None:
        _checks.tensor("points", points)
        if points.ndim < 2:
            raise ValueError(f"points must have shape (N, ...), at least two dimensions; got {tuple(points.shape)}.")
        self.points = points

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample, that of a point."""
        return tuple(self.points.shape[1:])

    @functools.cached_property
    def _centred(self) -> tuple[Tensor, Tensor, Tensor]:
        """The mean of the points, the flat points around it, and their squared lengths, in the widest precision."""
        points = self.points.flatten(1).to(devices.widest(self.points.device))
        mean = points.mean(0)
        return mean, points - mean, (points - mean).square().sum(1)

    def _weights(self, x: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> tuple[Tensor, Tensor]:
        """Flat (B, N) logits −‖x − α·xᵢ‖²/2σ² and the level σ, (B, 1), in the widest precision.

        ‖u‖² − 2u·v + ‖v‖² loses as many digits as u and v are longer than u − v: hence the precision, and the centring.
        """
        _checks.tensor("x", x, ("batch", *self.points.shape[1:]))
        mean, points, lengths = (value.to(x.device) for value in self._centred)
        flat = x.flatten(1).to(points.dtype)
        a, s = _level("alpha", alpha, flat), _level("sigma", sigma, flat)
        if not (s > 0).all():
            raise ValueError("sigma must be above 0: a set of points has no density of its own.")
        flat = flat - a * mean
        distance = flat.square().sum(1, keepdim=True) - 2 * a * (flat @ points.T) + a**2 * lengths
        return -0.5 * distance.clamp(min=0) / s**2, s

    def log_prob(self, x: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
        """log q(x) of α·x₀ + σ·ε in nats; x (B, ...) gives (B,)."""
        logits, s = self._weights(x, alpha, sigma)
        count, dimensions = self.points.flatten(1).shape
        normaliser = math.log(count) + dimensions * (0.5 * math.log(2 * math.pi) + s.expand(len(x), 1)[:, 0].log())
        return (logits.logsumexp(1) - normaliser).to(x.dtype)

    def posterior_mean(self, x_t: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
        """E[x₀ | x_t]; x_t (B, ...) gives (B, ...)."""
        logits, _ = self._weights(x_t, alpha, sigma)
        return (logits.softmax(1).to(x_t) @ self.points.to(x_t).flatten(1)).reshape(x_t.shape)

    def score(self, x: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
        """∇ₓ log q(x) of α·x₀ + σ·ε by Tweedie's formula, (α·E[x₀|x] − x)/σ²; x (B, ...) gives (B, ...)."""
        mean = self.posterior_mean(x, alpha, sigma)
        return (_level("alpha", alpha, x) * mean - x) / _level("sigma", sigma, x) ** 2

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n draws with replacement, shape (n, ...)."""
        n = _checks.integer("n", n)
        _checks.generator(generator)
        return self.points[torch.randint(len(self.points), (n,), generator=generator)]
