"""Samplers on a Gaussian, where every step is affine and the moments can be written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers import (
    Noise,
    State,
    Step,
    ancestral,
    ddim,
    dpm_solver,
    euler,
    gaussian,
    heun,
    langevin,
    prior,
    sample,
    sde_dpm_solver,
    time_grid,
    trajectory,
)
from diffusion_teach.samplers.langevin import annealed
from diffusion_teach.schedules import (
    VE,
    VP,
    Cosine,
    Discrete,
    FlowMatching,
    Schedule,
    SubVP,
    cosine_betas,
    linear_betas,
)

MEAN, STD = 0.7, 0.4
GAUSSIAN = GaussianMixture(*(torch.tensor(v, dtype=torch.float64) for v in ([1.0], [[MEAN]], [STD**2])))
SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.01, 9.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(100)),
    "cosine-betas": Discrete(cosine_betas(40)),
}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def _time(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _levels(schedule: Schedule, t: float) -> tuple[float, float]:
    return float(schedule.alpha(_time(t))), float(schedule.sigma(_time(t)))


def _affine(step: Step, schedule: Schedule, t: float, s: float) -> tuple[float, float, float]:
    """What a step does to x, x_s = slope·x_t + shift + spread·z: three points, whose z is known, give the three."""
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    z = torch.randn(3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    g = torch.Generator().manual_seed(5)
    moved = step(Exact(GAUSSIAN, schedule), x, _time(t), _time(s), None, gaussian(g))[0]
    found = torch.linalg.solve(torch.cat([x, torch.ones_like(x), z], dim=1), moved)
    return float(found[0]), float(found[1]), float(found[2])


def _posterior(schedule: Schedule, t: float, s: float) -> tuple[float, float, float]:
    """q(x_s | x_t, x₀) = N(a·x_t + b·x₀, v) by conditioning the joint Gaussian of (x_s, x_t) given x₀."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = _levels(schedule, s), _levels(schedule, t)
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
    alpha, sigma = _levels(schedule, t)
    gain = alpha * STD**2 / (alpha**2 * STD**2 + sigma**2)
    slope, shift, spread = _affine(ancestral, schedule, t, s)
    assert spread**2 == pytest.approx(variance, rel=1e-6, abs=1e-12)
    assert slope == pytest.approx(a + b * gain, abs=1e-8)
    assert shift == pytest.approx(b * (MEAN - gain * alpha * MEAN), abs=1e-8)


@every
@given(st.floats(0.06, 0.95), st.floats(0.05, 0.95), st.floats(0, 1))
def test_eta_is_a_share_of_the_standard_deviation(schedule: Schedule, t: float, share: float, eta: float) -> None:
    s = t * share
    assert _affine(ddim(eta), schedule, t, s)[2] ** 2 == pytest.approx(
        eta**2 * _posterior(schedule, t, s)[2], rel=1e-6, abs=1e-12
    )


@every
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_every_eta_keeps_the_marginals_of_the_line(schedule: Schedule, eta: float) -> None:
    """Were x̂₀ the x₀ itself, the step would carry N(α_t·x₀, σ_t²) to N(α_s·x₀, σ_s²): one point is such a case."""
    point = torch.full((1, 1), 1.3, dtype=torch.float64)
    for t, s in ((0.9, 0.5), (0.5, 0.1)):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = _levels(schedule, t), _levels(schedule, s)
        g = torch.Generator().manual_seed(0)
        z = torch.randn(40_000, 1, dtype=torch.float64, generator=g)
        x_t = alpha_t * point + sigma_t * z
        x_s = ddim(eta)(Exact(Empirical(point), schedule), x_t, _time(t), _time(s), None, gaussian(g))[0]
        off = (x_s - alpha_s * point) / sigma_s
        assert float(off.mean()) == pytest.approx(0, abs=4.5 / 200)  # standard errors
        assert float(off.var()) == pytest.approx(1, abs=4.5 * math.sqrt(2) / 200)


