"""DPM-Solver and DPM-Solver++ in the papers' letters equal the core on every schedule."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.papers import lu2022
from diffusion_teach.samplers import dpm_solver, sample, singlestep, time_grid
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": FlowMatching()}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
MIXTURE = GaussianMixture(*(torch.tensor(v).double() for v in ([0.4, 0.6], [[0.7, 0.1], [-0.5, 0.3]], [0.16, 0.05])))


def letters(schedule: Schedule) -> lu2022.Schedule:
    return lu2022.Schedule(
        schedule.alpha,
        schedule.sigma,
        lambda t: (schedule.alpha(t) / schedule.sigma(t)).log(),
        lambda λ: schedule.time_of(2 * λ),
    )


@every
@pytest.mark.parametrize("order", [2, 3])
def test_a_step_of_dpm_solver_is_the_core_s(schedule: Schedule, order: int) -> None:
    exact, k = Exact(MIXTURE, schedule), letters(schedule)
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = time_grid(schedule, 5, start=0.95, stop=0.02, spacing="logistic")
    paper, step = x, {2: lu2022.dpm_solver_2, 3: lu2022.dpm_solver_3}[order]
    for s, t in pairwise(times):
        paper = step(lambda x, t: exact(x, t).eps, paper, s, t, k)
    torch.testing.assert_close(sample(exact, singlestep(order), x, times), paper, rtol=1e-7, atol=1e-7)


@every
def test_algorithm_2_of_dpm_solver_pp_is_the_core_s(schedule: Schedule) -> None:
    exact = Exact(MIXTURE, schedule)
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = time_grid(schedule, 9, start=0.95, stop=0.02, spacing="logistic")
    paper = lu2022.dpm_solver_pp_2m(lambda x, t: exact(x, t).x0, x, times, letters(schedule))
    torch.testing.assert_close(sample(exact, dpm_solver, x, times), paper, rtol=1e-7, atol=1e-7)
