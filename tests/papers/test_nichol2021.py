"""Nichol and Dhariwal's schedule, variance and times in their letters equal the core."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.objectives.diffusion import ImportanceTimes
from diffusion_teach.papers import ho2020, nichol2021
from diffusion_teach.schedules import Cosine, Discrete, cosine_betas


@pytest.mark.parametrize("T", [10, 1000])
def test_the_cosine_is_the_core_s(T: int) -> None:
    t = torch.arange(T + 1, dtype=torch.float64) / T
    torch.testing.assert_close(nichol2021.cosine_alphas_bar(T), Cosine().alpha(t).square(), atol=1e-15, rtol=1e-9)
    clipped = Discrete(cosine_betas(T)).alpha(t).square()
    torch.testing.assert_close(nichol2021.cosine_alphas_bar(T)[:-1], clipped[:-1])


def test_a_learned_variance_lies_between_the_two_that_are_known() -> None:
    k = ho2020.tables(cosine_betas(20))
    β = k.β[5]
    _, lower = ho2020.posterior(torch.zeros(1), torch.zeros(1), 5, k)
    ends = nichol2021.learned_variance(torch.tensor([0.0, 0.5, 1.0]).double(), β, lower)
    torch.testing.assert_close(ends, torch.stack([lower, (β * lower).sqrt(), β]))


def test_times_are_even_until_each_has_ten_losses_and_then_follow_the_second_moment() -> None:
    times = nichol2021.LossAwareTimes(3)
    steps = torch.tensor([1, 2, 3])
    for round_ in range(nichol2021.HISTORY):
        torch.testing.assert_close(times.p(), torch.full((3,), 1 / 3).double())
        sign = 1.0 if round_ % 2 else -1.0
        times.saw(steps, sign * torch.tensor([1.0, 2.0, 5.0]))
    expected = 0.999 * torch.tensor([1, 2, 5]).double() / 8 + 0.001 / 3
    torch.testing.assert_close(times.p(), expected)
    for _ in range(nichol2021.HISTORY):
        times.saw(steps[:1], torch.tensor([5.0]))
    torch.testing.assert_close(times.p(), 0.999 * torch.tensor([5, 2, 5]).double() / 12 + 0.001 / 3)
    torch.testing.assert_close(ImportanceTimes(times.p()).density, 3 * times.p())
