"""The family between DDIM and ancestral sampling, and its second order, on a Gaussian, where every step is affine."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.samplers import (
    Step,
    ancestral,
    ddim,
    dpm_solver,
    gaussian,
    prior,
    sample,
    sde_dpm_solver,
    time_grid,
)
from diffusion_teach.schedules import VP, Cosine, Discrete, Schedule, linear_betas
from tests.samplers.on_a_gaussian import GAUSSIAN, MEAN, SCHEDULES, STD, affine, every, levels, order_of, time


def _posterior(schedule: Schedule, t: float, s: float) -> tuple[float, float, float]:
    """q(x_s | x_t, x₀) = N(a·x_t + b·x₀, v) by conditioning the joint Gaussian of (x_s, x_t) given x₀."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = levels(schedule, s), levels(schedule, t)
    r = alpha_t / alpha_s  # x_t = r·x_s + noise that is drawn anew
    covariance = r * sigma_s**2
    a = covariance / sigma_t**2
    return a, alpha_s - a * alpha_t, sigma_s**2 - covariance**2 / sigma_t**2


@every
@given(st.floats(0.06, 0.95), st.floats(0.05, 0.95))
def test_eta_1_draws_from_the_posterior(schedule: Schedule, t: float, share: float) -> None:
    s = t * share
    a, b, variance = _posterior(schedule, t, s)
    # A posterior step with x̂₀ for x₀; x̂₀ of a Gaussian is Bayes' rule, m + k·(x − αm).
    alpha, sigma = levels(schedule, t)
    gain = alpha * STD**2 / (alpha**2 * STD**2 + sigma**2)
    slope, shift, spread = affine(ancestral, schedule, t, s)
    assert spread**2 == pytest.approx(variance, rel=1e-6, abs=1e-12)
    assert slope == pytest.approx(a + b * gain, abs=1e-8)
    assert shift == pytest.approx(b * (MEAN - gain * alpha * MEAN), abs=1e-8)


@every
@given(st.floats(0.06, 0.95), st.floats(0.05, 0.95), st.floats(0, 1))
def test_eta_is_a_share_of_the_standard_deviation(schedule: Schedule, t: float, share: float, eta: float) -> None:
    s = t * share
    assert affine(ddim(eta), schedule, t, s)[2] ** 2 == pytest.approx(
        eta**2 * _posterior(schedule, t, s)[2], rel=1e-6, abs=1e-12
    )


@every
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_every_eta_keeps_the_marginals_of_the_line(schedule: Schedule, eta: float) -> None:
    """Were x̂₀ the x₀ itself, the step would carry N(α_t·x₀, σ_t²) to N(α_s·x₀, σ_s²): one point is such a case."""
    point = torch.full((1, 1), 1.3, dtype=torch.float64)
    for t, s in ((0.9, 0.5), (0.5, 0.1)):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = levels(schedule, t), levels(schedule, s)
        g = torch.Generator().manual_seed(0)
        z = torch.randn(40_000, 1, dtype=torch.float64, generator=g)
        x_t = alpha_t * point + sigma_t * z
        x_s = ddim(eta)(Exact(Empirical(point), schedule), x_t, time(t), time(s), None, gaussian(g))[0]
        off = (x_s - alpha_s * point) / sigma_s
        assert float(off.mean()) == pytest.approx(0, abs=4.5 / 200)  # standard errors
        assert float(off.var()) == pytest.approx(1, abs=4.5 * math.sqrt(2) / 200)


@pytest.mark.parametrize("name", ["ddpm", "cosine-betas", "vp"])
def test_forward_variance_is_ddpms_beta(name: str) -> None:
    schedule = SCHEDULES[name]
    for t, s in ((0.5, 0.49), (0.75, 0.5), (0.03, 0.02)):
        beta = 1 - (levels(schedule, t)[0] / levels(schedule, s)[0]) ** 2
        forward = affine(ddim(1.0, variance="forward"), schedule, t, s)
        posterior = affine(ancestral, schedule, t, s)
        assert forward[2] ** 2 == pytest.approx(beta, rel=1e-9)
        assert forward[2] > posterior[2]
        assert forward[:2] == pytest.approx(posterior[:2])
    table = SCHEDULES["ddpm"]
    assert isinstance(table, Discrete)
    found = affine(ddim(1.0, variance="forward"), table, 0.5, 0.49)[2] ** 2
    assert found == pytest.approx(float(table.betas[49]), rel=1e-9)


@every
@pytest.mark.parametrize(("step", "order"), [(ddim(0.0), 1), (dpm_solver, 2)], ids=["ddim", "dpm_solver"])
def test_order_of_convergence(schedule: Schedule, step: Step, order: int) -> None:
    assert order_of(step, schedule) == pytest.approx(order, abs=0.15)


@every
def test_order_2_follows_lu_et_al(schedule: Schedule) -> None:
    """Algorithm 2 of Lu et al. (2022) in its own letters, λ = log(α/σ), is `ddim` with an extrapolated x̂₀."""
    exact, times = Exact(GAUSSIAN, schedule), time_grid(schedule, 6, start=0.95, stop=0.05, spacing="logistic")
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    expected, D_before, h_before = x, None, 0.0
    for t, s in pairwise(times.tolist()):
        (a_t, s_t), (a_s, s_s) = levels(schedule, t), levels(schedule, s)
        h, D = math.log(a_s / s_s) - math.log(a_t / s_t), exact(expected, time(t)).x0
        r = h_before / h
        mixed = D if D_before is None else (1 + 1 / (2 * r)) * D - 1 / (2 * r) * D_before
        expected, D_before, h_before = s_s / s_t * expected - a_s * math.expm1(-h) * mixed, D, h
    torch.testing.assert_close(sample(exact, dpm_solver, x, times), expected, rtol=1e-9, atol=1e-9)


