"""EDM's stochastic sampler: what it adds is noise of the line, and without churn it is Heun."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import edm, euler, gaussian, heun, sample, time_grid
from diffusion_teach.samplers.churn import churned
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule

SCHEDULES = {"vp": VP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": FlowMatching()}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
GAUSSIAN = GaussianMixture(*(torch.tensor(v).double() for v in ([0.4, 0.6], [[0.7, 0.1], [-0.5, 0.3]], [0.16, 0.05])))


def _time(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@every
def test_what_is_added_keeps_the_marginals_of_the_line(schedule: Schedule) -> None:
    """One point x₀: after the churn x is α·x₀ + σ·ε at the later time, whose σ/α is 1 + γ times as large."""
    point = torch.full((1, 1), 1.3, dtype=torch.float64)
    t, g = _time(0.4), torch.Generator().manual_seed(0)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    x_t = alpha * point + sigma * torch.randn(40_000, 1, dtype=torch.float64, generator=g)
    x_up, up = churned(schedule, x_t, t, 0.3, noise=gaussian(g))
    alpha_up, sigma_up = schedule.alpha(up), schedule.sigma(up)
    assert float(sigma_up / alpha_up) == pytest.approx(1.3 * float(sigma / alpha), rel=1e-9)
    off = (x_up - alpha_up * point) / sigma_up
    assert float(off.mean()) == pytest.approx(0, abs=4.5 / 200)  # standard errors
    assert float(off.var()) == pytest.approx(1, abs=4.5 * math.sqrt(2) / 200)


@every
@pytest.mark.parametrize("options", [{"churn": 0.0}, {"churn": 0.4, "between": (1e6, 1e7)}], ids=["γ = 0", "outside"])
def test_without_churn_it_is_its_solver(schedule: Schedule, options: dict[str, float]) -> None:
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times, exact = time_grid(schedule, 9, start=0.98), Exact(GAUSSIAN, schedule)
    assert torch.equal(sample(exact, edm(**options), x, times), sample(exact, heun, x, times))
    assert torch.equal(sample(exact, edm(**options, order=1), x, times), sample(exact, euler, x, times))


def test_more_churn_than_the_schedule_reaches_ends_at_its_end() -> None:
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert float(churned(VP(), x, _time(0.999), 0.4, noise=gaussian())[1]) == pytest.approx(1.0, abs=1e-9)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="churn"):
        edm(0.5)
    with pytest.raises(ValueError, match="noise_scale"):
        edm(0.1, noise_scale=0.0)
    with pytest.raises(TypeError, match="between"):
        edm(0.1, between=0.3)  # type: ignore[arg-type]
