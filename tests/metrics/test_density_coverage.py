"""Density and coverage: the authors' own library as oracle, and the null values that hold for every distribution."""

from __future__ import annotations

import math
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc

from diffusion_teach.metrics import neighbours
from diffusion_teach.metrics.density_coverage import density_coverage
from diffusion_teach.metrics.precision_recall import precision_recall


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(7, 40), st.integers(7, 40), st.integers(1, 5), st.sampled_from([1, 7, 1000]))
def test_it_agrees_with_the_authors_library(seed: int, n: int, m: int, k: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(n, 3, dtype=torch.float64, generator=generator)
    generated = 0.7 * torch.randn(m, 3, dtype=torch.float64, generator=generator) + 0.3
    expected = compute_prdc(real.numpy(), generated.numpy(), nearest_k=k)
    with mock.patch.object(neighbours, "ROWS", rows), mock.patch("diffusion_teach.metrics.density_coverage.ROWS", rows):
        found = density_coverage(real, generated, k=k)
        pair = precision_recall(real, generated, k=k)
    assert found == pytest.approx((expected["density"], expected["coverage"]), abs=1e-12)
    assert pair == pytest.approx((expected["precision"], expected["recall"]), abs=1e-12)


@pytest.mark.parametrize("heavy", [False, True], ids=["normal", "Cauchy"])
@pytest.mark.parametrize(("n", "m", "k"), [(12, 12, 5), (30, 10, 2), (8, 40, 1)])
def test_two_samples_of_any_distribution_score_the_null_values(n: int, m: int, k: int, heavy: bool) -> None:
    generator = torch.Generator().manual_seed(4)
    repeats = 1500
    draws = torch.randn(repeats, n + m, 2, dtype=torch.float64, generator=generator)
    points = draws / torch.randn(repeats, n + m, 1, dtype=torch.float64, generator=generator) if heavy else draws
    found = torch.tensor([density_coverage(x[:n], x[n:], k=k) for x in points], dtype=torch.float64)
    error = found.std(dim=0) / math.sqrt(repeats)
    null = 1, 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    for value, expected, tolerance in zip(found.mean(dim=0), null, 4.5 * error, strict=True):
        assert float(value) == pytest.approx(expected, abs=float(tolerance))


def test_half_the_modes_halve_coverage_and_an_outlier_spoils_neither() -> None:
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(1000, 2, generator=generator)
    real[500:, 0] += 20
    one_mode = torch.randn(1000, 2, generator=generator)
    found = density_coverage(real, one_mode)
    assert found.coverage == pytest.approx(0.5, abs=0.03)
    assert found.density == pytest.approx(1, abs=0.1)
    # A few generated points far out have balls as wide as the plane, so that recall takes the lost mode for found
    stray = one_mode.clone()
    stray[:4] = torch.tensor([[300.0, 0.0], [-300.0, 0.0], [0.0, 300.0], [0.0, -300.0]])
    assert precision_recall(real, one_mode).recall < 0.55
    assert precision_recall(real, stray).recall > 0.95
    assert density_coverage(real, stray) == pytest.approx(found, abs=0.02)


@given(st.integers(0, 1000), st.integers(1, 5))
def test_copies_of_the_data_are_seen_by_their_density(seed: int, k: int) -> None:
    real = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert density_coverage(real, real, k=k) == pytest.approx(((k + 1) / k, 1))


@given(st.integers(0, 1000))
def test_neither_scale_nor_place_nor_turning_matter(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    real, generated = torch.randn(2, 30, 3, dtype=torch.float64, generator=generator)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=generator))
    moved = [7 * x @ turn + 2 for x in (real, generated)]
    assert density_coverage(*moved) == pytest.approx(density_coverage(real, generated))


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (torch.zeros(5, 2), torch.zeros(9, 2), 5, "real must hold more than k = 5"),
        (torch.zeros(9, 2), torch.zeros(9, 3), 5, "generated must have shape"),
        (torch.zeros(9, 2), torch.full((9, 2), torch.nan), 5, "generated must be finite"),
        (torch.zeros(9, 2), torch.zeros(0, 2), 5, "generated is empty"),
        (torch.zeros(9, 2), torch.zeros(9, 2), 0, "k must be at least 1"),
    ],
)
def test_bad_sets_are_refused(real: torch.Tensor, generated: torch.Tensor, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        density_coverage(real, generated, k=k)
