"""A Gaussian, on which every step is affine and the moments can be written down."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import Step, gaussian, sample, time_grid
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


def time(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def levels(schedule: Schedule, t: float) -> tuple[float, float]:
    return float(schedule.alpha(time(t))), float(schedule.sigma(time(t)))


def affine(step: Step, schedule: Schedule, t: float, s: float) -> tuple[float, float, float]:
    """What a step does to x, x_s = slope·x_t + shift + spread·z: three points, whose z is known, give the three."""
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    z = torch.randn(3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    g = torch.Generator().manual_seed(5)
    moved = step(Exact(GAUSSIAN, schedule), x, time(t), time(s), None, gaussian(g))[0]
    found = torch.linalg.solve(torch.cat([x, torch.ones_like(x), z], dim=1), moved)
    return float(found[0]), float(found[1]), float(found[2])


def flow(schedule: Schedule, t: float, s: float) -> tuple[float, float]:
    """The exact probability flow of a Gaussian from t to s: it keeps (x − αm)/√(α²STD² + σ²)."""
    (alpha_t, sigma_t), (alpha_s, sigma_s) = levels(schedule, t), levels(schedule, s)
    slope = math.hypot(alpha_s * STD, sigma_s) / math.hypot(alpha_t * STD, sigma_t)
    return slope, alpha_s * MEAN - slope * alpha_t * MEAN


def slope_of(errors: list[float], counts: list[int]) -> float:
    return -math.log(errors[-1] / errors[0]) / math.log(counts[-1] / counts[0])


def order_of(step: Step, schedule: Schedule) -> float:
    """How fast a step's error of the flow falls with the number of steps: its order of convergence."""
    errors, counts = [], [40, 80, 160]
    for count in counts:
        times = time_grid(schedule, count, start=0.98, stop=1e-3, spacing="log_snr")
        x = torch.linspace(-1.5, 1.5, 5, dtype=torch.float64)[:, None]
        slope, shift = flow(schedule, 0.98, 1e-3)
        error = sample(Exact(GAUSSIAN, schedule), step, x, times) - (slope * x + shift)
        errors.append(float(error.abs().max()))
    return slope_of(errors, counts)
