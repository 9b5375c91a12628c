"""Langevin dynamics against closed forms: variance, memory, the noise levels' ladder, and a last step without noise."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.denoisers import Exact, Guided, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import langevin, sample
from diffusion_teach.schedules import VE, VP, Cosine, Discrete, Schedule, linear_betas

ON_VE = VE(0.01, 20.0)


def gaussian(std: float, mean: float = 0.0) -> GaussianMixture:
    return GaussianMixture(torch.ones(1), torch.tensor([[mean]]), torch.tensor([std**2]))


def _time(schedule: Schedule, level: float) -> Tensor:
    """The time at which σ/α is the level."""
    return schedule.time_of(torch.tensor(-2 * math.log(level), dtype=torch.float64))


def _affine(x: Tensor, moved: Tensor) -> tuple[float, float]:
    """Slope and deviation of the remaining noise of a map x → a·x + noise, by least squares; x centred."""
    slope = float((x * moved).sum() / x.square().sum())
    return slope, float((moved - slope * x).std())


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0, 1.6])
@pytest.mark.parametrize("std", [0.3, 2.0])
def test_a_step_is_the_autoregression_whose_variance_is_the_closed_form(share: float, std: float) -> None:
    h = share * std**2
    g = torch.Generator().manual_seed(0)
    x = std * torch.randn(100_000, 1, dtype=torch.float64, generator=g)
    _, moved = langevin.langevin(gaussian(std).score, x, h=h, steps=1, generator=g)
    slope, noise = _affine(x, moved)
    assert slope == pytest.approx(1 - h / std**2, abs=5 * math.sqrt(2 * share / 1e5))  # standard errors
    assert noise == pytest.approx(math.sqrt(2 * h), rel=5 * math.sqrt(0.5 / 1e5))
    # The fixed point of v ← ρ²·v + 2h.
    v = langevin.stationary_variance(std**2, h)
    assert (1 - h / std**2) ** 2 * v + 2 * h == pytest.approx(v)
    assert v == pytest.approx(std**2 / (1 - share / 2))


def test_many_steps_forget_the_start_and_reach_the_stationary_variance() -> None:
    g = torch.Generator().manual_seed(1)
    x = torch.full((40_000, 1), 3.0, dtype=torch.float64)
    *_, last = langevin.langevin(gaussian(1.0).score, x, h=0.5, steps=40, generator=g)
    assert float(last.mean()) == pytest.approx(0, abs=5 * math.sqrt(4 / 3 / 4e4))
    assert float(last.var()) == pytest.approx(4 / 3, rel=5 * math.sqrt(2 / 4e4))


def test_too_long_a_step_has_no_stationary_variance() -> None:
    assert langevin.stationary_variance(2.0, 3.999) > 1000
    with pytest.raises(ValueError, match="run away"):
        langevin.stationary_variance(2.0, 4.0)


def test_the_path_begins_with_its_start_and_leaves_it_alone() -> None:
    x = torch.ones(3, 2)
    path = list(langevin.langevin(torch.neg, x, h=0.1, steps=4, generator=torch.Generator().manual_seed(0)))
    assert len(path) == 5
    assert path[0] is x
    assert torch.equal(x, torch.ones(3, 2))


@given(st.floats(0.02, 10), st.floats(0.01, 1.5))
def test_a_correction_steps_in_proportion_to_the_variance(level: float, ratio: float) -> None:
    denoiser, t = Exact(gaussian(0.7, mean=0.2), ON_VE), _time(ON_VE, level)
    x = torch.linspace(-3, 3, 7, dtype=torch.float64).unsqueeze(1)
    found = langevin.correct(denoiser, x, t, steps=3, ratio=ratio, generator=torch.Generator().manual_seed(2))
    noised = gaussian(0.7, mean=0.2).noised(1.0, level)
    *_, expected = langevin.langevin(
        noised.score, x, h=ratio * level**2, steps=3, generator=torch.Generator().manual_seed(2)
    )
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("schedule", [VP(), Discrete(linear_betas()), Cosine()], ids=lambda s: type(s).__name__)
def test_annealing_on_another_schedule_is_the_same_path_in_other_units(schedule: Schedule) -> None:
    data = GaussianMixture(torch.tensor([0.3, 0.7]), torch.tensor([[-1.0], [2.0]]), torch.tensor([0.1, 0.3]))
    x = 15 * torch.randn(20, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    on = {}
    for one in (ON_VE, schedule):
        times = langevin.ladder(one, 8, largest=15.0, smallest=0.05)
        start = one.alpha(times[0]) * x
        g = torch.Generator().manual_seed(4)
        on[one] = sample(Exact(data, one), langevin.annealed(), start, times, generator=g)
    torch.testing.assert_close(on[ON_VE], on[schedule], rtol=1e-5, atol=1e-5)


def test_the_last_step_adds_no_noise() -> None:
    """One level with hardly a correction: the end is x̂₀ whatever the seed, to within what the correction moved."""
    denoiser, t = Exact(gaussian(1.0), ON_VE), _time(ON_VE, 0.5)
    x = torch.linspace(-2, 2, 5, dtype=torch.float64).unsqueeze(1)
    times = torch.stack([t, torch.zeros_like(t)])
    ends = [
        sample(
            denoiser,
            langevin.annealed(corrections=1, ratio=1e-20),
            x,
            times,
            generator=torch.Generator().manual_seed(seed),
        )
        for seed in (0, 1)
    ]
    torch.testing.assert_close(ends[0], ends[1])
    torch.testing.assert_close(ends[0], x / 1.25)  # E[x₀|x] = x·s²/(s² + σ²)
    torch.testing.assert_close(ends[0], x + 0.25 * score(denoiser, x, t))


def test_without_denoising_the_noise_of_the_last_level_stays() -> None:
    point, g = Exact(gaussian(1e-6), ON_VE), torch.Generator().manual_seed(5)
    times = langevin.ladder(ON_VE, 12, smallest=0.3)
    x = 20 * torch.randn(20_000, 1, dtype=torch.float64, generator=g)
    grainy = sample(point, langevin.annealed(corrections=60, denoise=False), x, times, generator=g)
    clean = sample(point, langevin.annealed(corrections=2), x, times, generator=g)
    expected = langevin.stationary_variance(0.09, langevin.RATIO * 0.09)
    assert float(grainy.var()) == pytest.approx(expected, rel=5 * math.sqrt(2 / 2e4))
    assert float(clean.abs().max()) < 1e-5


@pytest.mark.parametrize("schedule", [ON_VE, VP(), Discrete(linear_betas())], ids=lambda s: type(s).__name__)
def test_a_ladder_is_geometric_and_ends_at_0(schedule: Schedule) -> None:
    times = langevin.ladder(schedule, 7, smallest=0.05)
    levels = (-0.5 * schedule.log_snr(times[:-1])).exp()
    assert times[0] == 1
    assert times[-1] == 0
    assert float(levels[-1]) == pytest.approx(0.05, rel=1e-6)
    torch.testing.assert_close(levels[1:] / levels[:-1], (levels[1] / levels[0]).expand(6), rtol=1e-6, atol=0)


def test_wrong_arguments_are_refused() -> None:
    x = torch.zeros(2, 1)
    with pytest.raises(TypeError, match="score must be a function"):
        langevin.langevin(x, x, h=0.1, steps=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="h must be"):
        langevin.langevin(torch.neg, x, h=0.0, steps=1)
    with pytest.raises(ValueError, match="ratio"):
        langevin.annealed(ratio=2.0)
    with pytest.raises(ValueError, match="corrections"):
        langevin.annealed(corrections=0)
    with pytest.raises(ValueError, match="Say where to begin"):
        langevin.ladder(Cosine(), 3)
    with pytest.raises(ValueError, match="runs from"):
        langevin.ladder(ON_VE, 3, largest=21.0)
    with pytest.raises(ValueError, match="smallest"):
        langevin.ladder(ON_VE, 3, smallest=20.0)
    with pytest.raises(ValueError, match=r"t must be one time, the noise level of all rows, got .*shape \(2,\)"):
        langevin.correct(Exact(gaussian(1.0), ON_VE), x, torch.full((2,), 0.5))
    with pytest.raises(ValueError, match=r"score\(x\) and x must have the same shape, got \(2,\) and \(2, 1\)"):
        list(langevin.langevin(lambda x: x.sum(1), x, h=0.1, steps=1))
    with pytest.raises(ValueError, match="α = 0. Start just below"):
        sample(Exact(gaussian(1.0), Cosine()), langevin.annealed(), x, torch.tensor([1.0, 0.0]))


def test_a_guided_model_has_no_score_to_follow() -> None:
    good, worse = Exact(gaussian(1.0), ON_VE), Exact(gaussian(2.0), ON_VE)
    with pytest.raises(ValueError, match="not a score"):
        langevin.correct(Guided(good, worse, 0.5), torch.zeros(2, 1), torch.tensor(0.5))
