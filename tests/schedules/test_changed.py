"""Schedules made of other ones: what is kept, and what is not."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.schedules import (
    VE,
    VP,
    Cosine,
    Cut,
    Discrete,
    FlowMatching,
    LinearLogSNR,
    Schedule,
    Shifted,
    SubVP,
    linear_betas,
    resolution_shift,
)

WHOLE: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.001, 200.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(1000)),
}
T = torch.linspace(0, 1, 101, dtype=torch.float64)
every = pytest.mark.parametrize("schedule", WHOLE.values(), ids=WHOLE)


@every
def test_a_cut_runs_from_one_log_snr_to_the_other_at_the_schedule_s_own_pace(schedule: Schedule) -> None:
    cut = Cut(schedule, 7.0, -6.0)
    assert cut.log_snr(T)[[0, -1]].tolist() == pytest.approx([7, -6], abs=1e-9)
    first, last = schedule.time_of(torch.tensor([7.0, -6.0], dtype=torch.float64))
    inner = torch.lerp(first, last, T)
    torch.testing.assert_close(cut.alpha(T), schedule.alpha(inner))
    torch.testing.assert_close(cut.sigma(T), schedule.sigma(inner))
    half = T[1:-1] + 0.0007
    for found, whole in zip(cut.rates(half), schedule.rates(torch.lerp(first, last, half)), strict=True):
        torch.testing.assert_close(found, (last - first) * whole)


def test_the_ends_of_a_schedule_are_no_farther_than_it_reaches() -> None:
    assert Cut(LinearLogSNR(), 10.0, -10.0).log_snr(T).tolist() == pytest.approx((10 - 20 * T).tolist(), abs=1e-9)
    for most, least in ((11.0, -5.0), (5.0, -11.0)):
        with pytest.raises(ValueError, match="within the log-SNRs that the schedule reaches, -10 to 10; got"):
            Cut(LinearLogSNR(), most, least)
    with pytest.raises(ValueError, match="most must be above 3"):
        Cut(VP(), 2.0, 3.0)
    with pytest.raises(TypeError, match="schedule must be a Schedule"):
        Cut("vp")  # type: ignore[arg-type]


@every
@pytest.mark.parametrize("shift", [-3.0, 0.0, 2.0])
def test_a_shift_moves_the_log_snr_and_preserves_variance(schedule: Schedule, shift: float) -> None:
    shifted = Shifted(schedule, shift)
    inner = T[1:-1]
    torch.testing.assert_close(shifted.log_snr(inner), schedule.log_snr(inner) + shift)
    torch.testing.assert_close(shifted.alpha(T).square() + shifted.sigma(T).square(), torch.ones_like(T))
    torch.testing.assert_close(shifted.alpha(inner).square(), torch.sigmoid(schedule.log_snr(inner) + shift))
    assert [float(shifted.alpha(T[0])), float(shifted.sigma(T[0]))] == [1, 0]


def test_a_shift_has_finite_slopes_where_the_schedule_has() -> None:
    shifted = Shifted(FlowMatching(), 2 * math.log(3))  # σ/α is divided by 3
    zero, one = T[0], T[-1]
    # α' = (1 − t)/N, σ' = (t/3)/N, N² = (1 − t)² + t²/9
    assert [float(rate) for rate in shifted.rates(zero)] == pytest.approx([0, 1 / 3])
    assert [float(rate) for rate in shifted.rates(one)] == pytest.approx([-3, 0])
    assert float(Shifted(VP(0.1, 20.0), 1.0).g2(zero)) == pytest.approx(0.1 * math.exp(-1))


def test_a_mean_of_pixels_sees_the_shift_of_its_resolution() -> None:
    """The mean of k × k pixels of x_t has the log-SNR λ + 2 log k: a shift by `resolution_shift` gives λ back."""
    g, side, base = torch.Generator().manual_seed(0), 32, 8
    k = side // base
    t = torch.tensor(0.4, dtype=torch.float64)
    shifted = Shifted(Cosine(), resolution_shift(side, base))
    noise = torch.randn(4000, 1, side, side, dtype=torch.float64, generator=g)
    pooled = torch.nn.functional.avg_pool2d(float(shifted.sigma(t)) * noise, k)
    log_snr = 2 * math.log(float(shifted.alpha(t)) / float(pooled.std()))
    assert log_snr == pytest.approx(float(Cosine().log_snr(t)), abs=5 * 2 / math.sqrt(2 * pooled.numel()))
    assert resolution_shift(64) == 0
    assert resolution_shift(256) == pytest.approx(-4 * math.log(2))
    with pytest.raises(ValueError, match="side must be at least 1"):
        resolution_shift(0)
