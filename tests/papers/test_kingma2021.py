"""The diffusion loss in the paper's letters is the core's bound."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.bound import bound_draws, continuous_bound, discrete_bound
from diffusion_teach.papers import kingma2021
from diffusion_teach.schedules import Cut, FlowMatching, LinearLogSNR, Schedule, Shifted

GAUSSIAN = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.tensor([[[1.0, 0.6], [0.6, 0.8]]]))
CURVED = Cut(Shifted(FlowMatching(), 0.0), 4.0, -4.0)


def γ_of(schedule: Schedule) -> kingma2021.Gamma:
    return lambda t: -schedule.log_snr(t)


def draws(n: int) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return (
        GAUSSIAN.sample(n, generator=g).double(),
        (torch.arange(n, dtype=torch.float64) + 0.5) / n,
        torch.randn(n, 2, dtype=torch.float64, generator=g),
    )


def test_the_linear_schedule_is_the_core_s() -> None:
    t = torch.linspace(0, 1, 7, dtype=torch.float64)
    torch.testing.assert_close(kingma2021.γ_linear(t), -LinearLogSNR(13.3, -5.0).log_snr(t))
    x, _, ε = draws(7)
    schedule = LinearLogSNR(13.3, -5.0)
    line = schedule.alpha(t)[:, None] * x + schedule.sigma(t)[:, None] * ε
    torch.testing.assert_close(kingma2021.z(x, t, kingma2021.γ_linear, ε), line)


@pytest.mark.parametrize("schedule", [LinearLogSNR(4.0, -4.0), CURVED])
def test_each_draw_in_continuous_time_is_the_core_s(schedule: Schedule) -> None:
    x, t, ε = draws(50)
    exact = Exact(GAUSSIAN, schedule)
    paper = kingma2021.L_inf(lambda z, t: exact(z, t).eps, x, t, γ_of(schedule), ε)
    torch.testing.assert_close(paper, bound_draws(exact, x, t, ε))


def test_the_means_are_the_bounds() -> None:
    n, T = 40_000, 5
    x, t, ε = draws(n)
    exact = Exact(GAUSSIAN, CURVED)
    i = torch.arange(n).double() % T + 1
    losses = {
        "levels": (
            kingma2021.L_T(lambda z, t: exact(z, t).eps, x, i, T, γ_of(CURVED), ε),
            discrete_bound(GAUSSIAN, CURVED, T),
        ),
        "limit": (
            kingma2021.L_inf(lambda z, t: exact(z, t).eps, x, t, γ_of(CURVED), ε),
            continuous_bound(GAUSSIAN, CURVED),
        ),
    }
    for found, expected in losses.values():
        assert float(found.mean()) == pytest.approx(float(expected), abs=4.5 * float(found.std()) / n**0.5)
