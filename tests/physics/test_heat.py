"""Ink: walkers and the heat equation, against closed forms and each other."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.physics import heat

N, WALL = 200, 8.0
X = heat.cells(N, WALL)[0, :, 0]
CELL = 2 * WALL / N


def normal(mean: float, std: float) -> torch.Tensor:
    """The share of each cell under a Gaussian."""
    return torch.distributions.Normal(torch.tensor(mean).double(), std).log_prob(X).exp() * CELL


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@given(st.floats(-2, 2), st.floats(0.3, 1.0), st.floats(0, 0.8), st.floats(0.2, 2))
def test_a_gaussian_spreads_to_a_wider_one(mean: float, std: float, time: float, diffusivity: float) -> None:
    """The heat kernel: variances add, s² + 2Dt."""
    wider = math.sqrt(std**2 + 2 * diffusivity * time)
    # The walls are at least three deviations away; their images are part of the answer.
    images = sum(normal(4 * WALL * m + mean, wider) + normal(4 * WALL * m + 2 * WALL - mean, wider) for m in (-1, 0, 1))
    start = sum(normal(4 * WALL * m + mean, std) + normal(4 * WALL * m + 2 * WALL - mean, std) for m in (-1, 0, 1))
    assert isinstance(start, torch.Tensor)
    assert isinstance(images, torch.Tensor)
    spread = heat.solve(start, time, wall=WALL, diffusivity=diffusivity)
    torch.testing.assert_close(spread, images, rtol=0, atol=1e-11)


def test_in_the_plane_each_axis_spreads_alone() -> None:
    a, b = normal(1.0, 0.5), normal(-2.0, 0.8)
    ink = b[:, None] * a
    expected = heat.solve(b, 0.7, wall=WALL)[:, None] * heat.solve(a, 0.7, wall=WALL)
    torch.testing.assert_close(heat.solve(ink, 0.7, wall=WALL), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(N,), (40, 40)])
@pytest.mark.parametrize("time", [0.0, 0.3, 1e3])
def test_no_ink_is_lost_and_in_the_end_it_is_even(shape: tuple[int, ...], time: float) -> None:
    ink = torch.rand(shape, dtype=torch.float64, generator=rng())
    ink = ink / ink.sum()
    after = heat.solve(ink, time, wall=WALL)
    assert float(after.sum()) == pytest.approx(1, abs=1e-13)
    if time == 1e3:
        torch.testing.assert_close(after, torch.full_like(after, 1 / after.numel()), rtol=0, atol=1e-13)
    steps = ink
    for _ in range(20):
        steps = heat.step(steps, 1 / (2 * ink.ndim))
    assert float(steps.sum()) == pytest.approx(1, abs=1e-13)


@given(st.floats(0, 2), st.floats(0, 2))
def test_two_times_add_up(first: float, second: float) -> None:
    ink = normal(0.5, 0.4)
    twice = heat.solve(heat.solve(ink, first, wall=WALL), second, wall=WALL)
    torch.testing.assert_close(twice, heat.solve(ink, first + second, wall=WALL), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", [1, 7, 30])
def test_the_past_grows_a_wave_as_the_closed_form_says(mode: int) -> None:
    """On 32 cells: on 200 the rounding errors of the finest waves grow past everything."""
    k = math.pi * mode / (2 * WALL)
    wave = torch.cos(k * (heat.cells(32, WALL)[0, :, 0] + WALL))
    torch.testing.assert_close(heat.solve(wave, 0.4, wall=WALL), math.exp(-(k**2) * 0.4) * wave, rtol=0, atol=1e-12)
    past = heat.solve(wave, -0.1, wall=WALL)
    assert float((past @ wave) / (wave @ wave)) == pytest.approx(math.exp(k**2 * 0.1), rel=1e-9)


def test_exchange_is_the_coin_of_a_random_walk() -> None:
    """At a share of ½ each dot tosses a coin for left or right, so a point becomes binomial."""
    ink = torch.zeros(41, dtype=torch.float64)
    ink[20] = 1
    for _ in range(12):
        ink = heat.step(ink, 0.5)
    expected = torch.tensor([math.comb(12, k) / 2**12 for k in range(13)], dtype=torch.float64)
    torch.testing.assert_close(ink[8:33:2], expected, rtol=0, atol=1e-16)


def test_many_exchanges_solve_the_heat_equation_to_second_order() -> None:
    errors = []
    for n in (32, 64):
        x = heat.cells(n, WALL)
        start = torch.exp(-0.5 * (x[..., 0] - 1) ** 2 - 0.25 * x[..., 1] ** 2)
        ink, share, spacing = start / start.sum(), 0.1, 2 * WALL / n
        solved = heat.solve(ink, 40 * n // 32 * n // 32 * share * spacing**2, wall=WALL)
        for _ in range(40 * n // 32 * n // 32):
            ink = heat.step(ink, share)
        errors.append(float((ink - solved).abs().max() / solved.max()))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)


def test_beyond_its_limit_a_chessboard_would_grow() -> None:
    chessboard = torch.tensor([1.0, -1.0]).repeat(20).double()
    assert float(heat.step(chessboard, 0.5).abs().max()) <= 1
    with pytest.raises(ValueError, match=r"at most 0\.5 in 1 dimensions.*got 0\.6.*shorter time step"):
        heat.step(chessboard, 0.6)
    with pytest.raises(ValueError, match=r"at most 0\.25 in 2 dimensions"):
        heat.step(torch.ones(3, 3), 0.3)


def test_walls_are_mirrors() -> None:
    x = torch.tensor([0.0, 0.9, 1.0, 1.25, 2.0, 3.0, 3.5, -1.5, -4.0, 8.5], dtype=torch.float64)
    folded = torch.tensor([0.0, 0.9, 1.0, 0.75, 0.0, -1.0, -0.5, -0.5, 0.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(heat.reflect(x, 1.0), folded)
    torch.testing.assert_close(heat.reflect(x, 50.0), x, rtol=0, atol=1e-13)


def test_one_long_walk_is_many_short_ones_and_its_variance_is_2dt() -> None:
    generator, n = rng(), 200_000
    for steps in (1, 8):
        x = torch.full((n, 1), 0.3, dtype=torch.float64)
        for _ in range(steps):
            x = heat.random_walk(x, 0.25 / steps, wall=WALL, diffusivity=2.0, generator=generator)
        assert abs(float(x.mean()) - 0.3) < 5 * math.sqrt(1.0 / n)
        assert abs(float(x.var()) - 1.0) < 5 * math.sqrt(2 / n)


def test_walkers_stand_where_the_equation_says_walls_included() -> None:
    """Pearson's χ² of N walkers in m cells: mean m − 1, variance 2(m − 1)."""
    n, m, wall = 100_000, 20, 1.0
    x = torch.zeros(n, 2, dtype=torch.float64)
    x[:, 0] = 0.6
    counted = heat.histogram(heat.random_walk(x, 0.15, wall=wall, generator=rng()), m, wall)
    start = heat.discretise(lambda c: -((c - torch.tensor([0.6, 0.0])) ** 2).sum(-1) / (2 * 0.03**2), 200, wall)
    expected = heat.solve(start, 0.15 - 0.03**2 / 2, wall=wall).reshape(m, 10, m, 10).sum((1, 3))
    chi2 = n * float(((counted - expected) ** 2 / expected).sum())
    assert abs(chi2 - (m * m - 1)) < 5 * math.sqrt(2 * (m * m - 1))


