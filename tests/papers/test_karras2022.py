"""EDM in the paper's letters: preconditioning, weight and noise are the core's row, the samplers the core's steps."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.weights import bare_weight
from diffusion_teach.papers import karras2022
from diffusion_teach.parameterizations import row
from diffusion_teach.samplers import edm, heun, sample, time_grid
from diffusion_teach.schedules import EDM, VE

T = torch.linspace(0, 1, 9, dtype=torch.float64)
σ = EDM().sigma(T)
MIXTURE = GaussianMixture(*(torch.tensor(v).double() for v in ([0.4, 0.6], [[0.7, 0.1], [-0.5, 0.3]], [0.16, 0.05])))


class Sine(nn.Module):
    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return torch.sin(3 * x)


@pytest.mark.parametrize("σ_data", [0.5, 1.0])
def test_the_denoiser_is_the_row(σ_data: float) -> None:
    x = torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * σ[:, None]
    learned = Learned(Sine(), EDM(), "edm", data_std=σ_data)
    paper = karras2022.D_θ(lambda x, _: torch.sin(3 * x), x, σ[:, None], σ_data)
    torch.testing.assert_close(learned(x, T).x0, paper)


def test_what_goes_in_and_out_has_unit_variance_and_the_skip_is_the_best_one() -> None:
    """Karras et al. 2022, appendix B.6: c_skip minimises c_out."""
    c, s = karras2022.preconditioning(σ), karras2022.SIGMA_DATA
    torch.testing.assert_close(c.c_in**2 * (s**2 + σ**2), torch.ones(9).double())

    def unit(skip: Tensor) -> Tensor:
        return (1 - skip) ** 2 * s**2 + skip**2 * σ**2  # c_out² for which the target has unit variance

    torch.testing.assert_close(c.c_out**2, unit(c.c_skip))
    assert (unit(c.c_skip + 0.01) > c.c_out**2).all()
    assert (unit(c.c_skip - 0.01) > c.c_out**2).all()
    p, q = row("edm", EDM(), T, data_std=s)
    torch.testing.assert_close(p * c.c_out, 1 - c.c_skip)
    torch.testing.assert_close(q * c.c_out, -c.c_skip * σ)
    torch.testing.assert_close(c.c_noise, torch.log(σ) / 4)


def test_the_weight_lets_every_level_count_alike() -> None:
    torch.testing.assert_close(karras2022.λ(σ) * karras2022.preconditioning(σ).c_out ** 2, torch.ones(9).double())
    on_x0 = bare_weight("edm", EDM(), T, data_std=karras2022.SIGMA_DATA) / σ.square()
    torch.testing.assert_close(karras2022.λ(σ), on_x0)


def test_levels_are_log_normal() -> None:
    drawn = karras2022.training_σ((40_000,), generator=torch.Generator().manual_seed(1)).log()
    assert float(drawn.mean()) == pytest.approx(-1.2, abs=4.5 * 1.2 / 200)
    assert float(drawn.std()) == pytest.approx(1.2, abs=4.5 * 1.2 / math.sqrt(80_000))


def test_the_ladder_is_the_schedule_at_even_times_and_the_grid_of_any_other() -> None:
    N, path = 18, VE(0.0005, 120.0)
    ladder = karras2022.time_steps(N)[:-1]
    torch.testing.assert_close(EDM().sigma(time_grid(EDM(), N - 1)), ladder)
    ends = path.time_of(-2 * ladder[[0, -1]].log()).tolist()
    times = time_grid(path, N - 1, start=ends[0], stop=ends[1], spacing="rho")
    torch.testing.assert_close(path.sigma(times), ladder, rtol=1e-8, atol=0)


@pytest.mark.parametrize("S_noise", [1.0, 1.007])
def test_it_is_the_paper_s_algorithm_2(S_noise: float) -> None:
    schedule, N, S_churn = VE(0.0005, 120.0), 18, 4.0
    σ = karras2022.time_steps(N)
    ends = schedule.time_of(-2 * σ[[0, N - 1]].log()).tolist()
    times = time_grid(schedule, N - 1, start=ends[0], stop=ends[1], spacing="rho")
    torch.testing.assert_close(schedule.sigma(times), σ[:-1], rtol=1e-8, atol=0)
    x = 80 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    options = {"S_tmin": 0.05, "S_tmax": 50.0, "S_noise": S_noise}
    paper = karras2022.algorithm_2(
        lambda x, t: MIXTURE.posterior_mean(x, 1.0, t),
        x,
        σ,
        S_churn=S_churn,
        **options,
        generator=torch.Generator().manual_seed(1),
    )
    step = edm(S_churn / N, between=(0.05, 50.0), noise_scale=S_noise)
    times = torch.cat([times, times.new_zeros(1)])
    core = sample(Exact(MIXTURE, schedule), step, x, times, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(core, paper, rtol=1e-6, atol=1e-6)


def test_without_churn_it_is_algorithm_1_which_is_heun() -> None:
    schedule, σ = VE(0.0005, 120.0), karras2022.time_steps(12)
    times = torch.cat([schedule.time_of(-2 * σ[:-1].log()), torch.zeros(1).double()])
    x = 80 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    paper = karras2022.algorithm_2(lambda x, t: MIXTURE.posterior_mean(x, 1.0, t), x, σ)
    torch.testing.assert_close(sample(Exact(MIXTURE, schedule), heun, x, times), paper, rtol=1e-6, atol=1e-6)
