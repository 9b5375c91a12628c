"""The exact flow of a Gaussian: its group property, what it does to the covariance, and that it solves the ODE."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.exact import GaussianMixture, gaussian_flow
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": FlowMatching()}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
GAUSSIAN = GaussianMixture(
    torch.ones(1).double(), torch.tensor([[0.7, -0.3]]).double(), torch.tensor([[[0.25, 0.12], [0.12, 0.15]]]).double()
)


def _time(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@every
def test_it_goes_by_any_way_and_back(schedule: Schedule, x: Tensor) -> None:
    t, u, s = _time(0.9), _time(0.4), _time(0.0)
    straight = gaussian_flow(GAUSSIAN, schedule, x, t, s)
    torch.testing.assert_close(
        gaussian_flow(GAUSSIAN, schedule, gaussian_flow(GAUSSIAN, schedule, x, t, u), u, s), straight
    )
    torch.testing.assert_close(gaussian_flow(GAUSSIAN, schedule, straight, s, t), x)


@every
def test_it_carries_the_covariance_at_t_into_that_at_s(schedule: Schedule) -> None:
    """A flow that is affine, x ↦ A·x + b, carries C into A·C·Aᵀ."""
    t, s = _time(0.8), _time(0.1)
    frame = torch.cat([torch.zeros(1, 2), torch.eye(2)]).double()
    moved = gaussian_flow(GAUSSIAN, schedule, frame, t, s)
    a = (moved[1:] - moved[0]).mT
    before, after = (GAUSSIAN.noised(float(schedule.alpha(u)), float(schedule.sigma(u))) for u in (t, s))
    torch.testing.assert_close(a @ before.covariance @ a.mT, after.covariance)
    torch.testing.assert_close(a @ before.mean + moved[0], after.mean)


@every
def test_it_solves_the_probability_flow(schedule: Schedule, x: Tensor) -> None:
    """dx/dt = f·x − ½g²·∇log q_t, by a central difference."""
    t, d = _time(0.5), 1e-5
    forward, back = (gaussian_flow(GAUSSIAN, schedule, x, t, t + e) for e in (d, -d))
    score = GAUSSIAN.score(x, schedule.alpha(t), schedule.sigma(t))
    velocity = schedule.f(t) * x - 0.5 * schedule.g2(t) * score
    torch.testing.assert_close((forward - back) / (2 * d), velocity, rtol=1e-6, atol=1e-7)


def test_only_a_single_gaussian_has_a_formula(x: Tensor) -> None:
    two = GaussianMixture(torch.ones(2), torch.randn(2, 2), torch.ones(2))
    with pytest.raises(ValueError, match="one component, got 2"):
        gaussian_flow(two, VP(), x, _time(0.5), _time(0.1))
    point = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.zeros(1))
    with pytest.raises(ValueError, match="no spread"):
        gaussian_flow(point, VP(), x, _time(0.0), _time(0.1))
    with pytest.raises(ValueError, match="one time each"):
        gaussian_flow(GAUSSIAN, VP(), x, torch.ones(50).double(), _time(0.1))