@every
def test_order_2_with_noise_follows_lu_et_al(schedule: Schedule) -> None:
    """Their SDE-DPM-Solver++ (2M), in λ = log(α/σ), on the same draws."""
    exact, times = Exact(GAUSSIAN, schedule), time_grid(schedule, 6, start=0.95, stop=0.05, spacing="logistic")
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    g = torch.Generator().manual_seed(3)
    expected, D_before, h_before = x, None, 0.0
    for t, s in pairwise(times.tolist()):
        (a_t, s_t), (a_s, s_s) = levels(schedule, t), levels(schedule, s)
        h, D = math.log(a_s / s_s) - math.log(a_t / s_t), exact(expected, time(t)).x0
        mixed = D if D_before is None else D + h / (2 * h_before) * (D - D_before)
        z = torch.randn(x.shape, dtype=torch.float64, generator=g)
        expected = s_s / s_t * math.exp(-h) * expected - a_s * math.expm1(-2 * h) * mixed
        expected, D_before, h_before = expected + s_s * math.sqrt(-math.expm1(-2 * h)) * z, D, h
    found = sample(exact, sde_dpm_solver, x, times, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", [Cosine(), Discrete(linear_betas(100))])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_order_2_is_finite_from_pure_noise_to_data(schedule: Schedule, eta: float) -> None:
    """α = 0 at the start and σ = 0 at the end both make a step infinitely long in log-SNR."""
    g = torch.Generator().manual_seed(0)
    x, times = torch.randn(4000, 1, generator=g), time_grid(schedule, 200, spacing="logistic")
    made = sample(
        Exact(GaussianMixture(torch.ones(1), torch.tensor([[MEAN]]), torch.tensor([STD**2])), schedule),
        ddim(eta, order=2),
        x,
        times,
        generator=g,
    )
    assert float(made.mean()) == pytest.approx(MEAN, abs=0.05)
    assert float(made.std()) == pytest.approx(STD, rel=0.1)


def propagate(step: Step, schedule: Schedule, times: Tensor, mean: float, variance: float) -> tuple[float, float]:
    for t, s in pairwise(times.tolist()):
        slope, shift, spread = affine(step, schedule, t, s)
        mean, variance = slope * mean + shift, slope**2 * variance + spread**2
    return mean, variance


@every
@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_many_steps_reach_the_variance_of_the_data(schedule: Schedule, eta: float) -> None:
    """The exact variance recursion; an off-by-one in the table, or noise at the end, shows here."""
    errors = []
    for count in (50, 100):
        start = 0.999
        alpha, sigma = levels(schedule, start)
        times = torch.cat([time_grid(schedule, count, start=start, stop=1e-4, spacing="log_snr"), torch.zeros(1)])
        mean, variance = propagate(ddim(eta), schedule, times, alpha * MEAN, alpha**2 * STD**2 + sigma**2)
        assert mean == pytest.approx(MEAN, abs=1e-9)
        errors.append(abs(variance / STD**2 - 1))
    assert errors[1] < 0.15
    assert errors[1] < 0.62 * errors[0]  # first order


@pytest.mark.parametrize("seed", [0, 1])
def test_samples_have_the_moments_that_the_recursion_says(seed: int) -> None:
    schedule, n = SCHEDULES["ddpm"], 20_000
    g = torch.Generator().manual_seed(seed)
    times = time_grid(schedule, 25)
    x = sample(Exact(GAUSSIAN, schedule), ancestral, prior(schedule, (n, 1), generator=g), times, generator=g)
    mean, variance = propagate(ancestral, schedule, times, 0.0, 1.0)
    assert x.dtype == torch.float32
    assert float(x.mean()) == pytest.approx(mean, abs=4.5 * math.sqrt(variance / n))  # standard errors
    assert float(x.var()) == pytest.approx(variance, abs=4.5 * variance * math.sqrt(2 / n))


STEPS = {
    "ddim": ddim(0.0),
    "eta": ddim(0.5),
    "ancestral": ancestral,
    "forward": ddim(1.0, variance="forward"),
    "dpm_solver": dpm_solver,
    "sde_dpm_solver": sde_dpm_solver,
}


@every
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_the_last_step_returns_x0_and_adds_no_noise(schedule: Schedule, step: Step) -> None:
    exact, x = Exact(GAUSSIAN, schedule), torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    for seed in (0, 1):
        g = torch.Generator().manual_seed(seed)
        end = step(exact, x, time(0.2), time(0.0), None, gaussian(g))[0]
        torch.testing.assert_close(end, exact(x, time(0.2)).x0, rtol=1e-9, atol=1e-9)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="eta must be at least 0 and at most 1, got 1.5"):
        ddim(1.5)
    with pytest.raises(ValueError, match="at eta = 1, got eta = 0.5"):
        ddim(0.5, variance="forward")
    with pytest.raises(ValueError, match="Did you mean 'forward'"):
        ddim(1.0, variance="forwards")
    with pytest.raises(ValueError, match="order must be between 1 and 2, got 3"):
        ddim(order=3)
    with pytest.raises(ValueError, match="s must lie before t"):
        ancestral(Exact(GAUSSIAN, VP()), torch.zeros(3, 1), torch.tensor(0.3), torch.tensor(0.6), None, gaussian())
