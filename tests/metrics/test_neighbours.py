"""Nearest neighbours against brute force."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.metrics.neighbours import nearest


@given(st.integers(0, 1000), st.sampled_from([1, 4, 100]))
def test_no_point_is_nearer(seed: int, chunk: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    samples, points = (torch.randn(n, 1, 3, 3, dtype=torch.float64, generator=generator) for n in (7, 11))
    found = nearest(samples, points, chunk=chunk)
    distances = (samples[:, None] - points[None]).square().sum(dim=(2, 3, 4)).sqrt()
    torch.testing.assert_close(found.distance, distances.min(dim=1).values)
    assert torch.equal(found.which, distances.argmin(dim=1))


def test_a_copy_is_at_distance_zero() -> None:
    points = torch.randn(20, 784)
    found = nearest(points[[3, 17]], points)
    assert found.distance.tolist() == [0, 0]
    assert found.which.tolist() == [3, 17]


def test_different_kinds_are_refused() -> None:
    for samples, points in ((torch.zeros(2, 3), torch.zeros(2, 4)), (torch.zeros(3), torch.zeros(3))):
        with pytest.raises(ValueError, match="of the same kind"):
            nearest(samples, points)
    with pytest.raises(ValueError, match="finite"):
        nearest(torch.full((1, 2), torch.nan), torch.zeros(1, 2))
