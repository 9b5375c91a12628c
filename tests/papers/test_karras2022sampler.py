"""EDM's samplers in the paper's letters equal the core."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.papers import karras2022sampler
from diffusion_teach.samplers import edm, heun, sample, time_grid
from diffusion_teach.schedules import VE

GAUSSIAN = GaussianMixture(*(torch.tensor(v).double() for v in ([0.4, 0.6], [[0.7, 0.1], [-0.5, 0.3]], [0.16, 0.05])))


@pytest.mark.parametrize("S_noise", [1.0, 1.007])
def test_it_is_the_paper_s_algorithm_2(S_noise: float) -> None:
    schedule, N, S_churn = VE(0.0005, 120.0), 18, 4.0
    σ = karras2022sampler.time_steps(N)
    ends = schedule.time_of(-2 * σ[[0, N - 1]].log()).tolist()
    times = time_grid(schedule, N - 1, start=ends[0], stop=ends[1], spacing="rho")
    torch.testing.assert_close(schedule.sigma(times), σ[:-1], rtol=1e-8, atol=0)
    x = 80 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    options = {"S_tmin": 0.05, "S_tmax": 50.0, "S_noise": S_noise}
    paper = karras2022sampler.algorithm_2(
        lambda x, t: GAUSSIAN.posterior_mean(x, 1.0, t),
        x,
        σ,
        S_churn=S_churn,
        **options,
        generator=torch.Generator().manual_seed(1),
    )
    step = edm(S_churn / N, between=(0.05, 50.0), noise_scale=S_noise)
    times = torch.cat([times, times.new_zeros(1)])
    core = sample(Exact(GAUSSIAN, schedule), step, x, times, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(core, paper, rtol=1e-6, atol=1e-6)


def test_without_churn_it_is_algorithm_1_which_is_heun() -> None:
    schedule, σ = VE(0.0005, 120.0), karras2022sampler.time_steps(12)
    times = torch.cat([schedule.time_of(-2 * σ[:-1].log()), torch.zeros(1).double()])
    x = 80 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    paper = karras2022sampler.algorithm_2(lambda x, t: GAUSSIAN.posterior_mean(x, 1.0, t), x, σ)
    torch.testing.assert_close(sample(Exact(GAUSSIAN, schedule), heun, x, times), paper, rtol=1e-6, atol=1e-6)
