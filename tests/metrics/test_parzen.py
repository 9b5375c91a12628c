"""The Parzen window against scipy, in one dimension against calculus; k-means against what it must minimise."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from diffusion_teach.metrics import neighbours, parzen

G = torch.Generator().manual_seed(0)


def test_it_is_the_log_density_of_a_mixture_of_gaussians() -> None:
    samples = torch.randn(30, 3, dtype=torch.float64, generator=G)
    test = torch.randn(20, 3, dtype=torch.float64, generator=G)
    terms = np.stack([multivariate_normal(c.numpy(), 0.4**2).logpdf(test.numpy()) for c in samples])
    expected = logsumexp(terms, axis=0) - math.log(30)
    torch.testing.assert_close(parzen.log_likelihood(samples, test, 0.4), torch.from_numpy(expected))
    with mock.patch.object(neighbours, "ROWS", 7):
        torch.testing.assert_close(parzen.log_likelihood(samples, test, 0.4), torch.from_numpy(expected))


def test_its_density_integrates_to_one() -> None:
    line = torch.linspace(-20, 20, 4001, dtype=torch.float64)[:, None]
    samples = torch.tensor([[-1.0], [0.5], [3.0]], dtype=torch.float64)
    density = parzen.log_likelihood(samples, line, 0.7).exp()
    assert float(torch.trapezoid(density, line[:, 0])) == pytest.approx(1)


def test_one_sample_and_its_own_width() -> None:
    # One sample at 0 and test points of variance v: the mean of −x²/2σ² − log σ is largest at σ² = v.
    validation = torch.full((10, 5), 0.3, dtype=torch.float64)
    found = parzen.estimate(torch.zeros(1, 5, dtype=torch.float64), validation, validation, (0.1, 0.2, 0.3, 0.4, 0.5))
    assert found.sigma == 0.3
    assert found.nats == pytest.approx(-5 * (0.5 + math.log(0.3) + 0.5 * math.log(2 * math.pi)))


def test_more_samples_of_the_same_distribution_score_higher() -> None:
    x = torch.randn(4000, 20, generator=G)
    widths = [0.3 + 0.1 * i for i in range(15)]
    few, many = (parzen.estimate(x[:n], x[3000:3500], x[3500:], widths).nats for n in (30, 3000))
    assert many > few + 1


def test_centroids_beat_draws_of_the_same_number() -> None:
    x = torch.randn(6000, 30, generator=G)
    widths = [0.3 + 0.1 * i for i in range(15)]
    centroids = parzen.k_means(x[:5000], 20, generator=torch.Generator().manual_seed(1))
    own, theirs = (parzen.estimate(c, x[5000:5500], x[5500:], widths).nats for c in (x[:20], centroids))
    assert theirs > own + 1


def test_k_means_never_raises_the_squared_distance_and_ends_at_the_means() -> None:
    x = torch.randn(500, 2, dtype=torch.float64, generator=G)
    distances = []
    for iterations in (1, 2, 5, 60):
        c = parzen.k_means(x, 6, iterations=iterations, generator=torch.Generator().manual_seed(2))
        squared = torch.cdist(x, c).square()
        distances.append(float(squared.min(1).values.sum()))
        which = squared.argmin(1)
    assert distances == sorted(distances, reverse=True)
    torch.testing.assert_close(c, torch.stack([x[which == j].mean(0) for j in range(6)]))


def test_as_many_centroids_as_points_are_the_points() -> None:
    x = torch.tensor([[0.0], [1.0], [5.0]])
    found = parzen.k_means(x, 3, generator=G)
    assert sorted(found[:, 0].tolist()) == [0, 1, 5]


def test_images_are_points_too() -> None:
    images = torch.rand(12, 1, 4, 4, generator=G)
    torch.testing.assert_close(
        parzen.log_likelihood(images, images, 0.2), parzen.log_likelihood(images.flatten(1), images.flatten(1), 0.2)
    )


def test_wrong_arguments_are_named() -> None:
    x = torch.zeros(4, 2)
    with pytest.raises(ValueError, match="sigma must be above 0"):
        parzen.log_likelihood(x, x, 0.0)
    with pytest.raises(ValueError, match="of the same kind"):
        parzen.log_likelihood(x, torch.zeros(4, 3), 1.0)
    with pytest.raises(ValueError, match="at least 3 widths"):
        parzen.estimate(x, x, x, (0.1, 0.2))
    with pytest.raises(ValueError, match=r"outermost, 0\.1"):
        parzen.estimate(x, x, x, (0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="k must be between 1 and 4"):
        parzen.k_means(x, 5)


def test_points_far_from_the_origin_are_as_likely_as_near_it() -> None:
    points = (torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) * 64).round() / 64
    near, far = (parzen.log_likelihood(points + shift, points[:7] + shift, 0.01) for shift in (0.0, 1000.0))
    torch.testing.assert_close(near, far, rtol=1e-6, atol=0)
