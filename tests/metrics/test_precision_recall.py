"""Precision and recall against brute force."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.metrics import neighbours
from diffusion_teach.metrics.precision_recall import precision_recall


def by_brute_force(real: np.ndarray, generated: np.ndarray, k: int) -> tuple[float, float]:
    def share(points: np.ndarray, centres: np.ndarray) -> float:
        count = 0
        for point in points:
            for i, centre in enumerate(centres):
                others = sorted(np.linalg.norm(centre - other) for j, other in enumerate(centres) if j != i)
                if np.linalg.norm(point - centre) <= others[k - 1]:
                    count += 1
                    break
        return count / len(points)

    return share(generated, real), share(real, generated)


@given(st.integers(0, 1000), st.integers(4, 12), st.integers(4, 12), st.integers(1, 3), st.sampled_from([1, 3, 1000]))
def test_it_agrees_with_brute_force_however_many_rows_are_held(seed: int, n: int, m: int, k: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(n, 2, dtype=torch.float64, generator=generator)
    generated = 0.7 * torch.randn(m, 2, dtype=torch.float64, generator=generator) + 0.5
    with mock.patch.object(neighbours, "ROWS", rows):
        found = precision_recall(real, generated, k=k)
    assert found == pytest.approx(by_brute_force(real.numpy(), generated.numpy(), k))


@given(st.integers(0, 1000))
def test_exchanging_the_sets_exchanges_the_shares(seed: int) -> None:
    a, b = torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(seed))
    assert precision_recall(a, b) == precision_recall(b, a)[::-1]


def test_half_the_modes_halve_recall_and_noise_lowers_precision() -> None:
    generator = torch.Generator().manual_seed(0)

    def two_modes(n: int, share: float) -> torch.Tensor:
        side = (torch.rand(n, 1, generator=generator) < share).float() * 20
        return torch.randn(n, 2, generator=generator) + side

    real = two_modes(1000, 0.5)
    dropped = precision_recall(real, two_modes(1000, 0.0))
    assert dropped.precision > 0.9
    assert dropped.recall == pytest.approx(0.5, abs=0.08)
    noisy = precision_recall(real, two_modes(1000, 0.5) + 4 * torch.randn(1000, 2, generator=generator))
    assert noisy.precision < 0.6
    assert noisy.recall > 0.9


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (torch.zeros(3, 2), torch.zeros(9, 2), 3, "real must hold more than k = 3"),
        (torch.zeros(9, 2), torch.zeros(3, 2), 3, "generated must hold more than k = 3"),
        (torch.zeros(9, 2), torch.zeros(9, 3), 3, "generated must have shape"),
        (torch.zeros(9, 2), torch.full((9, 2), torch.nan), 3, "generated must be finite"),
        (torch.zeros(0, 2), torch.zeros(9, 2), 3, "real is empty"),
        (torch.zeros(9, 2), torch.zeros(9, 2), 0, "k must be at least 1"),
    ],
)
def test_bad_sets_are_refused(real: torch.Tensor, generated: torch.Tensor, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        precision_recall(real, generated, k=k)
