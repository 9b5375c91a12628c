"""Schedules against the closed forms of the papers, finite differences, and what double precision says."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.schedules import (
    EDM,
    VE,
    VP,
    Cosine,
    Cut,
    Discrete,
    FlowMatching,
    LinearLogSNR,
    Schedule,
    Shifted,
    Sigmoid,
    SubVP,
    cosine_betas,
    linear_betas,
    stable_diffusion_betas,
    zero_terminal_snr,
)

SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "vp-steep": VP(0.3, 12.0),
    "sub-vp": SubVP(),
    "ve": VE(),
    "cosine": Cosine(),
    "cosine-0": Cosine(0.0),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(1000)),
    "cosine-betas": Discrete(cosine_betas(50)),
    "sigmoid": Sigmoid(),
    "sigmoid-late": Sigmoid(0.0, 3.0, 0.3),
    "stable-diffusion-zero": Discrete(zero_terminal_snr(stable_diffusion_betas(50))),
    "shifted": Shifted(Cosine(), -2.0),
    "shifted-ve": Shifted(VE(), 1.5),
}
NOISY = {  # a little noise at t = 0
    "even": LinearLogSNR(),
    "edm": EDM(),
    "cut": Cut(VP()),
}
PRESERVING = ("vp", "vp-steep", "cosine", "cosine-0", "ddpm", "cosine-betas", "sigmoid", "sigmoid-late")
PRESERVING += ("stable-diffusion-zero", "shifted", "shifted-ve", "even", "cut")
CLEAN = tuple(SCHEDULES)
SCHEDULES |= NOISY
every = pytest.mark.parametrize("name", SCHEDULES)
INSIDE = torch.linspace(0.013, 0.987, 41, dtype=torch.float64)


@pytest.mark.parametrize("name", CLEAN)
def test_data_at_0_and_noise_at_1(name: str) -> None:
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    alpha, sigma = SCHEDULES[name].alpha(ends), SCHEDULES[name].sigma(ends)
    assert alpha[0] == 1
    assert sigma[0] == 0
    assert alpha[1] / sigma[1] < 0.06


@every
def test_the_signal_to_noise_ratio_falls(name: str) -> None:
    schedule = SCHEDULES[name]
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)
    assert (schedule.log_snr(t).diff() < 0).all()
    torch.testing.assert_close(
        schedule.log_snr(INSIDE), torch.log(schedule.alpha(INSIDE) ** 2 / schedule.sigma(INSIDE) ** 2)
    )


@pytest.mark.parametrize("name", PRESERVING)
def test_variance_is_preserved(name: str) -> None:
    t = torch.linspace(0, 1, 501, dtype=torch.float64)
    total = SCHEDULES[name].alpha(t) ** 2 + SCHEDULES[name].sigma(t) ** 2
    torch.testing.assert_close(total, torch.ones_like(t), rtol=0, atol=1e-14)


def _beta_integral(t: Tensor) -> Tensor:
    return 0.1 * t + 19.9 * t**2 / 2


# Song et al. 2021, appendices B and C: α, σ² of the transition from clean data, f and g² of the SDE.
SONG: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "vp": (
        lambda t: torch.exp(-0.5 * _beta_integral(t)),
        lambda t: 1 - torch.exp(-_beta_integral(t)),
        lambda t: -0.5 * (0.1 + 19.9 * t),
        lambda t: 0.1 + 19.9 * t,
    ),
    "sub-vp": (
        lambda t: torch.exp(-0.5 * _beta_integral(t)),
        lambda t: (1 - torch.exp(-_beta_integral(t))) ** 2,
        lambda t: -0.5 * (0.1 + 19.9 * t),
        lambda t: (0.1 + 19.9 * t) * (1 - torch.exp(-2 * _beta_integral(t))),
    ),
    "ve": (
        torch.ones_like,
        lambda t: 0.01**2 * (5000 ** (2 * t) - 1),
        torch.zeros_like,
        lambda t: 0.01**2 * 5000 ** (2 * t) * 2 * math.log(5000),
    ),
    "cosine": (
        lambda t: torch.cos((t + 0.008) / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2),
        lambda t: 1 - (torch.cos((t + 0.008) / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2)) ** 2,
        lambda t: -math.pi / 2 / 1.008 * torch.tan((t + 0.008) / 1.008 * math.pi / 2),
        lambda t: math.pi / 1.008 * torch.tan((t + 0.008) / 1.008 * math.pi / 2),
    ),
    # dx = −x/(1 − t) dt + √(2t/(1 − t)) dw carries x₀ to N((1 − t)·x₀, t²).
    "linear": (lambda t: 1 - t, lambda t: t**2, lambda t: -1 / (1 - t), lambda t: 2 * t / (1 - t)),
}


@pytest.mark.parametrize("name", SONG)
def test_closed_forms(name: str) -> None:
    alpha, variance, f, g2 = SONG[name]
    schedule = SCHEDULES[name]
    torch.testing.assert_close(schedule.alpha(INSIDE), alpha(INSIDE), rtol=1e-10, atol=0)
    torch.testing.assert_close(schedule.sigma(INSIDE) ** 2, variance(INSIDE), rtol=1e-10, atol=1e-15)
    torch.testing.assert_close(schedule.f(INSIDE), f(INSIDE), rtol=1e-9, atol=0)
    torch.testing.assert_close(schedule.g2(INSIDE), g2(INSIDE), rtol=1e-9, atol=0)


@every
def test_rates_are_the_slopes_and_the_sde_carries_the_moments(name: str) -> None:
    schedule, h = SCHEDULES[name], 1e-6
    # Half-way between the tables' times, where a table has its only kinks.
    t = (torch.arange(3, 48, dtype=torch.float64) + 0.5) / 50 + 0.0003
    alpha_dot, sigma_dot = schedule.rates(t)
    for rate, level in ((alpha_dot, schedule.alpha), (sigma_dot, schedule.sigma)):
        torch.testing.assert_close(rate, (level(t + h) - level(t - h)) / (2 * h), rtol=1e-5, atol=1e-6)
    # dα/dt = f·α and dσ²/dt = 2f·σ² + g² are the moment equations of dx = f·x dt + g dw.
    torch.testing.assert_close(schedule.f(t) * schedule.alpha(t), alpha_dot)
    sigma = schedule.sigma(t)
    torch.testing.assert_close(2 * schedule.f(t) * sigma**2 + schedule.g2(t), 2 * sigma * sigma_dot)


@every
@pytest.mark.parametrize("time", [1e-5, 1e-4, 1e-2, 0.5, 0.9])
def test_single_precision_keeps_small_noise(name: str, time: float) -> None:
    schedule = SCHEDULES[name]
    t = torch.tensor(time)
    for level in (schedule.alpha, schedule.sigma):
        assert level(t).dtype == torch.float32
        assert float(level(t)) == pytest.approx(float(level(t.double())), rel=2e-6)


@every
@given(st.floats(1e-4, 0.9999))
def test_time_of_inverts_the_log_snr(name: str, time: float) -> None:
    t = torch.tensor(time, dtype=torch.float64)
    assert float(SCHEDULES[name].time_of(SCHEDULES[name].log_snr(t))) == pytest.approx(time, abs=1e-12)


@every
def test_time_of_gives_the_nearer_end_out_of_range(name: str) -> None:
    far = torch.tensor([math.inf, 1e3, -1e3, -math.inf], dtype=torch.float64)
    torch.testing.assert_close(SCHEDULES[name].time_of(far).round(), torch.tensor([0.0, 0, 1, 1]).double())


@every
def test_infinite_rates_are_an_error_and_finite_ones_are_not(name: str) -> None:
    schedule = SCHEDULES[name]
    zero, one = torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    if name in CLEAN and (name in PRESERVING or name == "ve"):
        with pytest.raises(ValueError, match=r"no finite rates of change at some t in 0 … 0\. Keep away"):
            schedule.rates(zero)
    assert torch.isfinite(schedule.f(zero))
    if float(schedule.alpha(one)) == 0:
        with pytest.raises(ValueError, match="no finite f at some t"):
            schedule.f(one)
        with pytest.raises(ValueError, match="no finite"):
            schedule.g2(one)


def test_what_is_finite_at_an_end_is_told() -> None:
    zero, one = torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    a = math.pi / 2 / 1.008
    assert float(Cosine().rates(one)[0]) == pytest.approx(-a / math.sin(a), rel=1e-12)
    assert float(Cosine().rates(one)[1]) == pytest.approx(0, abs=1e-12)
    assert [float(rate) for rate in SubVP(0.1, 20).rates(zero)] == pytest.approx([-0.05, 0.1])
    # Where σ grows like √t the SDE's noise begins at dσ²/dt, which is finite.
    assert float(VP(0.1, 20).g2(zero)) == pytest.approx(0.1)
    assert float(SubVP().g2(zero)) == 0
    assert float(VE(0.01, 50).g2(zero)) == pytest.approx(2 * 0.01**2 * math.log(5000))
    assert float(Cosine(0.008).g2(zero)) == pytest.approx(2 * a / math.tan(a), rel=1e-9)
    assert float(Discrete(torch.tensor([0.3, 0.4])).g2(zero)) == pytest.approx(-2 * math.log(0.7))


@every
def test_rates_are_the_same_in_inference_mode(name: str) -> None:
    schedule, t = SCHEDULES[name], torch.tensor([0.3, 0.8], dtype=torch.float64)
    outside = *schedule.rates(t), schedule.f(t), schedule.g2(t)
    with torch.inference_mode():
        inside = *schedule.rates(t.clone()), schedule.f(t), schedule.g2(t)
    for a, b in zip(outside, inside, strict=True):
        assert torch.equal(a, b)
        assert a.any() or name in ("ve", "edm")


@given(st.one_of(st.floats(max_value=-1e-6), st.floats(min_value=1.0001)), st.sampled_from(["alpha", "sigma", "f"]))
def test_times_outside_are_an_error(time: float, what: str) -> None:
    with pytest.raises(ValueError, match="t must"):
        getattr(SCHEDULES["vp"], what)(torch.tensor([0.5, time], dtype=torch.float64))


@pytest.mark.parametrize("bad", [0.5, None, torch.tensor(500), torch.empty(0)])
def test_times_that_are_no_tensor_of_numbers_are_an_error(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match="t (must|is empty)"):
        VP().alpha(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VP(beta_min=0), "beta_min must be above 0"),
        (lambda: VP(beta_min=1.0, beta_max=0.5), "beta_max must be at least 1"),
        (lambda: VE(sigma_min=1.0, sigma_max=0.5), "sigma_max must be above 1"),
        (lambda: Cosine(-0.1), "s must be at least 0"),
        (lambda: Sigmoid(1.0, 1.0), "end must be above 1"),
        (lambda: Sigmoid(tau=0), "tau must be above 0"),
        (lambda: Sigmoid(tau=0.03), "tau must be at least 0.0375"),
        (lambda: LinearLogSNR(-1.0, 1.0), "most must be above 1"),
        (lambda: EDM(1.0, 0.5), "sigma_max must be above 1"),
        (lambda: EDM(rho=0), "rho must be above 0"),
        (lambda: VP().time_of(torch.tensor([math.nan])), "NaN"),
    ],
)
def test_schedules_that_are_none(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_sigmoid_is_the_printed_one() -> None:
    """Chen 2023, algorithm 1: (S(e/τ) − S((t(e − s) + s)/τ)) / (S(e/τ) − S(s/τ))."""
    for start, end, tau in ((-3.0, 3.0, 1.0), (0.0, 3.0, 0.3), (-3.0, 3.0, 0.1), (-1.0, 3.0, 0.5)):
        first, last = torch.sigmoid(torch.tensor([start, end], dtype=torch.float64) / tau)
        printed = (last - torch.sigmoid((INSIDE * (end - start) + start) / tau)) / (last - first)
        torch.testing.assert_close(Sigmoid(start, end, tau).alpha(INSIDE) ** 2, printed, rtol=1e-9, atol=1e-15)


def test_the_rungs_of_edm_s_ladder_are_even_times() -> None:
    """Karras et al. 2022, eq. 5 with 18 rungs: σ_i = (σ_max^(1/ρ) + i/(N − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ."""
    i = torch.arange(18, dtype=torch.float64)
    rungs = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    torch.testing.assert_close(EDM().sigma(1 - i / 17), rungs)
    assert EDM().alpha(i / 17).eq(1).all()
    assert [float(EDM(0.01, 30.0, 3.0).sigma(torch.tensor(time).double())) for time in (0.0, 1.0)] == pytest.approx(
        [0.01, 30.0]
    )


def test_an_even_log_snr_is_a_straight_line() -> None:
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    torch.testing.assert_close(LinearLogSNR(6.0, -9.0).log_snr(t), 6 - 15 * t)
    torch.testing.assert_close(LinearLogSNR(6.0, -9.0).alpha(t).square(), torch.sigmoid(6 - 15 * t))