@pytest.mark.parametrize("name", ["ddpm", "cosine-betas", "vp"])
def test_forward_variance_is_ddpms_beta(name: str) -> None:
    schedule = SCHEDULES[name]
    for t, s in ((0.5, 0.49), (0.75, 0.5), (0.03, 0.02)):
        beta = 1 - (_levels(schedule, t)[0] / _levels(schedule, s)[0]) ** 2
        forward = _affine(ddim(1.0, variance="forward"), schedule, t, s)
        posterior = _affine(ancestral, schedule, t, s)
        assert forward[2] ** 2 == pytest.approx(beta, rel=1e-9)
        assert forward[2] > posterior[2]
        assert forward[:2] == pytest.approx(posterior[:2])
    table = SCHEDULES["ddpm"]
    assert isinstance(table, Discrete)
    found = _affine(ddim(1.0, variance="forward"), table, 0.5, 0.49)[2] ** 2
    assert found == pytest.approx(float(table.betas[49]), rel=1e-9)


def _propagate(step: Step, schedule: Schedule, times: Tensor, mean: float, variance: float) -> tuple[float, float]:
    for t, s in pairwise(times.tolist()):
        slope, shift, spread = _affine(step, schedule, t, s)
        mean, variance = slope * mean + shift, slope**2 * variance + spread**2
    return mean, variance


def _flow(schedule: Schedule, t: float, s: float) -> tuple[float, float]:
    """The exact probability flow of a Gaussian from t to s: it keeps (x − αm)/√(α²STD² + σ²)."""
    (alpha_t, sigma_t), (alpha_s, sigma_s) = _levels(schedule, t), _levels(schedule, s)
    slope = math.hypot(alpha_s * STD, sigma_s) / math.hypot(alpha_t * STD, sigma_t)
    return slope, alpha_s * MEAN - slope * alpha_t * MEAN


def _slope_of(errors: list[float], counts: list[int]) -> float:
    return -math.log(errors[-1] / errors[0]) / math.log(counts[-1] / counts[0])


@every
@pytest.mark.parametrize(
    ("step", "order"),
    [(euler, 1), (ddim(0.0), 1), (heun, 2), (dpm_solver, 2)],
    ids=["euler", "ddim", "heun", "dpm_solver"],
)
def test_order_of_convergence(schedule: Schedule, step: Step, order: int) -> None:
    errors, counts = [], [40, 80, 160]
    for count in counts:
        times = time_grid(schedule, count, start=0.98, stop=1e-3, spacing="log_snr")
        x = torch.linspace(-1.5, 1.5, 5, dtype=torch.float64)[:, None]
        slope, shift = _flow(schedule, 0.98, 1e-3)
        error = sample(Exact(GAUSSIAN, schedule), step, x, times) - (slope * x + shift)
        errors.append(float(error.abs().max()))
    assert _slope_of(errors, counts) == pytest.approx(order, abs=0.15)


