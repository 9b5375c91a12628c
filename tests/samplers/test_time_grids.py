"""Grids of times: EDM's power on every schedule, and the whole steps of a table."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.papers import karras2022
from diffusion_teach.samplers import time_grid
from diffusion_teach.schedules import VE, VP, Cosine, Discrete, FlowMatching, Schedule, SubVP, linear_betas

SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.001, 90.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(1000)),
}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


@every
def test_time_grids_are_even_in_what_they_say(schedule: Schedule) -> None:
    times = time_grid(schedule, 10, start=0.9, stop=0.1)
    torch.testing.assert_close(times.diff(), torch.full((10,), -0.08, dtype=torch.float64))
    times = time_grid(schedule, 10, start=0.99, stop=1e-3, spacing="log_snr")
    assert (float(times[0]), float(times[-1])) == (0.99, 1e-3)
    gaps = schedule.log_snr(times).diff()
    torch.testing.assert_close(gaps, gaps.mean().expand(10), rtol=1e-7, atol=0)
    times = time_grid(schedule, 10, spacing="logistic")
    assert (float(times[0]), float(times[-1])) == (1.0, 0.0)
    off = schedule.log_snr(times) + 2.0
    heights = torch.sigmoid(off / (1.3 + 0.9 * (off > 0)))
    torch.testing.assert_close(heights.diff(), heights.diff().mean().expand(10), rtol=1e-6, atol=0)


@every
@pytest.mark.parametrize("rho", [1.0, 3.0, 7.0])
def test_rho_is_even_in_a_power_of_the_noise(schedule: Schedule, rho: float) -> None:
    times = time_grid(schedule, 12, start=0.97, stop=0.01, spacing="rho", rho=rho)
    assert (float(times[0]), float(times[-1])) == (0.97, 0.01)
    power = torch.exp(-schedule.log_snr(times) / (2 * rho))
    torch.testing.assert_close(power.diff(), power.diff().mean().expand(12), rtol=1e-6, atol=0)


@every
def test_rho_is_equation_5_of_the_paper(schedule: Schedule) -> None:
    ends = torch.exp(-schedule.log_snr(torch.tensor([0.97, 0.01], dtype=torch.float64)) / 2).tolist()
    expected = karras2022.time_steps(13, σ_min=ends[1], σ_max=ends[0])[:-1]
    found = torch.exp(-schedule.log_snr(time_grid(schedule, 12, start=0.97, stop=0.01, spacing="rho")) / 2)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


def test_a_large_rho_is_even_in_log_snr() -> None:
    far, even = (time_grid(VP(), 9, start=0.9, stop=0.1, spacing=how, rho=1e6) for how in ("rho", "log_snr"))
    torch.testing.assert_close(far, even, rtol=1e-5, atol=0)


def test_trailing_and_leading_pick_from_the_table() -> None:
    table = Discrete(linear_betas(100))
    k = (100 * time_grid(table, 8, spacing="trailing")).tolist()
    assert k == pytest.approx([100, 88, 75, 62, 50, 38, 25, 12, 0])  # halves go to even numbers
    k = (100 * time_grid(table, 8, spacing="leading")).tolist()
    assert k == pytest.approx([85, 73, 61, 49, 37, 25, 13, 1, 0])
    torch.testing.assert_close(time_grid(VP(), 20, spacing="trailing"), time_grid(VP(), 20))
    assert float(time_grid(VP(), 10, spacing="leading")[0]) == pytest.approx(0.901)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="steps must be at least 1"):
        time_grid(VP(), 0)
    with pytest.raises(ValueError, match="start must be above 0.5"):
        time_grid(VP(), 5, start=0.2, stop=0.5)
    with pytest.raises(ValueError, match="Did you mean 'log_snr'"):
        time_grid(VP(), 5, spacing="logsnr")
    with pytest.raises(ValueError, match=r"log-SNR is infinite .*t = 0"):
        time_grid(VP(), 5, spacing="log_snr")
    with pytest.raises(TypeError, match="schedule must be a Schedule"):
        time_grid(VP, 5, spacing="log_snr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="infinite"):
        time_grid(VP(), 10, spacing="rho")
    with pytest.raises(ValueError, match="at most 100"):
        time_grid(Discrete(linear_betas(100)), 101, spacing="leading")
    with pytest.raises(ValueError, match="leave out start and stop"):
        time_grid(VP(), 10, spacing="trailing", stop=0.1)
    with pytest.raises(ValueError, match="rho must be at least 1"):
        time_grid(VP(), 10, start=0.9, stop=0.1, spacing="rho", rho=0.5)
