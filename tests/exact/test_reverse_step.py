"""The true step back: against a grid, against Bayes, and in the limits in which it is a Gaussian."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.reverse_step import reverse_law, reverse_step_kl
from diffusion_teach.schedules import VP, transitions

PATH = VP()


def two(std: float = 0.1) -> GaussianMixture:
    means = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    return GaussianMixture(torch.ones(2, dtype=torch.float64), means, torch.full((2,), std**2, dtype=torch.float64))


def time(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_the_law_is_bayes_rule() -> None:
    s, t, x_t = time(0.25), time(0.5), 0.3
    x = torch.linspace(-6, 6, 4001, dtype=torch.float64)
    scale, std = transitions.forward(PATH, s, t)
    log_joint = two().log_prob(x[:, None], PATH.alpha(s), PATH.sigma(s)) - (x_t - scale * x) ** 2 / (2 * std**2)
    density = log_joint.exp() / torch.trapezoid(log_joint.exp(), x)
    weights, means, variances = reverse_law(two(), PATH, s, t, time(x_t))
    found = (
        weights * torch.exp(-((x[:, None] - means) ** 2) / (2 * variances)) / (2 * math.pi * variances).sqrt()
    ).sum(1)
    torch.testing.assert_close(found, density, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("s", "t"), [(0.0, 0.25), (0.25, 0.5)])
def test_the_divergence_is_that_of_a_grid(s: float, t: float) -> None:
    outer = torch.linspace(-5, 5, 801, dtype=torch.float64)
    x = torch.linspace(-5, 5, 2001, dtype=torch.float64)
    weights, means, variances = reverse_law(two(), PATH, time(s), time(t), outer)
    parts = torch.exp(-((x[:, None, None] - means) ** 2) / (2 * variances)) / (2 * math.pi * variances).sqrt()
    q = (weights * parts).sum(-1)
    mean = torch.trapezoid(q * x[:, None], x, dim=0)
    variance = torch.trapezoid(q * (x[:, None] - mean) ** 2, x, dim=0)
    log_n = -((x[:, None] - mean) ** 2) / (2 * variance) - (2 * math.pi * variance).log() / 2
    kl = torch.trapezoid(torch.special.xlogy(q, q) - q * log_n, x, dim=0)
    density = two().log_prob(outer[:, None], PATH.alpha(time(t)), PATH.sigma(time(t))).exp()
    expected = torch.trapezoid(kl * density, outer)
    assert float(reverse_step_kl(two(), PATH, time(s), time(t))) == pytest.approx(float(expected), rel=2e-3)


def test_of_one_gaussian_and_of_a_short_step_the_step_back_is_a_gaussian() -> None:
    one = GaussianMixture(torch.ones(1), torch.zeros(1, 1), torch.ones(1))
    assert abs(float(reverse_step_kl(one, PATH, time(0.0), time(0.5)))) < 1e-10
    long, short = (float(reverse_step_kl(two(), PATH, time(0.4 - h), time(0.4))) for h in (0.2, 0.02))
    assert 0 < short < long / 50


def test_wrong_arguments_are_named() -> None:
    flat = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1))
    with pytest.raises(ValueError, match="mixture must be of one dimension, got 2"):
        reverse_step_kl(flat, PATH, time(0.0), time(0.5))
    with pytest.raises(ValueError, match="s must lie before t"):
        reverse_step_kl(two(), PATH, time(0.5), time(0.5))
