"""The contrastive loss, against its closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.objectives.contrastive import nt_xent


def test_features_that_are_all_alike_know_nothing() -> None:
    z = torch.ones(8, 3, dtype=torch.float64)
    assert float(nt_xent(z, z)) == pytest.approx(math.log(15))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_pairs_at_right_angles_to_one_another(temperature: float) -> None:
    z = torch.eye(6, dtype=torch.float64)
    expected = math.log(math.exp(1 / temperature) + 10) - 1 / temperature  # a pair at cosine 1, ten others at 0
    assert float(nt_xent(z, z, temperature)) == pytest.approx(expected)


def test_only_directions_count_and_the_views_may_change_places() -> None:
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 5, 4, generator=g, dtype=torch.float64)
    scale = torch.rand(5, 1, generator=g, dtype=torch.float64) + 0.5
    assert float(nt_xent(scale * a, b)) == pytest.approx(float(nt_xent(b, a)))


def test_the_gradient_draws_a_pair_together_and_others_apart() -> None:
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 16, 4, generator=g)
    a.requires_grad_()
    before = nt_xent(a, b)
    before.backward()
    assert a.grad is not None
    near = torch.nn.functional.cosine_similarity
    with torch.no_grad():
        moved = a - a.grad
        assert nt_xent(moved, b) < before
        assert near(moved, b).mean() > near(a, b).mean()
        assert near(moved, b.roll(1, 0)).mean() < near(a, b.roll(1, 0)).mean()


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        nt_xent(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(ValueError, match="b "):
        nt_xent(torch.ones(4, 3), torch.ones(4, 2))
    with pytest.raises(ValueError, match="temperature"):
        nt_xent(torch.ones(4, 3), torch.ones(4, 3), 0.0)