def test_count_and_cells_agree_on_where_things_are() -> None:
    centres = heat.cells(6, 3.0)
    one = heat.histogram(centres[4, 1][None], 6, 3.0)
    assert float(one[4, 1]) == 1
    assert centres[4, 1].tolist() == pytest.approx([-1.5, 1.5])
    assert float(heat.histogram(torch.tensor([[3.0, 3.0]]), 6, 3.0)[5, 5]) == 1  # the corner itself


def test_slope_is_the_score_of_a_gaussian() -> None:
    """log p is quadratic, so central differences and linear interpolation are exact."""
    mean = torch.tensor([0.5, -1.0], dtype=torch.float64)
    ink = heat.discretise(lambda x: -0.5 * ((x - mean) ** 2 / torch.tensor([1.0, 4.0])).sum(-1), 80, 4.0)
    x = 4 * torch.rand(50, 2, dtype=torch.float64, generator=rng()) - 2
    torch.testing.assert_close(heat.score(ink, x, wall=4.0), (mean - x) / torch.tensor([1.0, 4.0]).double())
    assert float(heat.score(torch.full((80, 80), 1.0 / 6400), x.float(), wall=4.0).abs().max()) == 0


def test_with_the_score_the_walk_goes_back_and_without_it_on() -> None:
    """A Gaussian far from the walls: the reverse walk restores its mean and its variance."""
    wall, n, generator = 12.0, 20_000, rng()
    mixture = GaussianMixture(torch.ones(1), torch.tensor([[1.0, -2.0]]), torch.tensor([0.25]))
    late = mixture.noised(1.0, math.sqrt(2 * 1.5)).sample(n, generator=generator).double()
    times = torch.linspace(1.5, 0, 301, dtype=torch.float64)

    def score(x: torch.Tensor, t: float) -> torch.Tensor:
        return mixture.score(x, 1.0, math.sqrt(2 * t))

    *_, found = heat.reverse_walk(late, times, score, wall=wall, generator=generator)
    assert (found.mean(0) - torch.tensor([1.0, -2.0])).abs().max() < 5 * 0.5 / math.sqrt(n)
    assert found.var(0) == pytest.approx([0.25, 0.25], rel=0.05)  # the steps are finite
    *_, lost = heat.reverse_walk(late, times, None, wall=wall, generator=generator)
    assert lost.var(0) == pytest.approx([6.25, 6.25], rel=0.05)


def test_wrong_arguments_fail_at_the_door() -> None:
    x = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=r"must lie in the glass, between −1 and 1; got values from 0 to 2"):
        heat.random_walk(torch.tensor([[0.0, 2.0]]), 0.1, wall=1.0)
    with pytest.raises(ValueError, match=r"must lie in the glass, between −1 and 1; got values from -2 to 0"):
        heat.random_walk(torch.tensor([[0.0, -2.0]]), 0.1, wall=1.0)
    with pytest.raises(ValueError, match="time must be at least 0"):
        heat.random_walk(x, -0.1, wall=1.0)
    with pytest.raises(ValueError, match="times must fall"):
        heat.reverse_walk(x, torch.tensor([0.0, 1.0]), None, wall=1.0)
    with pytest.raises(TypeError, match="score must be a function"):
        heat.reverse_walk(x, torch.tensor([1.0, 0.0]), x, wall=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must lie in the glass"):
        heat.reverse_walk(x + 2, torch.tensor([1.0, 0.0]), None, wall=1.0)
    with pytest.raises(ValueError, match=r"a line \(n,\) or a square"):
        heat.solve(torch.ones(3, 4), 0.1, wall=1.0)
    with pytest.raises(ValueError, match="share must be above 0"):
        heat.step(torch.ones(3), 0.0)
