"""The oracle held against integration, autograd, sampling and the limits that it must have."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.exact import Empirical, GaussianMixture

LEVELS = st.tuples(st.floats(0.0, 1.0), st.floats(0.05, 3.0))


def _mixture(seed: int = 0, k: int = 3, d: int = 2) -> GaussianMixture:
    g = torch.Generator().manual_seed(seed)
    root = 0.7 * torch.randn(k, d, d, dtype=torch.float64, generator=g)
    weights = torch.rand(k, dtype=torch.float64, generator=g) + 0.2
    return GaussianMixture(weights, 2 * torch.randn(k, d, dtype=torch.float64, generator=g), root @ root.mT)


def _points(n: int, d: int, seed: int = 0) -> Tensor:
    return 2 * torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@given(LEVELS, st.integers(0, 100))
def test_log_prob_is_torchs_mixture_of_the_noised_components(level: tuple[float, float], seed: int) -> None:
    (alpha, sigma), mixture, x = level, _mixture(seed), _points(7, 2)
    blur = sigma**2 * torch.eye(2, dtype=torch.float64)
    components = torch.distributions.MultivariateNormal(alpha * mixture.means, alpha**2 * mixture.covariances + blur)
    other = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(mixture.weights), components)
    torch.testing.assert_close(mixture.log_prob(x, alpha, sigma), other.log_prob(x))
    torch.testing.assert_close(mixture.noised(alpha, sigma).log_prob(x), other.log_prob(x))


@given(LEVELS, st.integers(0, 100))
def test_score_is_the_gradient_of_log_prob(level: tuple[float, float], seed: int) -> None:
    x = _points(6, 3).requires_grad_()
    for distribution in (_mixture(seed, d=3), Empirical(_points(5, 3, seed))):
        (slope,) = torch.autograd.grad(distribution.log_prob(x, *level).sum(), x)
        torch.testing.assert_close(distribution.score(x.detach(), *level), slope, rtol=1e-8, atol=1e-8)


@given(LEVELS, st.integers(0, 100))
def test_posterior_mean_is_tweedies(level: tuple[float, float], seed: int) -> None:
    (alpha, sigma), x = level, _points(6, 2)
    for distribution in (_mixture(seed), Empirical(_points(5, 2, seed))):
        tweedie = x + sigma**2 * distribution.score(x, alpha, sigma)
        torch.testing.assert_close(alpha * distribution.posterior_mean(x, alpha, sigma), tweedie, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.3), (0.6, 0.8), (0.05, 1.0), (1.0, 5.0), (0.0, 1.0)])
def test_posterior_mean_is_bayes_rule_integrated(alpha: float, sigma: float) -> None:
    mixture = GaussianMixture(
        *(torch.tensor(value, dtype=torch.float64) for value in ([0.3, 0.7], [[-1.0], [2.0]], [0.2, 0.05]))
    )
    x0 = torch.linspace(-8, 8, 40001, dtype=torch.float64)
    prior = sum(w * torch.exp(-0.5 * (x0 - m) ** 2 / v) / v**0.5 for w, m, v in ((0.3, -1, 0.2), (0.7, 2, 0.05)))
    for x_t in (-1.3, 0.2, 1.9):
        joint = prior * torch.exp(-0.5 * ((x_t - alpha * x0) / sigma) ** 2)
        mean = float((joint * x0).sum() / joint.sum())
        found = mixture.posterior_mean(torch.tensor([x_t], dtype=torch.float64), alpha, sigma)
        assert float(found) == pytest.approx(mean, abs=1e-8)


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.0), (0.7, 0.5), (0.0, 1.0)])
def test_density_integrates_to_one_and_has_the_moments(alpha: float, sigma: float) -> None:
    mixture = GaussianMixture(
        torch.tensor([2.0, 1.0]),
        torch.tensor([[-1.0, 0.5], [1.5, 0.0]]),
        torch.tensor([[[0.5, 0.2], [0.2, 0.3]], [[0.2, -0.1], [-0.1, 0.4]]]),
    )
    axis = torch.linspace(-9, 9, 601, dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    mass = mixture.log_prob(x, alpha, sigma).exp() * (axis[1] - axis[0]) ** 2
    assert float(mass.sum()) == pytest.approx(1, abs=1e-9)
    noised = mixture.noised(alpha, sigma)
    torch.testing.assert_close(mass @ x, noised.mean, rtol=0, atol=1e-8)
    torch.testing.assert_close((x - noised.mean).mT @ ((x - noised.mean) * mass[:, None]), noised.covariance)
    torch.testing.assert_close(noised.mean, alpha * mixture.mean)
    eye = torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(noised.covariance, alpha**2 * mixture.covariance + sigma**2 * eye)


@pytest.mark.parametrize("seed", range(4))
def test_samples_have_the_moments(seed: int) -> None:
    mixture, n = _mixture(1), 20_000
    x = mixture.sample(n, generator=torch.Generator().manual_seed(seed)).double()
    error = (x.mean(0) - mixture.mean) / (mixture.covariance.diagonal() / n).sqrt()
    assert error.abs().max() < 4.5  # standard errors
    off = x - mixture.mean
    products = off[:, :, None] * off[:, None, :]
    assert ((products.mean(0) - mixture.covariance) / (products.std(0) / n**0.5)).abs().max() < 4.5
    # The weights too: a component is what p(component|x) says, on average.
    share = mixture._components(x, 1.0, 0.0)[0].softmax(-1)
    assert ((share.mean(0) - mixture.weights) / (share.std(0) / n**0.5)).abs().max() < 4.5


def test_samples_are_reproducible() -> None:
    for distribution in (_mixture(), Empirical(_points(5, 2))):
        draws = [distribution.sample(9, generator=torch.Generator().manual_seed(s)) for s in (3, 3, 4)]
        assert torch.equal(draws[0], draws[1])
        assert not torch.equal(draws[0], draws[2])


@given(st.floats(0.1, 1.0), st.floats(0.3, 2.0), st.integers(0, 50))
def test_a_set_of_points_is_a_mixture_without_spread(alpha: float, sigma: float, seed: int) -> None:
    points, x = _points(6, 3, seed), _points(4, 3, seed + 1)
    empirical = Empirical(points)
    mixture = GaussianMixture(torch.ones(6), points, torch.zeros(6))
    for what in ("log_prob", "score", "posterior_mean"):
        torch.testing.assert_close(getattr(empirical, what)(x, alpha, sigma), getattr(mixture, what)(x, alpha, sigma))


def test_a_set_of_images_is_its_pixels_in_a_row() -> None:
    images, x = _points(12, 16).reshape(12, 1, 4, 4), _points(3, 16, 1).reshape(3, 1, 4, 4)
    sigma = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    found = Empirical(images).posterior_mean(x, 1.0, sigma)
    flat = Empirical(images.flatten(1)).posterior_mean(x.flatten(1), 1.0, sigma)
    assert found.shape == x.shape
    torch.testing.assert_close(found.flatten(1), flat)
    score = Empirical(images).score(x, 1.0, sigma)
    torch.testing.assert_close(score.flatten(1), Empirical(images.flatten(1)).score(x.flatten(1), 1.0, sigma))


def test_little_noise_finds_the_nearest_point_and_much_noise_the_mean() -> None:
    points = _points(20, 2)
    empirical = Empirical(points)
    torch.testing.assert_close(empirical.posterior_mean(points + 1e-4, 1.0, 1e-3), points)
    middle = points.mean(0).expand(3, 2)
    torch.testing.assert_close(empirical.posterior_mean(_points(3, 2, 5), 1.0, 1e4), middle, rtol=0, atol=1e-5)
    mixture = _mixture()
    assert torch.isfinite(mixture.score(1e3 * _points(4, 2), 1.0, 1e-3)).all()
    x = _points(4, 2)
    # Much noise: the score of N(0, σ²) alone.
    torch.testing.assert_close(mixture.score(x, 1.0, 1e5), -x / 1e10, rtol=0, atol=1e-9)


def test_single_precision_agrees_with_double_at_small_noise() -> None:
    points, x = _points(30, 2).float(), _points(8, 2, 1).float()
    for distribution in (Empirical(points), GaussianMixture(torch.ones(30), points, torch.full((30,), 1e-3))):
        double = distribution.posterior_mean(x.double(), 1.0, 0.05)
        torch.testing.assert_close(distribution.posterior_mean(x, 1.0, 0.05).double(), double, rtol=0, atol=2e-3)


@given(st.integers(1, 5))
def test_a_level_for_each_point_is_as_good_as_one_by_one(n: int) -> None:
    x, g = _points(n, 2), torch.Generator().manual_seed(n)
    alpha = torch.rand(n, dtype=torch.float64, generator=g)
    sigma = 0.1 + torch.rand(n, dtype=torch.float64, generator=g)
    for distribution in (_mixture(), Empirical(_points(5, 2))):
        for what in ("log_prob", "score", "posterior_mean"):
            function = getattr(distribution, what)
            single = torch.cat([function(x[i : i + 1], float(alpha[i]), float(sigma[i])) for i in range(n)])
            torch.testing.assert_close(function(x, alpha, sigma), single)


def test_a_mixture_takes_any_leading_shape_and_keeps_the_dtype() -> None:
    mixture, x = _mixture(), _points(12, 2)
    for what in ("log_prob", "score"):
        function = getattr(mixture, what)
        torch.testing.assert_close(function(x.reshape(3, 4, 2)).reshape(function(x).shape), function(x))
        assert function(x.float()).dtype == torch.float32
    torch.testing.assert_close(mixture.score(x[0]), mixture.score(x)[0])


MIXTURE = _mixture()
EMPIRICAL = Empirical(torch.eye(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianMixture(torch.ones(2), torch.zeros(3, 2), torch.ones(3)), r"weights must have shape \(3\)"),
        (lambda: GaussianMixture(torch.tensor([1.0, 0.0]), torch.zeros(2, 2), torch.ones(2)), "weights must be pos"),
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(2), torch.ones(1)), "means must have shape"),
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1, 2)), "covariances must have shape"),
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(1, 2), -torch.ones(1)), "positive semi-definite"),
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.tensor([[[1.0, 0.5], [0, 1]]])), "symmetric"),
        (lambda: GaussianMixture(torch.ones(1), torch.full((1, 2), math.nan), torch.ones(1)), "means must be finite"),
        (lambda: GaussianMixture(torch.ones(0), torch.zeros(0, 2), torch.ones(0)), "means is empty"),
        (lambda: MIXTURE.log_prob(torch.zeros(4, 3)), r"x must have shape \(\.\.\., 2\), got .*\(4, 3\)"),
        (lambda: MIXTURE.score(torch.tensor([0.0, math.nan])), "x must be finite"),
        (lambda: MIXTURE.score(torch.zeros(0, 2)), "x is empty"),
        (lambda: MIXTURE.score(torch.zeros(4, 2), 1.0, -0.1), "sigma must be finite and not negative"),
        (lambda: MIXTURE.score(torch.zeros(4, 2), math.nan, 0.1), "alpha must be finite"),
        (lambda: MIXTURE.score(torch.zeros(4, 2), 1.0, torch.ones(3)), "sigma must be a number or have the leading"),
        (lambda: MIXTURE.score(torch.zeros(3, 2), 1.0, torch.ones(3, 2)), "without its coordinates"),
        (lambda: MIXTURE.score(torch.zeros(2), 1.0, torch.ones(2)), "without its coordinates"),
        (lambda: MIXTURE.noised(-1.0, 0.1), "alpha must be at least 0"),
        (lambda: MIXTURE.sample(0), "n must be at least 1"),
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.zeros(1)).score(torch.zeros(1, 2)), "spread"),
        (lambda: Empirical(torch.zeros(3)), "at least two dimensions"),
        (lambda: Empirical(torch.zeros(0, 2)), "points is empty"),
        (lambda: EMPIRICAL.score(torch.zeros(2, 3)), "sigma must be above 0"),
        (lambda: EMPIRICAL.posterior_mean(torch.zeros(2, 4), 1.0, 1.0), r"x must have shape \(batch, 3\)"),
        (lambda: EMPIRICAL.sample(0), "n must be at least 1"),
    ],
)
def test_bad_values_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianMixture(torch.ones(1), torch.zeros(1, 2), 1.0), "covariances must be a torch.Tensor"),  # type: ignore[arg-type]
        (lambda: Empirical([[0.0, 1.0]]), "points must be a torch.Tensor, got .*torch.as_tensor"),  # type: ignore[arg-type]
        (lambda: Empirical(torch.zeros(3, 2, dtype=torch.uint8)), "floating-point"),
        (lambda: MIXTURE.sample(3, generator=0), r"manual_seed\(0\)"),  # type: ignore[arg-type]
        (lambda: MIXTURE.noised(torch.tensor(0.5), 0.1), r"Use float\(alpha\)"),  # type: ignore[arg-type]
        (lambda: MIXTURE.score(torch.zeros(3, 2, dtype=torch.int64)), "floating-point"),
    ],
)
def test_bad_types_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_a_set_of_points_far_from_the_origin_loses_no_digits() -> None:
    """Two points that differ by 1, a thousand away: their weights are those at the origin, in float32 too."""
    far, near = (Empirical(torch.tensor([[place, 0.0], [place, 1.0]])) for place in (1000.0, 0.0))
    mean = float(far.posterior_mean(torch.tensor([[1000.0, 0.6]]), 1.0, 0.3)[0, 1])
    assert mean == pytest.approx(1 / (1 + math.exp((0.4**2 - 0.6**2) / 2 / 0.3**2)), rel=1e-6)
    found, wanted = (e.log_prob(torch.tensor([[place, 0.6]]), 1.0, 0.3) for e, place in ((far, 1000.0), (near, 0.0)))
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)


def test_log_prob_of_pixels_is_that_of_double_precision() -> None:
    g = torch.Generator().manual_seed(0)
    points = 2 * torch.rand(50, 784, generator=g) - 1
    x = points[:20] + 0.01 * torch.randn(20, 784, generator=g)
    found, wanted = (Empirical(points.to(d)).log_prob(x.to(d), 1.0, 0.01) for d in (torch.float32, torch.float64))
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=1e-3)
