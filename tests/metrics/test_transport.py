"""Wasserstein distances: closed forms, and POT and scipy as oracles."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from diffusion_teach.metrics.transport import null_value, sliced_wasserstein, wasserstein_1d, wasserstein_null

SEEDS, SIZES, ORDERS = st.integers(0, 1000), st.integers(1, 12), st.sampled_from([1, 2, 3.5])


def points(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@given(SEEDS, SIZES, SIZES, ORDERS)
def test_on_the_line_it_agrees_with_the_oracles(seed: int, n: int, m: int, p: float) -> None:
    a, b = points(seed, n), 2 * points(seed + 1, m) + 1
    found = float(wasserstein_1d(a, b, p=p))
    assert found**p == pytest.approx(float(ot.wasserstein_1d(a.numpy(), b.numpy(), p=p)), rel=1e-9)
    assert float(wasserstein_1d(a, b)) == pytest.approx(wasserstein_distance(a.numpy(), b.numpy()), rel=1e-9)


@given(SEEDS, SIZES, ORDERS)
def test_no_assignment_is_cheaper(seed: int, n: int, p: float) -> None:
    a, b = points(seed, n), points(seed + 1, n)
    cost = (a[:, None] - b[None]).abs().pow(p).numpy()
    best = ot.emd2(np.full(n, 1 / n), np.full(n, 1 / n), cost)
    assert float(wasserstein_1d(a, b, p=p)) ** p == pytest.approx(best, rel=1e-9)


@given(SEEDS, SIZES, ORDERS, st.floats(-5, 5), st.floats(0.1, 5))
def test_a_shift_costs_itself_and_units_are_those_of_the_points(
    seed: int, n: int, p: float, shift: float, scale: float
) -> None:
    a, b = points(seed, 2, n), points(seed + 1, 2, n)
    assert wasserstein_1d(a, a + shift, p=p).tolist() == pytest.approx([abs(shift)] * 2, abs=1e-12)
    torch.testing.assert_close(wasserstein_1d(scale * a, scale * b, p=p), scale * wasserstein_1d(a, b, p=p))


@given(SEEDS, SIZES, SIZES, ORDERS, st.integers(2, 4))
def test_repeating_every_point_changes_nothing(seed: int, n: int, m: int, p: float, times: int) -> None:
    a, b = points(seed, n), points(seed + 1, m)
    again = wasserstein_1d(a.repeat(times), b, p=p)
    torch.testing.assert_close(again, wasserstein_1d(a, b, p=p))
    torch.testing.assert_close(again, wasserstein_1d(b, a, p=p))


@given(SEEDS, SIZES, SIZES, ORDERS)
def test_sliced_agrees_with_the_oracle_on_the_same_directions(seed: int, n: int, m: int, p: float) -> None:
    a, b = points(seed, n, 3), points(seed + 1, m, 3) + 0.5
    thetas = torch.nn.functional.normalize(points(seed + 2, 7, 3), dim=1)
    expected = ot.sliced_wasserstein_distance(a.numpy(), b.numpy(), projections=thetas.T.numpy(), p=p)
    found = sliced_wasserstein(a, b, p=p, directions=7, generator=torch.Generator().manual_seed(seed + 2))
    assert found == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_shift_counts_once_in_as_many_directions_as_there_are(seed: int) -> None:
    d, count = 10, 4000
    a, shift = points(seed, 50, d), points(seed + 1, d)
    generator = torch.Generator().manual_seed(seed)
    found = sliced_wasserstein(a, a + shift, directions=count, generator=generator) ** 2
    # ⟨θ, m⟩² is |m|² times a Beta(1/2, (d − 1)/2)
    deviation = math.sqrt(2 * (d - 1) / (d * d * (d + 2)) / count)
    share = found / float(shift.square().sum())
    assert share == pytest.approx(1 / d, abs=4.5 * deviation)


def test_in_one_dimension_sliced_is_exact() -> None:
    a, b = points(0, 20, 1), points(1, 30, 1)
    for p in (1, 2):
        assert sliced_wasserstein(a, b, p=p, directions=3) == pytest.approx(float(wasserstein_1d(a.T, b.T, p=p)))


@pytest.mark.parametrize(("n", "m"), [(400, 400), (1000, 200)])
@pytest.mark.parametrize("draw", [torch.randn, torch.rand], ids=["normal", "uniform"])
def test_the_null_value_on_the_line(draw: Callable[..., torch.Tensor], n: int, m: int) -> None:
    generator = torch.Generator().manual_seed(0)
    repeats = 400
    values = wasserstein_1d(*(draw(repeats, size, dtype=torch.float64, generator=generator) for size in (n, m)))
    expected = wasserstein_null(draw(200_000, dtype=torch.float64, generator=generator), n, m)
    error = float(values.std()) / math.sqrt(repeats)
    assert float(values.mean()) == pytest.approx(expected, abs=4.5 * error + 0.02 * expected)


def test_the_null_value_of_the_uniform_distribution_in_closed_form() -> None:
    grid = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    # ∫ √(u(1 − u)) du = π/8
    assert wasserstein_null(grid, 50) == pytest.approx(math.sqrt(2 / 50 * 2 / math.pi) * math.pi / 8, rel=1e-4)


def test_the_measured_null_value_falls_with_the_number_of_points() -> None:
    data = points(0, 4000, 5)

    def distance(a: torch.Tensor, b: torch.Tensor) -> float:
        return sliced_wasserstein(a, b, directions=50, generator=torch.Generator().manual_seed(0))

    few, many = (null_value(distance, data, n, generator=torch.Generator().manual_seed(1)) for n in (100, 1600))
    assert many.mean == pytest.approx(few.mean / 4, rel=0.3)
    assert 0 < many.std < many.mean / 2


def test_the_measured_null_value_takes_disjoint_samples() -> None:
    calls = 0

    def distance(a: torch.Tensor, b: torch.Tensor) -> float:
        nonlocal calls
        calls += 1
        assert len(a) == len(b) == 3
        assert len({*a.tolist(), *b.tolist()}) == 6
        return float(calls)

    found = null_value(distance, torch.arange(8.0), 3, draws=3)
    assert found == pytest.approx((2, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wasserstein_1d(torch.zeros(2, 3), torch.zeros(3, 3)), "a and b must have the same leading dimensions"),
        (lambda: wasserstein_1d(torch.zeros(3), torch.zeros(3), p=0.5), "p must be at least 1"),
        (lambda: wasserstein_1d(torch.full((3,), torch.nan), torch.zeros(3)), "a must be finite"),
        (lambda: sliced_wasserstein(torch.zeros(3, 2), torch.zeros(3, 3)), "b must have shape"),
        (lambda: sliced_wasserstein(torch.zeros(3, 2), torch.zeros(3, 2), directions=0), "directions must be at least"),
        (lambda: null_value(lambda a, b: 0.0, torch.zeros(5), 3), "points must hold 2 n = 6 at least"),
        (lambda: wasserstein_null(torch.zeros(5), 0), "n must be at least 1"),
    ],
)
def test_bad_arguments_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