@every
def test_order_2_follows_lu_et_al(schedule: Schedule) -> None:
    """Algorithm 2 of Lu et al. (2022) in its own letters, λ = log(α/σ), is `ddim` with an extrapolated x̂₀."""
    exact, times = Exact(GAUSSIAN, schedule), time_grid(schedule, 6, start=0.95, stop=0.05, spacing="logistic")
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    expected, D_before, h_before = x, None, 0.0
    for t, s in pairwise(times.tolist()):
        (a_t, s_t), (a_s, s_s) = _levels(schedule, t), _levels(schedule, s)
        h, D = math.log(a_s / s_s) - math.log(a_t / s_t), exact(expected, _time(t)).x0
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
        (a_t, s_t), (a_s, s_s) = _levels(schedule, t), _levels(schedule, s)
        h, D = math.log(a_s / s_s) - math.log(a_t / s_t), exact(expected, _time(t)).x0
        mixed = D if D_before is None else D + h / (2 * h_before) * (D - D_before)
        z = torch.randn(x.shape, dtype=torch.float64, generator=g)
        expected = s_s / s_t * math.exp(-h) * expected - a_s * math.expm1(-2 * h) * mixed
        expected, D_before, h_before = expected + s_s * math.sqrt(-math.expm1(-2 * h)) * z, D, h
    found = sample(exact, sde_dpm_solver, x, times, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@every
@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_many_steps_reach_the_variance_of_the_data(schedule: Schedule, eta: float) -> None:
    """The exact variance recursion; an off-by-one in the table, or noise at the end, shows here."""
    errors = []
    for count in (50, 100):
        start = 0.999
        alpha, sigma = _levels(schedule, start)
        times = torch.cat([time_grid(schedule, count, start=start, stop=1e-4, spacing="log_snr"), torch.zeros(1)])
        mean, variance = _propagate(ddim(eta), schedule, times, alpha * MEAN, alpha**2 * STD**2 + sigma**2)
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
    mean, variance = _propagate(ancestral, schedule, times, 0.0, 1.0)
    assert x.dtype == torch.float32
    assert float(x.mean()) == pytest.approx(mean, abs=4.5 * math.sqrt(variance / n))  # standard errors
    assert float(x.var()) == pytest.approx(variance, abs=4.5 * variance * math.sqrt(2 / n))


@every
@given(st.floats(0.05, 0.95), st.floats(0, 0.95))
def test_euler_is_ddim(schedule: Schedule, t: float, share: float) -> None:
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    arguments = (Exact(GAUSSIAN, schedule), x, _time(t), _time(t * share), None, gaussian())
    torch.testing.assert_close(euler(*arguments)[0], ddim(0.0)(*arguments)[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", [Cosine(), FlowMatching()])
def test_euler_and_heun_begin_where_there_is_no_data(schedule: Schedule) -> None:
    """At α = 0, x/α has no meaning, but DDIM has, and one step of first order costs Heun nothing."""
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    exact, times = Exact(GAUSSIAN, schedule), time_grid(schedule, 10)
    torch.testing.assert_close(
        sample(exact, euler, x, times), sample(exact, ddim(0.0), x, times), rtol=1e-12, atol=1e-12
    )
    errors, counts = [], [40, 80, 160]
    for count in counts:
        times = time_grid(schedule, count, stop=1e-3)
        slope, shift = _flow(schedule, 1.0, 1e-3)
        errors.append(float((sample(exact, heun, x, times) - (slope * x + shift)).abs().max()))
    assert _slope_of(errors, counts) > 1.8


STEPS = {
    "ddim": ddim(0.0),
    "eta": ddim(0.5),
    "ancestral": ancestral,
    "forward": ddim(1.0, variance="forward"),
    "euler": euler,
    "heun": heun,
    "dpm_solver": dpm_solver,
    "sde_dpm_solver": sde_dpm_solver,
}


@every
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_the_last_step_returns_x0_and_adds_no_noise(schedule: Schedule, step: Step) -> None:
    exact, x = Exact(GAUSSIAN, schedule), torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    for seed in (0, 1):
        g = torch.Generator().manual_seed(seed)
        end = step(exact, x, _time(0.2), _time(0.0), None, gaussian(g))[0]
        torch.testing.assert_close(end, exact(x, _time(0.2)).x0, rtol=1e-9, atol=1e-9)


def test_one_seed_one_path_and_no_seed_needed_without_noise() -> None:
    exact, times = Exact(GAUSSIAN, VP()), time_grid(VP(), 5)
    x = prior(VP(), (4, 1), generator=torch.Generator().manual_seed(0))
    ends = [sample(exact, ancestral, x, times, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
    assert torch.equal(sample(exact, heun, x, times), sample(exact, heun, x, times))


def test_a_trajectory_is_lazy_and_ends_in_the_sample() -> None:
    calls = []

    class Counting(Exact):
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            calls.append(float(t))
            return super().__call__(x_t, t)

    x, times = torch.randn(3, 1, dtype=torch.float64), time_grid(VP(), 4)
    path = trajectory(Counting(GAUSSIAN, VP()), ddim(), x, times)
    assert torch.equal(next(path), x)
    assert calls == []
    states = list(path)
    assert calls == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert len(states) == 4
    assert torch.equal(states[-1], sample(Exact(GAUSSIAN, VP()), ddim(), x, times))


SETS = [[[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, -2.0], [0.0, 1.0]]]
POINTS = Empirical(torch.tensor(SETS).double())
"""Two sets of three points in the plane, each with its centre at the origin."""


def centred(generator: torch.Generator) -> Noise:
    """Noise of sets (B, n, d) whose centre stays at the origin, as molecules need it."""
    draw = gaussian(generator)

    def noise(like: Tensor) -> Tensor:
        z = draw(like)
        return z - z.mean(1, keepdim=True)

    return noise


@pytest.mark.parametrize("step", [ancestral, ddim(0.5), langevin.annealed(corrections=3, denoise=False)])
def test_projected_noise_keeps_every_state_in_its_plane(step: Step) -> None:
    noise, times = centred(torch.Generator().manual_seed(0)), time_grid(VP(), 6, start=0.99, stop=0.05)
    x = prior(VP(), (5, 3, 2), noise=noise).double()
    states = list(trajectory(Exact(POINTS, VP()), step, x, times, noise=noise))
    assert all(state.mean(1).abs().max() < 1e-6 for state in states)
    assert not torch.allclose(states[-1], states[0])
    free = list(trajectory(Exact(POINTS, VP()), step, x, times, generator=torch.Generator().manual_seed(0)))
    assert free[-1].mean(1).abs().max() > 1e-3


def test_masked_noise_leaves_padding_alone() -> None:
    mask = torch.tensor([1.0, 1.0, 0.0]).double()[:, None]
    x = prior(VP(), (4, 3, 2), generator=torch.Generator().manual_seed(1)).double() * mask
    padded = Exact(Empirical(torch.ones(1, 3, 2).double() * mask), VP())
    for state in trajectory(padded, ancestral, x, time_grid(VP(), 5), noise=lambda like: mask * torch.randn_like(like)):
        assert torch.equal(state[:, 2], torch.zeros(4, 2).double())


def test_a_generator_is_the_shorthand_for_gaussian_noise() -> None:
    exact, times, x = Exact(GAUSSIAN, VP()), time_grid(VP(), 5), torch.zeros(4, 1)
    one, other = (torch.Generator().manual_seed(7) for _ in range(2))
    short = sample(exact, ancestral, x, times, generator=one)
    assert torch.equal(short, sample(exact, ancestral, x, times, noise=gaussian(other)))
    with pytest.raises(ValueError, match="give one of them"):
        sample(exact, ancestral, x, times, noise=gaussian(other), generator=one)


def test_times_are_told_finely_to_a_coarse_state() -> None:
    """In bfloat16, with 8 bits, 200 times would fall together."""
    seen: list[Tensor] = []

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        seen.append(t)
        return x_t, None

    sample(Exact(GAUSSIAN, VP()), step, torch.zeros(2, 1, dtype=torch.bfloat16), time_grid(VP(), 1000))
    assert {t.dtype for t in seen} == {torch.float32}
    assert len({float(t) for t in seen}) == 1000


def test_noise_of_another_precision_is_brought_to_that_of_the_state() -> None:
    x = torch.zeros(4, 1)
    made = sample(EXACT, ancestral, x, TIMES, noise=lambda like: torch.randn(like.shape, dtype=torch.float64))
    assert made.dtype == torch.float32


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


@every
def test_the_prior_is_the_noise_at_1(schedule: Schedule) -> None:
    x = prior(schedule, (20_000, 2), generator=torch.Generator().manual_seed(0))
    assert float(x.std()) == pytest.approx(_levels(schedule, 1.0)[1], rel=4.5 / math.sqrt(2 * 40_000))
    assert float(x.mean() / x.std()) == pytest.approx(0, abs=4.5 / 200)


EXACT, X, TIMES = Exact(GAUSSIAN, VP()), torch.zeros(3, 1), time_grid(VP(), 3)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: ddim(1.5), ValueError, "eta must be at least 0 and at most 1, got 1.5"),
        (lambda: ddim(0.5, variance="forward"), ValueError, "at eta = 1, got eta = 0.5"),
        (lambda: ddim(1.0, variance="forwards"), ValueError, "Did you mean 'forward'"),
        (lambda: ddim(order=3), ValueError, "order must be between 1 and 2, got 3"),
        (lambda: time_grid(VP(), 0), ValueError, "steps must be at least 1"),
        (lambda: time_grid(VP(), 5, start=0.2, stop=0.5), ValueError, "start must be above 0.5"),
        (lambda: time_grid(VP(), 5, spacing="logsnr"), ValueError, "Did you mean 'log_snr'"),
        (lambda: time_grid(VP(), 5, spacing="log_snr"), ValueError, r"log-SNR is infinite .*t = 0"),
        (lambda: time_grid(VP, 5, spacing="log_snr"), TypeError, "schedule must be a Schedule"),
        (lambda: prior(VP(), ()), TypeError, "shape must be a tuple of sizes"),
        (lambda: prior(VP(), 5), TypeError, r"shape must be a tuple of sizes such as \(64, 2\), got 5"),
        (lambda: prior(VP(), (4, 0)), ValueError, r"shape\[1\] must be at least 1, got 0"),
        (lambda: trajectory(EXACT, ddim, X, TIMES), TypeError, r"what ddim makes: ddim\(0\.0\)"),
        (lambda: trajectory(EXACT, "heun", X, TIMES), TypeError, "step must be a function, got 'heun'"),
        (lambda: trajectory(EXACT, heun, X, TIMES.flip(0)), ValueError, "times must fall"),
        (lambda: trajectory(EXACT, heun, X, TIMES[:1]), ValueError, "times must fall"),
        (lambda: trajectory(EXACT, heun, X, 1000 * TIMES), ValueError, r"times must lie in \[0, 1\]"),
        (lambda: trajectory(EXACT, heun, X * math.nan, TIMES), ValueError, "x must be finite"),
        (lambda: trajectory(EXACT, heun, X[:0], TIMES), ValueError, "x is empty"),
        (lambda: trajectory(EXACT, heun, X, TIMES.tolist()), TypeError, r"times must be a torch\.Tensor"),
        (lambda: trajectory(EXACT, heun, X, TIMES, generator=3), TypeError, "generator must be"),
        (lambda: sample(EXACT, heun, torch.zeros(3, 2), TIMES), ValueError, r"x must hold samples of shape \(1,\)"),
        (
            lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: x[:2]),
            ValueError,
            r"what noise\(x\) returns and x",
        ),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: x.long()), TypeError, "must hold floating-point"),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: None), TypeError, "returns must be a torch.Tensor"),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=X), TypeError, "noise must be a function, got a tensor"),
        (lambda: prior(VP(), 3), TypeError, r"shape must be a tuple of sizes such as \(64, 2\), got 3"),
        (lambda: prior(VP(), (3, 0)), ValueError, r"shape\[1\] must be at least 1"),
        (
            lambda: sample(Exact(GAUSSIAN, FlowMatching()), annealed(), X, TIMES),
            ValueError,
            "α = 0. Start just below",
        ),
        (
            lambda: ancestral(EXACT, X, torch.tensor(0.3), torch.tensor(0.6), None, gaussian()),
            ValueError,
            "s must lie before t",
        ),
        (lambda: heun(EXACT, X, torch.tensor([0.3, 0.2]), torch.tensor(0.1)), ValueError, "each one time"),
        (lambda: euler(None, X, torch.tensor(0.3), torch.tensor(0.1)), TypeError, "denoiser must be a denoiser"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
