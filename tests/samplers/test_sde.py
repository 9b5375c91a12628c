"""The reverse SDE against Gaussians, of which every step is an affine map, and Anderson's theorem in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import (
    ancestral,
    ddim,
    dpm_solver,
    euler_maruyama,
    langevin,
    predictor_corrector,
    sample,
    time_grid,
)
from diffusion_teach.samplers.walk import Noise, Step
from diffusion_teach.schedules import VE, VP, Cosine, Schedule, SubVP

ONE, ZERO = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)


def gaussian(variance: float) -> GaussianMixture:
    return GaussianMixture(torch.ones(1), torch.zeros(1, 1).double(), torch.tensor([[[variance]]], dtype=torch.float64))


def one_by_one(noises: list[Tensor]) -> Noise:
    """Noise that was drawn before."""
    left = iter(noises)
    return lambda _: next(left)


def affine(step: Step, variance: float, schedule: Schedule, t: Tensor, s: Tensor) -> tuple[float, float]:
    """What a step multiplies x by, and the deviation of the noise that it adds, on N(0, variance)."""
    denoiser = Exact(gaussian(variance), schedule)
    gain, noise = (step(denoiser, x, t, s, None, lambda _, z=z: z)[0] for x, z in ((ONE, ZERO), (ZERO, ONE)))
    return float(gain), float(noise)


def law(step: Step, variance: float, schedule: Schedule, times: Tensor, start: float) -> tuple[float, float]:
    """The variance at the end of a walk from N(0, start), and the covariance with where it began."""
    memory = 1.0
    spread = start
    for t, s in pairwise(times):
        gain, noise = affine(step, variance, schedule, t, s)
        memory, spread = gain * memory, gain**2 * spread + noise**2
    return spread, memory * start


def marginal(variance: float, schedule: Schedule, t: float) -> float:
    time = torch.tensor(t, dtype=torch.float64)
    return float(schedule.alpha(time) ** 2 * variance + schedule.sigma(time) ** 2)


@pytest.mark.parametrize("schedule", [VP(), SubVP(), VE(0.01, 10.0)], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("k", [0.0, 1.0, 2.0])
def test_every_k_has_the_marginals_in_first_order(schedule: Schedule, k: float) -> None:
    truth, start = marginal(0.25, schedule, 0.2), marginal(0.25, schedule, 0.9)
    error = []
    for steps in (60, 120, 240):
        times = torch.linspace(0.9, 0.2, steps + 1, dtype=torch.float64)
        error.append(abs(law(euler_maruyama(k), 0.25, schedule, times, start)[0] / truth - 1))
    assert error[-1] < 0.06
    if not isinstance(schedule, VE):  # on which the error of k = 1 passes through 0
        assert math.log2(error[1] / error[2]) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("k", [0.0, 0.5, 1.0, 2.0])
def test_only_anderson_s_has_the_covariance_of_two_times(k: float) -> None:
    """On N(0, 1) under VP nothing changes but which point is where: Cov(x_s, x_t) = exp(−k²B/2), B = ∫β, and the
    process itself has exp(−B/2)."""
    s, t = 0.1, 0.45
    b = 0.1 * (t - s) + 19.9 * (t**2 - s**2) / 2
    times = torch.linspace(t, s, 401, dtype=torch.float64)
    variance, covariance = law(euler_maruyama(k), 1.0, VP(), times, 1.0)
    assert variance == pytest.approx(1, abs=0.02)
    assert covariance == pytest.approx(math.exp(-(k**2) * b / 2), rel=0.03)


def test_without_noise_a_standard_normal_stands_still() -> None:
    assert affine(euler_maruyama(0.0), 1.0, VP(), torch.tensor(0.7).double(), torch.tensor(0.2).double()) == (
        pytest.approx(1),
        0,
    )


def test_a_step_is_the_sde_in_the_limit() -> None:
    """Its drift and its noise over a short time, from f, g² and the score."""
    schedule, t, h = SubVP(), torch.tensor(0.6, dtype=torch.float64), 1e-6
    gain, noise = affine(euler_maruyama(1.5), 0.25, schedule, t, t - h)
    f, g2 = float(schedule.f(t)), float(schedule.g2(t))
    drift = f + 0.5 * (1 + 1.5**2) * g2 / marginal(0.25, schedule, 0.6)
    assert (1 - gain) / h == pytest.approx(drift, rel=1e-6)
    assert noise**2 / h == pytest.approx(1.5**2 * g2, rel=1e-6)


def test_the_last_step_adds_no_noise_and_one_to_t_min_does() -> None:
    denoiser, x = Exact(gaussian(1.0), VP()), torch.ones(4, 1, dtype=torch.float64)
    t = torch.tensor(0.1, dtype=torch.float64)
    ends = [
        euler_maruyama(1.0)(
            denoiser, x, t, torch.tensor(s).double(), None, lambda x: torch.arange(4.0).double()[:, None]
        )[0]
        for s in (0.0, 0.05)
    ]
    torch.testing.assert_close(ends[0], denoiser(x, t).x0)
    assert ends[1].diff(dim=0).min() > 0


def test_a_corrector_after_any_step_is_langevin_s_at_its_level() -> None:
    denoiser, x = (
        Exact(gaussian(0.3), VP()),
        torch.randn(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
    )
    t, s = torch.tensor(0.6, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
    for step in (ancestral, ddim(0.0), euler_maruyama(1.0)):
        noises = [torch.randn(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(i)) for i in range(5)]
        corrected = predictor_corrector(step, corrections=2, ratio=0.2)
        found, _ = corrected(denoiser, x, t, s, None, one_by_one(noises))
        draw = one_by_one(noises)
        moved, _ = step(denoiser, x, t, s, None, draw)
        expected = langevin.correct(denoiser, moved, s, steps=2, ratio=0.2, noise=draw)
        torch.testing.assert_close(found, expected)


def test_a_corrector_leaves_the_last_step_alone_and_keeps_a_solver_s_memory() -> None:
    denoiser = Exact(gaussian(0.3), VP())
    times, x = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)
    states: list[object] = []

    def watched(denoiser, x, t, s, state, noise):  # type: ignore[no-untyped-def]
        states.append(state)
        return dpm_solver(denoiser, x, t, s, state, noise)

    ends = [
        sample(
            denoiser, predictor_corrector(watched, ratio=1e-12), x, times, generator=torch.Generator().manual_seed(i)
        )
        for i in range(2)
    ]
    torch.testing.assert_close(ends[0], sample(denoiser, dpm_solver, x, times), rtol=0, atol=1e-5)
    assert [state is None for state in states] == [True, False, False] * 2


def test_a_corrector_draws_a_wrong_spread_towards_the_right_one() -> None:
    schedule, t = VP(), torch.tensor(0.5, dtype=torch.float64)
    x = 3 * torch.randn(20_000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def still(denoiser, x, t, s, state, noise):  # type: ignore[no-untyped-def]
        return x, state

    step = predictor_corrector(still, corrections=40, ratio=0.2)
    found, _ = step(Exact(gaussian(1.0), schedule), x, t, t, None, lambda x: torch.randn_like(x))
    assert float(found.var()) == pytest.approx(
        langevin.stationary_variance(1.0, 0.2 * float(schedule.sigma(t)) ** 2), rel=0.06
    )


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="k must be at least 0"):
        euler_maruyama(-1.0)
    with pytest.raises(ValueError, match=r"no finite (f|g²)"):
        sample(Exact(gaussian(1.0), Cosine()), euler_maruyama(), ONE, torch.tensor([1.0, 0.5]))
    with pytest.raises(TypeError, match="step must"):
        predictor_corrector("ancestral")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="below 2"):
        predictor_corrector(ancestral, ratio=2.0)
    assert len(time_grid(VP(), 3)) == 4
