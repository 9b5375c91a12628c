"""Schedules against the closed forms of the papers, finite differences, and what double precision says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion_teach import devices
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
    "vp-steep": VP(0.3, 12.0),
    "sub-vp": SubVP(),
    "ve": VE(),
    "cosine": Cosine(),
    "cosine-0": Cosine(0.0),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(1000)),
    "cosine-betas": Discrete(cosine_betas(50)),
}
PRESERVING = ("vp", "vp-steep", "cosine", "cosine-0", "ddpm", "cosine-betas")
every = pytest.mark.parametrize("name", SCHEDULES)
INSIDE = torch.linspace(0.013, 0.987, 41, dtype=torch.float64)


@every
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


def alpha_bar(table: Discrete) -> torch.Tensor:
    """ᾱ₀ … ᾱ_T."""
    return table.alpha(torch.arange(table.steps + 1, dtype=torch.float64) / table.steps) ** 2


def test_a_table_has_an_entry_for_clean_data() -> None:
    betas = torch.tensor([0.1, 0.2, 0.5], dtype=torch.float64)
    table = Discrete(betas)
    assert table.steps == 3
    assert alpha_bar(table).tolist() == pytest.approx([1, 0.9, 0.72, 0.36])
    assert alpha_bar(table)[0] == 1


@pytest.mark.parametrize("steps", [21, 30, 100, 1000, 4000])
def test_a_step_number_finds_its_own_entry_in_single_precision(steps: int) -> None:
    k = torch.arange(steps + 1)
    for table in (Discrete(linear_betas(steps)), Discrete(cosine_betas(steps))):
        entries = torch.cat([torch.ones(1, dtype=torch.float64), (1 - table.betas).cumprod(0)])
        torch.testing.assert_close(table.alpha(k / steps).double() ** 2, entries, rtol=3e-6, atol=0)
        torch.testing.assert_close(table.sigma(k / steps).double() ** 2, 1 - entries, rtol=3e-6, atol=1e-15)


def test_a_table_is_the_continuous_path_with_beta_constant_within_a_step() -> None:
    table = Discrete(torch.tensor([0.1, 0.4], dtype=torch.float64))
    t = torch.tensor([0.25, 0.75], dtype=torch.float64)
    torch.testing.assert_close(table.alpha(t) ** 2, torch.tensor([0.9**0.5, 0.9 * 0.6**0.5], dtype=torch.float64))
    # Within a step f = −β/2 with ∫β = −log(1 − β_k) over a step of length 1/2.
    torch.testing.assert_close(table.g2(t), -2 * torch.log(1 - table.betas))


class NoFloat64(TorchDispatchMode):
    """Fails where something computes in float64, as Apple's GPUs do."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        assert not isinstance(result, torch.Tensor) or result.dtype != torch.float64, func
        return result


def test_a_table_needs_no_float64_where_the_device_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    t = torch.cat([torch.arange(1001) / 1000, torch.rand(500, generator=torch.Generator().manual_seed(0))])
    for betas in (linear_betas(1000), cosine_betas(1000), cosine_betas(7)):
        table = Discrete(betas)
        inner = t[1:] if len(betas) == 7 else t
        expected = table.alpha(inner), table.sigma(inner)
        with monkeypatch.context() as patch, NoFloat64():
            patch.setattr(devices, "widest", lambda device: torch.float32)
            found = table.alpha(inner), table.sigma(inner)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-7)
    with pytest.raises(AssertionError, match="aten"), NoFloat64():
        table.alpha(t)


@pytest.mark.parametrize("steps", [10, 20, 50, 100, 300, 1000])
def test_exactly_one_cosine_beta_is_clipped(steps: int) -> None:
    betas = cosine_betas(steps)
    assert betas.shape == (steps,)
    assert (betas == 0.999).sum() == 1
    assert betas[-1] == 0.999
    # What is not clipped has the product of Nichol & Dhariwal's eq. 17.
    k = torch.arange(steps, dtype=torch.float64)
    f = torch.cos((k / steps + 0.008) / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(alpha_bar(Discrete(betas))[:-1], f / f[0])


def test_the_printed_figures_of_the_two_schedules() -> None:
    linear, cosine = Discrete(linear_betas(1000)), Discrete(cosine_betas(1000))
    assert float(alpha_bar(linear)[-1]) == pytest.approx(4.04e-5, rel=2e-3)
    assert float(alpha_bar(linear)[500]) == pytest.approx(0.079, abs=5e-4)
    assert float(alpha_bar(cosine)[500]) == pytest.approx(0.494, abs=5e-4)
    assert int((alpha_bar(linear)[1:] < 0.01).sum()) == 327
    assert int((alpha_bar(cosine)[1:] < 0.01).sum()) == 65


@pytest.mark.parametrize("steps", [100, 250, 2000])
def test_linear_betas_reach_noise_at_every_number_of_steps(steps: int) -> None:
    assert float(alpha_bar(Discrete(linear_betas(steps)))[-1]) == pytest.approx(4e-5, rel=0.6)
    assert float(linear_betas(1000).max()) == 0.02
    assert linear_betas().shape == cosine_betas().shape == (1000,)  # as in both papers
    unscaled = torch.linspace(1e-4, 0.02, 100, dtype=torch.float64)
    assert float(alpha_bar(Discrete(unscaled))[-1]) == pytest.approx(0.36, abs=0.01)


@pytest.mark.parametrize("steps", [1, 10, 20])
def test_linear_betas_of_few_steps_are_an_error(steps: int) -> None:
    with pytest.raises(ValueError, match="at least 21 steps, or cosine_betas"):
        linear_betas(steps)


@every
def test_infinite_rates_are_an_error_and_finite_ones_are_not(name: str) -> None:
    schedule = SCHEDULES[name]
    zero, one = torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    if name in PRESERVING or name == "ve":
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
        assert a.any() or name == "ve"


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
        (lambda: Discrete(torch.tensor([0.1, 1.0])), "strictly between 0 and 1"),
        (lambda: Discrete(torch.zeros(2, 2)), r"shape \(steps\)"),
        (lambda: Discrete(torch.empty(0)), "betas is empty"),
        (lambda: Discrete(torch.tensor([0.1, math.nan])), "must be finite"),
        (lambda: linear_betas(0), "steps must be at least 1"),
        (lambda: cosine_betas(10, largest=1.0), "largest must be above 0 and below 1"),
        (lambda: VP().time_of(torch.tensor([math.nan])), "NaN"),
    ],
)
def test_schedules_that_are_none(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_steps_must_be_whole() -> None:
    with pytest.raises(TypeError, match="steps must be a whole number, got 10.0"):
        cosine_betas(10.0)  # type: ignore[arg-type]
