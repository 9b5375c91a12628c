"""The walk from noise to data: its start, its noise, what it hands on from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact
from diffusion_teach.exact import Empirical
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers import (
    Noise,
    State,
    Step,
    ancestral,
    ddim,
    gaussian,
    heun,
    langevin,
    prior,
    sample,
    time_grid,
    trajectory,
)
from diffusion_teach.schedules import VP, Schedule
from tests.samplers.on_a_gaussian import GAUSSIAN, every, levels


@every
def test_the_prior_is_the_noise_at_1(schedule: Schedule) -> None:
    x = prior(schedule, (20_000, 2), generator=torch.Generator().manual_seed(0))
    assert float(x.std()) == pytest.approx(levels(schedule, 1.0)[1], rel=4.5 / math.sqrt(2 * 40_000))
    assert float(x.mean() / x.std()) == pytest.approx(0, abs=4.5 / 200)


def test_one_seed_one_path_and_no_seed_needed_without_noise() -> None:
    exact, times = Exact(GAUSSIAN, VP()), time_grid(VP(), 5)
    x = prior(VP(), (4, 1), generator=torch.Generator().manual_seed(0))
    ends = [sample(exact, ancestral, x, times, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
    assert torch.equal(sample(exact, heun, x, times), sample(exact, heun, x, times))


def test_a_trajectory_is_lazy_and_ends_in_the_sample() -> None:
    calls = []

    class Counting(Exact):
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            calls.append(float(t))
            return super().__call__(x_t, t)

    x, times = torch.randn(3, 1, dtype=torch.float64), time_grid(VP(), 4)
    path = trajectory(Counting(GAUSSIAN, VP()), ddim(), x, times)
    assert torch.equal(next(path), x)
    assert calls == []
    states = list(path)
    assert calls == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert len(states) == 4
    assert torch.equal(states[-1], sample(Exact(GAUSSIAN, VP()), ddim(), x, times))


EXACT, X, TIMES = Exact(GAUSSIAN, VP()), torch.zeros(3, 1), time_grid(VP(), 3)


def test_a_walk_may_have_one_step() -> None:
    x, (t, s) = X.double() + 1, torch.tensor([0.9, 0.4], dtype=torch.float64)
    assert torch.equal(sample(EXACT, heun, x, torch.stack([t, s])), heun(EXACT, x, t, s)[0])


def test_a_step_is_handed_what_it_remembered() -> None:
    seen: list[State] = []

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        seen.append(state)
        return x_t, float(s)

    sample(EXACT, step, X, TIMES)
    assert seen == [None, *TIMES[1:-1].float().tolist()]


SETS = [[[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, -2.0], [0.0, 1.0]]]
POINTS = Empirical(torch.tensor(SETS).double())
"""Two sets of three points in the plane, each with its centre at the origin."""


def centred(generator: torch.Generator) -> Noise:
    """Noise of sets (B, n, d) whose centre stays at the origin, as molecules need it."""
    draw = gaussian(generator)

    def noise(like: Tensor) -> Tensor:
        z = draw(like)
        return z - z.mean(1, keepdim=True)

    return noise


@pytest.mark.parametrize("step", [ancestral, ddim(0.5), langevin.annealed(corrections=3, denoise=False)])
def test_projected_noise_keeps_every_state_in_its_plane(step: Step) -> None:
    noise, times = centred(torch.Generator().manual_seed(0)), time_grid(VP(), 6, start=0.99, stop=0.05)
    x = prior(VP(), (5, 3, 2), noise=noise).double()
    states = list(trajectory(Exact(POINTS, VP()), step, x, times, noise=noise))
    assert all(state.mean(1).abs().max() < 1e-6 for state in states)
    assert not torch.allclose(states[-1], states[0])
    free = list(trajectory(Exact(POINTS, VP()), step, x, times, generator=torch.Generator().manual_seed(0)))
    assert free[-1].mean(1).abs().max() > 1e-3


def test_masked_noise_leaves_padding_alone() -> None:
    mask = torch.tensor([1.0, 1.0, 0.0]).double()[:, None]
    x = prior(VP(), (4, 3, 2), generator=torch.Generator().manual_seed(1)).double() * mask
    padded = Exact(Empirical(torch.ones(1, 3, 2).double() * mask), VP())
    for state in trajectory(padded, ancestral, x, time_grid(VP(), 5), noise=lambda like: mask * torch.randn_like(like)):
        assert torch.equal(state[:, 2], torch.zeros(4, 2).double())


def test_a_generator_is_the_shorthand_for_gaussian_noise() -> None:
    exact, times, x = Exact(GAUSSIAN, VP()), time_grid(VP(), 5), torch.zeros(4, 1)
    one, other = (torch.Generator().manual_seed(7) for _ in range(2))
    short = sample(exact, ancestral, x, times, generator=one)
    assert torch.equal(short, sample(exact, ancestral, x, times, noise=gaussian(other)))
    with pytest.raises(ValueError, match="give one of them"):
        sample(exact, ancestral, x, times, noise=gaussian(other), generator=one)


def test_noise_of_another_precision_is_brought_to_that_of_the_state() -> None:
    x = torch.zeros(4, 1)
    made = sample(EXACT, ancestral, x, TIMES, noise=lambda like: torch.randn(like.shape, dtype=torch.float64))
    assert made.dtype == torch.float32


def test_times_are_told_finely_to_a_coarse_state() -> None:
    """In bfloat16, with 8 bits, 200 times would fall together."""
    seen: list[Tensor] = []

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        seen.append(t)
        return x_t, None

    sample(Exact(GAUSSIAN, VP()), step, torch.zeros(2, 1, dtype=torch.bfloat16), time_grid(VP(), 1000))
    assert {t.dtype for t in seen} == {torch.float32}
    assert len({float(t) for t in seen}) == 1000


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: prior(VP(), ()), TypeError, "shape must be a tuple of sizes"),
        (lambda: prior(VP(), 5), TypeError, r"shape must be a tuple of sizes such as \(64, 2\), got 5"),
        (lambda: prior(VP(), (4, 0)), ValueError, r"shape\[1\] must be at least 1, got 0"),
        (lambda: trajectory(EXACT, ddim, X, TIMES), TypeError, r"what ddim makes: ddim\(0\.0\)"),
        (lambda: trajectory(EXACT, "heun", X, TIMES), TypeError, "step must be a function, got 'heun'"),
        (lambda: trajectory(EXACT, heun, X, TIMES.flip(0)), ValueError, "times must fall"),
        (lambda: trajectory(EXACT, heun, X, TIMES[:1]), ValueError, "times must fall"),
        (lambda: trajectory(EXACT, heun, X, torch.tensor([0.5, 0.5])), ValueError, "times must fall"),
        (lambda: heun(EXACT, X, torch.tensor(0.5), torch.tensor(0.5)), ValueError, "s must lie before t"),
        (lambda: trajectory(EXACT, heun, X, 1000 * TIMES), ValueError, r"times must lie in \[0, 1\]"),
        (lambda: trajectory(EXACT, heun, X * math.nan, TIMES), ValueError, "x must be finite"),
        (lambda: trajectory(EXACT, heun, X[:0], TIMES), ValueError, "x is empty"),
        (lambda: trajectory(EXACT, heun, X, TIMES.tolist()), TypeError, r"times must be a torch\.Tensor"),
        (lambda: trajectory(EXACT, heun, X, TIMES, generator=3), TypeError, "generator must be"),
        (lambda: sample(EXACT, heun, torch.zeros(3, 2), TIMES), ValueError, r"x must hold samples of shape \(1,\)"),
        (
            lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: x[:2]),
            ValueError,
            r"what noise\(x\) returns and x",
        ),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: x.long()), TypeError, "must hold floating-point"),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=lambda x: None), TypeError, "returns must be a torch.Tensor"),
        (lambda: sample(EXACT, ancestral, X, TIMES, noise=X), TypeError, "noise must be a function, got a tensor"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
