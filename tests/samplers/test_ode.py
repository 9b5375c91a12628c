"""Solvers of the probability flow on a Gaussian, whose flow is affine."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.denoisers import Exact
from diffusion_teach.samplers import Step, ddim, euler, gaussian, heun, sample, time_grid
from diffusion_teach.schedules import VP, Cosine, FlowMatching, Schedule
from tests.samplers.on_a_gaussian import GAUSSIAN, every, flow, order_of, slope_of, time


@every
@given(st.floats(0.05, 0.95), st.floats(0, 0.95))
def test_euler_is_ddim(schedule: Schedule, t: float, share: float) -> None:
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    arguments = (Exact(GAUSSIAN, schedule), x, time(t), time(t * share), None, gaussian())
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
        slope, shift = flow(schedule, 1.0, 1e-3)
        errors.append(float((sample(exact, heun, x, times) - (slope * x + shift)).abs().max()))
    assert slope_of(errors, counts) > 1.8


@every
@pytest.mark.parametrize(("step", "order"), [(euler, 1), (heun, 2)], ids=["euler", "heun"])
def test_order_of_convergence(schedule: Schedule, step: Step, order: int) -> None:
    assert order_of(step, schedule) == pytest.approx(order, abs=0.15)


@every
@pytest.mark.parametrize("step", [euler, heun], ids=["euler", "heun"])
def test_the_last_step_returns_x0_and_adds_no_noise(schedule: Schedule, step: Step) -> None:
    exact, x = Exact(GAUSSIAN, schedule), torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    for seed in (0, 1):
        g = torch.Generator().manual_seed(seed)
        end = step(exact, x, time(0.2), time(0.0), None, gaussian(g))[0]
        torch.testing.assert_close(end, exact(x, time(0.2)).x0, rtol=1e-9, atol=1e-9)


def test_bad_input_is_named() -> None:
    exact, x = Exact(GAUSSIAN, VP()), torch.zeros(3, 1)
    with pytest.raises(ValueError, match="each one time"):
        heun(exact, x, torch.tensor([0.3, 0.2]), torch.tensor(0.1))
    with pytest.raises(TypeError, match="denoiser must be a denoiser"):
        euler(None, x, torch.tensor(0.3), torch.tensor(0.1))  # type: ignore[arg-type]
