"""Inpainting keeps what is known, is exact where nothing hangs together, and is not where something does."""

from __future__ import annotations

import itertools

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers import ancestral, ddim, dpm_solver, prior, sample, time_grid
from diffusion_teach.samplers.inpainting import inpaint
from diffusion_teach.schedules import VP

N = 20_000


def pair(correlation: float) -> Exact:
    """Two standard normal coordinates with a correlation."""
    covariance = torch.tensor([[[1.0, correlation], [correlation, 1.0]]], dtype=torch.float64)
    return Exact(GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), covariance), VP())


def completed(correlation: float, put_in: str, repeats: int = 1, steps: int = 50) -> torch.Tensor:
    y = torch.tensor([1.5, torch.nan]).double().expand(N, 2)
    return inpaint(
        pair(correlation),
        y,
        torch.tensor([True, False]),
        time_grid(VP(), steps),
        put_in=put_in,
        repeats=repeats,
        generator=torch.Generator().manual_seed(0),
    )


@pytest.mark.parametrize("put_in", ["noised", "clean"])
def test_known_places_return_as_they_came(put_in: str) -> None:
    out = completed(0.9, put_in, steps=5)
    assert (out[:, 0] == 1.5).all()
    assert out[:, 1].std() > 0.1


@pytest.mark.parametrize("put_in", ["noised", "clean"])
def test_independent_coordinates_are_completed_exactly(put_in: str) -> None:
    free = completed(0.0, put_in)[:, 1]
    assert free.mean().abs() < 5 * N**-0.5
    # the free coordinate is what the sampler draws without anything known
    plain = sample(
        pair(0.0),
        ancestral,
        prior(VP(), (N, 2), generator=torch.Generator().manual_seed(1)).double(),
        time_grid(VP(), 50),
        generator=torch.Generator().manual_seed(2),
    )
    assert (free.var() - plain[:, 1].var()).abs() < 5 * (4 / N) ** 0.5


def moments(correlation: float, put_in: str, repeats: int, steps: int = 50) -> tuple[float, float]:
    """Mean and variance of the completed coordinate: every step is linear, so that they follow from one another."""
    vp, y = VP(), 1.5
    spread = torch.tensor([[1.0, correlation], [correlation, 1.0]], dtype=torch.float64)
    mean, variance = 0.0, float(vp.sigma(torch.ones((), dtype=torch.float64)) ** 2)
    for t, s in itertools.pairwise(time_grid(vp, steps)):
        (a_t, v_t), (a_s, v_s) = ((float(vp.alpha(u)), float(vp.sigma(u) ** 2)) for u in (t, s))
        ratio = a_t / a_s
        v_ts = v_t - ratio**2 * v_s  # the noise between the two levels
        gain = a_t * spread @ torch.linalg.inv(a_t**2 * spread + v_t * torch.eye(2))  # E[x_0|x_t]
        m = a_s * v_ts / v_t * gain + ratio * v_s / v_t * torch.eye(2)  # the mean of q(x_s|x_t, x_0)
        for walk in range(repeats if s > 0 else 1):
            if walk:
                mean, variance = ratio * mean, ratio**2 * variance + v_ts
            known, noise = (y, 0.0) if put_in == "clean" else (a_t * y, v_t)
            mean = float(m[1, 0]) * known + float(m[1, 1]) * mean
            variance = float(m[1, 0] ** 2) * noise + float(m[1, 1] ** 2) * variance + v_ts * v_s / v_t
    return mean, variance


@pytest.mark.parametrize(("put_in", "repeats"), [("clean", 1), ("noised", 1), ("noised", 3)])
def test_a_correlated_pair_has_the_moments_of_the_linear_recursion(put_in: str, repeats: int) -> None:
    found = completed(0.9, put_in, repeats)[:, 1]
    mean, variance = moments(0.9, put_in, repeats)
    assert float(found.mean()) == pytest.approx(mean, abs=5 * (variance / N) ** 0.5)
    assert float(found.var()) == pytest.approx(variance, rel=5 * (2 / N) ** 0.5)


def test_repeats_draw_the_pair_towards_the_known_as_it_should_be() -> None:
    shifts = [moments(0.9, "noised", repeats)[0] / 1.35 for repeats in (1, 3, 10, 100)]  # E[x₂|x₁ = 1.5] = 1.35
    assert shifts == sorted(shifts)
    assert shifts[0] < 0.7
    assert shifts[-1] == pytest.approx(1, abs=0.03)


def test_walking_up_again_keeps_the_level_of_noise() -> None:
    # A data point mass at the origin: whatever the walks, the last step returns it.
    mass = Exact(
        GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), torch.full((1,), 1e-12).double()), VP()
    )
    y = torch.zeros(50, 2, dtype=torch.float64)
    out = inpaint(mass, y, torch.tensor([True, False]), time_grid(VP(), 10), repeats=3)
    assert out.abs().max() < 1e-5


@pytest.mark.parametrize("repeats", [1, 4])
def test_each_step_is_walked_as_often_as_asked_but_the_last_once(repeats: int) -> None:
    class Counting(Exact):
        """Notes the times it is asked about."""

        def __call__(self, x_t: torch.Tensor, t: torch.Tensor) -> Prediction:
            asked.append(float(t))
            return super().__call__(x_t, t)

    asked: list[float] = []
    exact = pair(0.5)
    times = time_grid(VP(), 6)
    inpaint(
        Counting(exact.distribution, exact.schedule),
        torch.zeros(2, 2, dtype=torch.float64),
        torch.tensor([True, False]),
        times,
        repeats=repeats,
    )
    *before, last = times[:-1].tolist()
    assert asked == [t for t in before for _ in range(repeats)] + [last]


def test_nothing_known_is_plain_sampling() -> None:
    x = torch.zeros(500, 2, dtype=torch.float64)
    out = inpaint(pair(0.5), x, torch.tensor(False), time_grid(VP(), 30), step=ddim(0.0))
    assert torch.corrcoef(out.T)[0, 1] == pytest.approx(0.5, abs=0.2)


def test_wrong_arguments_are_named() -> None:
    y, known = torch.zeros(3, 2), torch.tensor([True, False])
    with pytest.raises(TypeError, match="known must be a bool tensor"):
        inpaint(pair(0.5), y, known.float(), time_grid(VP(), 5))
    with pytest.raises(ValueError, match="times must fall from 1 to 0"):
        inpaint(pair(0.5), y, known, torch.tensor([1.0, 0.5]))
    with pytest.raises(ValueError, match="times must fall from 1 to 0"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5, start=0.5))
    with pytest.raises(ValueError, match=r"known must broadcast to y's shape \(3, 2\), got \(3,\)"):
        inpaint(pair(0.5), y, torch.tensor([True, False, True]), time_grid(VP(), 5))
    with pytest.raises(ValueError, match="step must remember nothing"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), step=dpm_solver)
    with pytest.raises(TypeError, match=r"what ddim makes: ddim\(0\.0\)"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), step=ddim)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="y where it is known must be finite"):
        inpaint(pair(0.5), y * torch.nan, known, time_grid(VP(), 5))
    with pytest.raises(ValueError, match="put_in must be one of 'noised', 'clean'"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), put_in="clear")
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), repeats=0)
