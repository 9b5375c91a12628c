"""Bounds hold against exact likelihoods, and the parts are what their formulas say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.exact import densities
from diffusion_teach.exact.probabilistic_pca import ProbabilisticPCA
from diffusion_teach.objectives import variational


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Linear:
    """Probabilistic PCA with an encoder: the true posterior where W has orthogonal columns, moved and widened."""

    def __init__(self, shift: float = 0.0, widen: float = 1.0) -> None:
        weights = torch.tensor([[1.0, 0.0], [0.0, 0.5], [1.0, 0.0]], dtype=torch.float64)
        self.exact = ProbabilisticPCA(weights, torch.tensor([0.1, 0.2, -0.3], dtype=torch.float64), 0.3)
        self.shift, self.widen = shift, widen

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = self.exact.posterior_mean(x) + self.shift
        variance = self.exact.posterior_covariance.diagonal() * self.widen
        return mean, variance.log().expand_as(mean)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        return self.exact.log_joint(x, z) - densities.gaussian_log_prob(z)


def test_at_the_true_posterior_every_weight_is_the_likelihood() -> None:
    model = Linear()
    x = model.exact.sample(6, generator=_generator())
    log_w = variational.log_weights(model, x, 4, generator=_generator(1))
    torch.testing.assert_close(log_w, model.exact.log_prob(x).expand(4, -1))
    for k in (1, 2, 4):
        torch.testing.assert_close(variational.iwae_bound(log_w, k), model.exact.log_prob(x))


def test_bounds_rise_with_k_and_stay_below_the_likelihood() -> None:
    model = Linear(shift=0.5, widen=0.6)
    x = model.exact.sample(400, generator=_generator())
    log_w = variational.log_weights(model, x, 256, generator=_generator(1))
    truth = model.exact.log_prob(x).mean()
    bounds = [variational.iwae_bound(log_w, k).mean() for k in (1, 4, 16, 64, 256)]
    assert all(low < high for low, high in zip(bounds, [*bounds[1:], truth], strict=True))
    exact_elbo = model.exact.elbo(x, model.encode(x)[0], torch.diag(model.encode(x)[1][0].exp())).mean()
    error = log_w.std() / math.sqrt(log_w.numel())
    assert abs(bounds[0] - exact_elbo) < 5 * error
    # Weights average to the likelihood: the estimate of p(x), unlike that of log p(x), has no bias.
    ratio = (log_w - model.exact.log_prob(x)).exp()
    assert abs(ratio.mean() - 1) < 5 * ratio.mean(0).std() / math.sqrt(len(x))


def test_the_elbos_parts() -> None:
    model = Linear(shift=0.2)
    x = model.exact.sample(50, generator=_generator())
    parts = variational.elbo(model, x, generator=_generator(3))
    mean, log_variance = model.encode(x)
    torch.testing.assert_close(parts.value, parts.reconstruction - parts.kl)
    torch.testing.assert_close(parts.kl, densities.gaussian_kl(mean, log_variance))
    p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(mean, (log_variance / 2).exp())
    torch.testing.assert_close(parts.kl, torch.distributions.kl_divergence(q, p).sum(1))
    z = variational.reparameterise(mean, log_variance, generator=_generator(3))
    torch.testing.assert_close(parts.reconstruction, model.log_likelihood(x, z))


def test_groups_of_draws() -> None:
    log_w = torch.tensor([[0.0], [math.log(3.0)], [1.0], [1.0]], dtype=torch.float64)
    torch.testing.assert_close(variational.iwae_bound(log_w, 2), torch.tensor([(math.log(2) + 1) / 2]).double())
    torch.testing.assert_close(variational.iwae_bound(log_w, 1), log_w.mean(0))
    assert torch.isfinite(variational.iwae_bound(log_w - 5000)).all()
    with pytest.raises(ValueError, match="k must divide the 4 draws of log_w, got 3"):
        variational.iwae_bound(log_w, 3)


def test_active_units_are_those_whose_mean_moves() -> None:
    means = torch.randn(2000, 3, generator=_generator()) * torch.tensor([1.0, 0.05, 0.2]) + 7
    assert variational.active_units(means) == 2
    assert variational.active_units(means, threshold=0.1) == 1
    with pytest.raises(ValueError, match="at least 2 rows"):
        variational.active_units(means[:1])


def test_wrong_arguments_fail_at_the_door() -> None:
    with pytest.raises(ValueError, match="log_variance and mean must have the same shape"):
        variational.reparameterise(torch.zeros(2, 3), torch.zeros(3))
