"""The probability flow's density against closed forms at both ends of time, on correlated covariances, and bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact, Guided
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.likelihood import bits_per_dimension, dequantise, log_likelihood, variational_bound
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers import ddim, heun, sample, time_grid
from diffusion_teach.schedules import VE, VP, Cosine, Discrete, FlowMatching, Schedule, SubVP, linear_betas

CORRELATED = torch.tensor([[1.0, 0.8], [0.8, 1.2]], dtype=torch.float64)
MEAN = torch.tensor([[0.7, -0.4]], dtype=torch.float64)
GAUSSIAN = GaussianMixture(torch.ones(1), MEAN, CORRELATED[None])
MIXTURE = GaussianMixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64),
    torch.tensor([[[0.2, 0.16], [0.16, 0.24]], [[0.3, -0.12], [-0.12, 0.2]]], dtype=torch.float64),
)
SCHEDULES: list[tuple[Schedule, float]] = [
    (VP(), 1.0),
    (SubVP(), 1.0),
    (VE(), 1.0),
    (Discrete(linear_betas()), 1.0),
    (Cosine(), 0.999),
    (FlowMatching(), 0.999),
]
each_schedule = pytest.mark.parametrize(("schedule", "t_max"), SCHEDULES, ids=lambda v: type(v).__name__)


def points(n: int = 20) -> Tensor:
    torch.manual_seed(0)
    return MIXTURE.sample(n).double()


def at(schedule: Schedule, t: float) -> tuple[float, float]:
    time = torch.tensor(t, dtype=torch.float64)
    return float(schedule.alpha(time)), float(schedule.sigma(time))


def prior(data: GaussianMixture, schedule: Schedule, t: float) -> Callable[[Tensor], Tensor]:
    return lambda x: data.log_prob(x, *at(schedule, t))


@each_schedule
@pytest.mark.parametrize(("t_min", "error"), [(1e-3, 1e-3), (0.3, 1e-4)])
def test_the_flow_carries_the_density_of_one_end_to_the_other(
    schedule: Schedule, t_max: float, t_min: float, error: float
) -> None:
    x, exact = points(), Exact(MIXTURE, schedule)
    found = log_likelihood(exact, x, t_min=t_min, t_max=t_max, prior=prior(MIXTURE, schedule, t_max))
    torch.testing.assert_close(found.log_density, MIXTURE.log_prob(x, *at(schedule, t_min)), rtol=0, atol=error)
    assert found.evaluations == 400


@each_schedule
def test_the_code_of_a_gaussian_is_its_flow_map(schedule: Schedule, t_max: float) -> None:
    """Along each axis of the covariance the flow keeps the distance from the mean in deviations."""
    x = points()
    found = log_likelihood(Exact(GAUSSIAN, schedule), x, t_min=1e-2, t_max=t_max).code
    spread, basis = torch.linalg.eigh(CORRELATED)
    (a0, s0), (a1, s1) = at(schedule, 1e-2), at(schedule, t_max)
    ratio = ((a1**2 * spread + s1**2) / (a0**2 * spread + s0**2)).sqrt()
    expected = a1 * MEAN + ((x - a0 * MEAN) @ basis * ratio) @ basis.T
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_prior_is_that_of_the_samplers() -> None:
    """N(0, σ₁²) for the law at t_max: on VP the two differ by less than α₁ tells, and in a known way."""
    x, schedule = points(), VP()
    found = log_likelihood(Exact(GAUSSIAN, schedule), x, t_min=1e-3)
    own = log_likelihood(Exact(GAUSSIAN, schedule), x, t_min=1e-3, prior=prior(GAUSSIAN, schedule, 1.0))
    sigma = at(schedule, 1.0)[1]
    standard = torch.distributions.Normal(0.0, sigma).log_prob(found.code).sum(1)
    expected = standard - prior(GAUSSIAN, schedule, 1.0)(own.code)
    torch.testing.assert_close(found.log_density - own.log_density, expected, rtol=0, atol=1e-5)
    assert (found.log_density - own.log_density).abs().max() < 0.05


def test_the_adaptive_solver_finds_the_same_and_asks_less() -> None:
    x, denoiser = points(), Exact(MIXTURE, VP())
    exact = log_likelihood(denoiser, x, t_min=1e-3, steps=200)
    for tolerance in (1e-4, 1e-6):
        found = log_likelihood(denoiser, x, t_min=1e-3, steps=None, tolerance=tolerance)
        assert (found.log_density - exact.log_density).abs().max() < 20 * tolerance
        assert (found.code - exact.code).abs().max() < 20 * tolerance
        assert found.evaluations < 400


def test_fixed_steps_are_of_fourth_order() -> None:
    x, denoiser = points(), Exact(MIXTURE, VP())
    fine = log_likelihood(denoiser, x, t_min=1e-3, steps=120).log_density
    error = [(log_likelihood(denoiser, x, t_min=1e-3, steps=n).log_density - fine).abs().mean() for n in (15, 30)]
    assert float((error[0] / error[1]).log2()) > 3.3


@pytest.mark.parametrize("trace", ["rademacher", "gaussian"])
def test_hutchinson_s_estimator_is_right_on_average_on_a_correlated_gaussian(trace: str) -> None:
    x = points(1).expand(2000, 2)
    denoiser = Exact(GAUSSIAN, VP())
    exact = log_likelihood(denoiser, x[:1], t_min=1e-3, steps=40).log_density
    g = torch.Generator().manual_seed(1)
    drawn = log_likelihood(denoiser, x, t_min=1e-3, steps=40, trace=trace, generator=g).log_density
    assert float((drawn.mean() - exact) / drawn.std() * 2000**0.5) == pytest.approx(0, abs=4)
    # vᵀJv of symmetric J has the variance 2·Σ_ij J_ij², without the diagonal for entries of ±1.
    spread, basis = torch.linalg.eigh(CORRELATED)
    (a0, s0), (a1, s1) = at(VP(), 1e-3), at(VP(), 1.0)
    change = 0.5 * ((a1**2 * spread + s1**2) / (a0**2 * spread + s0**2)).log() - math.log(a1 / a0)
    matrix = basis @ torch.diag(change) @ basis.T  # ∫ σ ∂ε̂/∂x d log σ̄: all of them share their axes
    variance = 2 * matrix.square().sum() - (2 * matrix.diagonal().square().sum() if trace == "rademacher" else 0)
    assert float(drawn.var() / variance) == pytest.approx(1, abs=4 * (10 / 2000) ** 0.5)
    several = log_likelihood(denoiser, x, t_min=1e-3, steps=40, trace=trace, probes=4, generator=g).log_density
    assert float(several.var() / drawn.var()) == pytest.approx(0.25, abs=0.05)


def test_signs_are_exact_where_the_jacobian_is_diagonal() -> None:
    x = points(5)
    denoiser = Exact(GaussianMixture(torch.ones(1), MEAN, torch.diag(torch.tensor([0.3, 2.0]))[None]), VP())
    exact, signs, normal = (
        log_likelihood(denoiser, x, t_min=1e-3, trace=trace).log_density
        for trace in ("exact", "rademacher", "gaussian")
    )
    torch.testing.assert_close(signs, exact)
    assert (normal - exact).abs().max() > 0.01


def test_a_batch_of_pictures_is_a_batch_of_points() -> None:
    flat = log_likelihood(Exact(MIXTURE, VP()), points(6), t_min=1e-2, steps=20)

    class Square(Denoiser):
        schedule = VP()

        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            return Prediction(*(v.reshape(x_t.shape) for v in Exact(MIXTURE, VP())(x_t.flatten(1), t)))

    square = log_likelihood(Square(), points(6).reshape(6, 1, 2, 1), t_min=1e-2, steps=20)
    torch.testing.assert_close(square.log_density, flat.log_density)
    assert square.code.shape == (6, 1, 2, 1)


def test_single_precision_and_inference_mode() -> None:
    exact = log_likelihood(Exact(MIXTURE, VP()), points(), t_min=1e-2).log_density
    with torch.inference_mode():
        found = log_likelihood(Exact(MIXTURE, VP()), points().float(), t_min=1e-2)
    assert found.log_density.dtype == torch.float32
    assert not found.log_density.requires_grad
    torch.testing.assert_close(found.log_density.double(), exact, rtol=0, atol=1e-3)


def test_what_has_no_density_is_refused() -> None:
    good = Exact(MIXTURE, VP())
    with pytest.raises(ValueError, match="no likelihood"):
        log_likelihood(Guided(good, good, 1.0), points(), t_min=1e-3)
    with pytest.raises(ValueError, match="α = 0"):
        log_likelihood(Exact(MIXTURE, Cosine()), points(), t_min=1e-3)
    with pytest.raises(ValueError, match="t_max must be above 0.5"):
        log_likelihood(good, points(), t_min=0.5, t_max=0.4)

    class Hidden(Denoiser):
        schedule = VP()

        @torch.no_grad()
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            return good(x_t, t)

    with pytest.raises(ValueError, match="derivative in x"):
        log_likelihood(Hidden(), points(), t_min=1e-3)


def gap(steps: int, draws: int = 1000) -> tuple[float, float]:
    """How far the bound lies below the density at points of the mixture, on average, and its standard error."""
    x = points(draws)
    times = time_grid(VP(), steps, stop=1e-3, spacing="log_snr")
    drawn = variational_bound(Exact(MIXTURE, VP()), x, times, generator=torch.Generator().manual_seed(3))
    below = MIXTURE.log_prob(x, *at(VP(), 1e-3)) - drawn
    return float(below.mean()), float(below.std()) / draws**0.5


def test_the_bound_of_a_gaussian_is_the_density_of_its_chain() -> None:
    """In one dimension every step of the chain is an affine map of Gaussian noise: its density is known, and no bound
    lies above it."""
    schedule, variance = VP(), 0.5
    data = GaussianMixture(torch.ones(1), torch.zeros(1, 1).double(), torch.full((1, 1, 1), variance).double())
    times = time_grid(schedule, 8, stop=1e-2, spacing="log_snr")
    denoiser = Exact(data, schedule)
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    # gain and noise of each step from its answers to x = 1 without noise and x = 0 with it
    spread = at(schedule, 1.0)[1] ** 2
    for t, s in pairwise(times):
        gain = ddim(1.0)(denoiser, one, t, s, None, lambda x: zero)[0]
        noise = ddim(1.0)(denoiser, zero, t, s, None, lambda x: one)[0]
        spread = float(gain**2 * spread + noise**2)
    a, s = at(schedule, 1e-2)
    chain = torch.distributions.Normal(0.0, (spread / a**2 + (s / a) ** 2) ** 0.5)
    x = torch.full((20_000, 1), 0.6, dtype=torch.float64)
    drawn = variational_bound(denoiser, x, times, generator=torch.Generator().manual_seed(0))
    error = 4 * float(drawn.std()) / 20_000**0.5
    assert float(drawn.mean()) < float(chain.log_prob(x[0])) + error
    # E‖x − x̂₀‖² is known for a linear x̂₀ = c·x_t, and with it the whole sum.
    alpha, sigma = schedule.alpha(times), schedule.sigma(times)
    snr = (alpha / sigma) ** 2
    c = alpha * variance / (alpha**2 * variance + sigma**2)
    squared = (1 - c * alpha) ** 2 * 0.36 + c**2 * sigma**2
    expected = (
        -0.5 * snr[0] * 0.36 - 0.5 * (snr.diff() * squared[:-1]).sum() - 0.5 * (2 * math.pi * math.e / snr[-1]).log()
    )
    assert float(drawn.mean()) == pytest.approx(float(expected), abs=error)


def test_the_bound_closes_on_the_density_in_first_order_of_the_steps() -> None:
    """At high SNR a step costs a quarter of d·Δλ² too much, so that the gap falls like 1/T."""
    few, many = gap(32), gap(256)
    assert many[0] > 0
    assert few[0] / 8 == pytest.approx(many[0], abs=4 * math.hypot(few[1] / 8, many[1]) + 0.05)


def test_uniform_bytes_are_exactly_eight_bits() -> None:
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (-1 - 1 / 255, 1 + 1 / 255), (0.0, 256.0)):
        density = torch.full((3,), -784 * math.log(high - low), dtype=torch.float64)
        found = bits_per_dimension(density, 784, low=low, high=high)
        torch.testing.assert_close(found, torch.full((3,), 8.0, dtype=torch.float64), rtol=0, atol=1e-12)


def test_bits_do_not_depend_on_the_unit_of_the_data() -> None:
    g = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (20, 5), generator=g)
    bits = []
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (10.0, 266.0)):
        x = dequantise(images, low=low, high=high, generator=torch.Generator().manual_seed(1)).double()
        scale = (high - low) / 2
        normal = torch.distributions.Normal(low + scale, scale)
        bits.append(bits_per_dimension(normal.log_prob(x).sum(1), 5, low=low, high=high))
    torch.testing.assert_close(bits[0], bits[1], rtol=0, atol=1e-5)
    torch.testing.assert_close(bits[0], bits[2], rtol=0, atol=1e-5)


def test_bits_of_dequantised_numbers_bound_their_entropy() -> None:
    """A density that is flat within each cell is no bound but the entropy; any other one costs more."""
    chances = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    k = torch.multinomial(chances, 50_000, replacement=True, generator=torch.Generator().manual_seed(0))
    x = dequantise(k, low=-1.0, high=1.0, levels=4, generator=torch.Generator().manual_seed(1)).double()
    cell = ((x + 1) * 2).long().clamp(max=3)
    assert torch.equal(cell, k)
    flat = bits_per_dimension((chances[cell] / 0.5).log(), 1, low=-1.0, high=1.0, levels=4)
    assert float(flat.mean()) == pytest.approx(float(-(chances * chances.log2()).sum()), abs=0.02)
    slanted = chances[cell] / 0.5 * (1 + 0.8 * (((x + 1) * 2 - cell) - 0.5))
    assert float(bits_per_dimension(slanted.log(), 1, low=-1.0, high=1.0, levels=4).mean()) > float(flat.mean())


def test_dequantised_bytes_fill_their_cells_evenly() -> None:
    k = torch.full((100_000,), 255, dtype=torch.uint8)
    u = dequantise(k, low=0.0, high=256.0, generator=torch.Generator().manual_seed(0)).double() - 255
    assert 0 <= float(u.min()) < 0.001
    assert 0.999 < float(u.max()) <= 1
    assert float(u.mean()) == pytest.approx(0.5, abs=4 * (1 / 12 / 1e5) ** 0.5)
    assert float(u.var()) == pytest.approx(1 / 12, rel=0.02)


def test_a_grid_without_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="high must be above 1"):
        bits_per_dimension(torch.zeros(1), 784, low=1.0, high=1.0)
    with pytest.raises(ValueError, match=r"images must lie in 0 … 255, got 0 to 256"):
        dequantise(torch.tensor([0, 256]), low=0.0, high=1.0)


def test_samples_by_a_fine_solver_have_the_density_that_the_flow_tells() -> None:
    """Back from its code, a point returns."""
    x, denoiser = points(), Exact(MIXTURE, VP())
    code = log_likelihood(denoiser, x, t_min=1e-3).code
    back = sample(denoiser, heun, code, time_grid(VP(), 400, stop=1e-3, spacing="log_snr"))
    torch.testing.assert_close(back, x, rtol=0, atol=2e-3)
