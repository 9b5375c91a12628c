"""Nearest neighbours against brute force."""

from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.metrics import neighbours
from diffusion_teach.metrics.neighbours import nearest, radii


@given(st.integers(0, 1000), st.sampled_from([1, 4, 100]))
def test_no_point_is_nearer(seed: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    samples, points = (torch.randn(n, 1, 3, 3, dtype=torch.float64, generator=generator) for n in (7, 11))
    with mock.patch.object(neighbours, "ROWS", rows):
        found = nearest(samples, points)
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


def test_the_radius_is_the_distance_to_the_kth_other_point() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert radii(line, k=1).tolist() == [1, 1, 2, 4]
    with mock.patch.object(neighbours, "ROWS", 2):
        assert radii(line, k=2).tolist() == [3, 2, 3, 6]


def test_small_distances_far_from_the_origin_are_kept() -> None:
    # By |a|² + |b|² − 2ab in float32 all these distances would be rounding.
    line = torch.arange(8.0)[:, None] + 1e6
    assert radii(line, k=1).tolist() == [1.0] * 8


def test_a_single_point_has_no_radius() -> None:
    with pytest.raises(ValueError, match="points must hold more than k = 1"):
        radii(torch.zeros(1, 2), k=1)


def test_points_far_from_the_origin_have_the_neighbours_that_they_have_near_it() -> None:
    """In float32 |a|² + |b|² − 2ab loses distances below a thousandth of the points' distance from the origin."""
    points = torch.rand(300, 3, generator=torch.Generator().manual_seed(0))
    points = (points * 64).round() / 64  # exact in float32 a thousand away, too
    samples = points[:50] + 1 / 256
    near, far = neighbours.nearest(samples, points), neighbours.nearest(samples + 1000, points + 1000)
    assert torch.equal(near.distance, far.distance)
    assert near.distance.tolist() == pytest.approx([3**0.5 / 256] * 50)
