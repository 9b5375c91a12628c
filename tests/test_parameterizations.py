"""The six rows: every target says the same, from every side."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.parameterizations import TARGETS, add_noise, determinant, expand, row, solve, target
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

SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.01, 20.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(100)),
    "cosine-betas": Discrete(cosine_betas(40)),
}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)
every_target = pytest.mark.parametrize("name", TARGETS)


def _points(seed: int, shape: tuple[int, ...] = (5, 3)) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, dtype=torch.float64, generator=g) for _ in range(2))  # type: ignore[return-value]


@every_schedule
@every_target
@given(st.floats(2e-3, 0.99), st.integers(0, 2**32))
def test_round_trip(schedule: str, name: str, time: float, seed: int) -> None:
    line, t = SCHEDULES[schedule], torch.tensor(time, dtype=torch.float64)
    x0, eps = _points(seed)
    x_t = add_noise(line, t, x0, eps)
    found = solve(name, line, t, x_t, target(name, line, t, x0, eps))
    # The line loses digits of x₀ in σ·ε and of ε in α·x₀; a steep velocity loses as many.
    ratio = float(line.sigma(t) / line.alpha(t))
    torch.testing.assert_close(found.x0, x0, rtol=0, atol=1e-10 * max(ratio, 1))
    torch.testing.assert_close(found.eps, eps, rtol=0, atol=1e-10 * max(1 / ratio, 1))


@every_schedule
@given(st.floats(2e-3, 0.99), st.integers(0, 2**32))
def test_every_row_names_the_same_score_and_drift(schedule: str, time: float, seed: int) -> None:
    """A path x_t = α·x₀ + σ·ε moves with α̇·x₀ + σ̇·ε = f·x_t − g²/2·(−ε/σ): the probability-flow drift."""
    line, t = SCHEDULES[schedule], torch.tensor(time, dtype=torch.float64)
    x0, eps = _points(seed)
    x_t = add_noise(line, t, x0, eps)
    alpha_dot, sigma_dot = line.rates(t)
    drifts = []
    for name in TARGETS:
        found = solve(name, line, t, x_t, target(name, line, t, x0, eps))
        drifts.append(line.f(t) * x_t + line.g2(t) / 2 * found.eps / line.sigma(t))
    scale = float(alpha_dot.abs() + sigma_dot.abs()) * float(x0.abs().max() + eps.abs().max())
    for drift in drifts:
        torch.testing.assert_close(drift, alpha_dot * x0 + sigma_dot * eps, rtol=0, atol=1e-7 * scale)


@every_schedule
def test_the_score_target_is_the_slope_of_the_log_density(schedule: str) -> None:
    line, t = SCHEDULES[schedule], torch.tensor(0.4, dtype=torch.float64)
    x0, eps = _points(3)
    x_t = add_noise(line, t, x0, eps).requires_grad_()
    log_density = torch.distributions.Normal(line.alpha(t) * x0, line.sigma(t)).log_prob(x_t).sum()
    (slope,) = torch.autograd.grad(log_density, x_t)
    torch.testing.assert_close(target("score", line, t, x0, eps), slope)


def test_v_is_the_velocity_of_the_quarter_turn() -> None:
    # With α = cos φ and σ = sin φ, v = dx_t/dφ (Salimans & Ho 2022, appendix D); Cosine(0) has φ = πt/2.
    t = torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
    x0, eps = _points(0, (7, 2))
    line = Cosine(0.0)
    torch.testing.assert_close(
        target("v", line, t, x0, eps) * math.pi / 2, target("velocity", line, t, x0, eps), rtol=1e-9, atol=1e-12
    )


@every_schedule
@pytest.mark.parametrize("data_std", [0.5, 1.0, 3.0])
def test_edm_s_target_and_what_it_is_fed_have_unit_variance(schedule: str, data_std: float) -> None:
    line, t = SCHEDULES[schedule], torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
    p, q = row("edm", line, t, data_std=data_std)
    torch.testing.assert_close((data_std * p).square() + q.square(), torch.ones_like(t))
    # Fed x_t, x_t/N is uncorrelated with the target: what the skip leaves cannot be guessed by scaling the input.
    torch.testing.assert_close(p * line.alpha(t) * data_std**2 + q * line.sigma(t), torch.zeros_like(t))
    spread = torch.hypot(data_std * line.alpha(t), line.sigma(t))
    torch.testing.assert_close(determinant("edm", line, t, data_std=data_std), -spread / data_std)


def test_edm_s_row_is_minus_v_where_variance_is_preserved() -> None:
    t = torch.linspace(0, 1, 9, dtype=torch.float64)
    x0, eps = _points(2, (9, 3))
    torch.testing.assert_close(target("edm", Cosine(), t, x0, eps), -target("v", Cosine(), t, x0, eps))
    with pytest.raises(ValueError, match="data_std must be above 0"):
        row("edm", Cosine(), t, data_std=0.0)


def test_flow_matching_asks_for_noise_minus_data() -> None:
    x0, eps = _points(0)
    t = torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0], dtype=torch.float64)
    torch.testing.assert_close(target("velocity", FlowMatching(), t, x0, eps), eps - x0)


@every_target
@every_schedule
@given(st.floats(5e-3, 0.98))
def test_errors_of_two_targets_differ_by_the_ratio_of_determinants(name: str, schedule: str, time: float) -> None:
    line, t = SCHEDULES[schedule], torch.tensor(time, dtype=torch.float64)
    x_t, error = _points(1)
    d = determinant(name, line, t)
    off, base = solve(name, line, t, x_t, error), solve(name, line, t, x_t, torch.zeros_like(error))
    # An error δ in y moves ε by α·δ/D and x₀ by −σ·δ/D.
    torch.testing.assert_close(off.eps - base.eps, line.alpha(t) / d * error, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(off.x0 - base.x0, -line.sigma(t) / d * error, rtol=1e-6, atol=1e-9)


@every_schedule
def test_the_velocity_determinant_is_half_the_diffusion(schedule: str) -> None:
    line, t = SCHEDULES[schedule], torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    torch.testing.assert_close(2 * line.sigma(t) * determinant("velocity", line, t) / line.alpha(t), line.g2(t))


def test_v_never_breaks_and_the_others_say_where_they_do() -> None:
    x0, eps = _points(0)
    for time in (0.0, 1.0):
        t = torch.tensor(time, dtype=torch.float64)
        x_t = add_noise(FlowMatching(), t, x0, eps)
        found = solve("v", Cosine(), t, add_noise(Cosine(), t, x0, eps), target("v", Cosine(), t, x0, eps))
        torch.testing.assert_close(found.x0, x0)
        torch.testing.assert_close(found.eps, eps)
        torch.testing.assert_close(solve("velocity", FlowMatching(), t, x_t, eps - x0).x0, x0)
    zero, one = torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    for name, t in (("x0", zero), ("eps", one), ("score", one)):
        with pytest.raises(ValueError, match=f"the target '{name}' does not determine x0 and eps where D = 0"):
            solve(name, FlowMatching(), t, x0, eps)
    with pytest.raises(ValueError, match="score target is infinite where sigma = 0"):
        solve("score", FlowMatching(), zero, x0, eps)


@pytest.mark.parametrize("name", ["x0", "eps", "score", "v"])
@pytest.mark.parametrize("time", [1e-5, 1e-3])
def test_single_precision_names_x0_at_small_noise(name: str, time: float) -> None:
    x0, eps = (value.float() for value in _points(4))
    t = torch.tensor(time)
    found = solve(name, VP(), t, add_noise(VP(), t, x0, eps), target(name, VP(), t, x0, eps))
    torch.testing.assert_close(found.x0, x0, rtol=1e-5, atol=1e-5)


@given(st.integers(1, 4), st.lists(st.integers(1, 3), max_size=3), st.booleans())
def test_a_time_for_each_is_as_good_as_one_by_one(batch: int, rest: list[int], members: bool) -> None:
    shape = (2, batch, *rest) if members else (batch, *rest)
    lead = (2, batch) if members else (batch,)
    t = torch.rand(lead, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    x0, eps = _points(0, shape)
    together = add_noise(VP(), t, x0, eps).reshape(-1, *rest)
    flat = zip(t.flatten(), x0.reshape(-1, *rest), eps.reshape(-1, *rest), together, strict=True)
    for time, a, b, x_t in flat:
        if rest:
            torch.testing.assert_close(add_noise(VP(), time, a, b), x_t)
    assert expand(t, x0).shape == lead + (1,) * len(rest)


@pytest.mark.parametrize("t", [torch.rand(3), torch.rand(5, 3, 1), torch.rand(1)])
def test_a_time_that_does_not_fit_is_an_error(t: Tensor) -> None:
    x0, eps = _points(0)
    with pytest.raises(ValueError, match="leading shape of x, got"):
        add_noise(VP(), t.double(), x0, eps)


def test_wrong_arguments_are_named() -> None:
    x0, eps = _points(0)
    t = torch.tensor(0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match="got 'epsilon'. Did you mean 'eps'?"):
        row("epsilon", VP(), t)
    with pytest.raises(ValueError, match=r"x0 and eps must have the same shape, got \(5, 3\) and \(5, 2\)"):
        target("v", VP(), t, x0, eps[:, :2])
    with pytest.raises(ValueError, match=r"y and x_t must have the same shape"):
        solve("v", VP(), t, x0, eps[:2])
    with pytest.raises(ValueError, match="y must be finite, got 1 NaN"):
        solve("v", VP(), t, x0, eps.masked_fill(eps == eps.max(), math.nan))
    with pytest.raises(ValueError, match="x0 is empty"):
        add_noise(VP(), t, x0[:0], eps[:0])
    with pytest.raises(TypeError, match=r"x0 must hold floating-point numbers, got .*dtype uint8.*x0\.float\(\)"):
        add_noise(VP(), t, x0.to(torch.uint8), eps)
    with pytest.raises(TypeError, match=r"eps must be a torch\.Tensor"):
        target("eps", VP(), t, x0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\].*A step number k of T is the time k / T"):
        row("eps", VP(), torch.tensor(500.0))
