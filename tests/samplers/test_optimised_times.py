"""Times that are moved for one model end nearer to where they should, on other noise too."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Exact
from diffusion_teach.samplers import ancestral, ddim, dpm_solver, optimise_times, sample, time_grid
from diffusion_teach.schedules import VP

EXACT = Exact(toy2d.mixture(), VP())


def _pair(seed: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(100, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return x, sample(EXACT, dpm_solver, x, time_grid(VP(), 100, spacing="logistic"))


@pytest.mark.parametrize("step", [ddim(0.0), dpm_solver], ids=["ddim", "dpm_solver"])
def test_the_end_is_nearer_on_other_noise(step: object) -> None:
    times = time_grid(VP(), 6, spacing="logistic")
    found = optimise_times(EXACT, step, *_pair(0), times, rounds=30, rate=0.1)  # type: ignore[arg-type]
    assert (float(found[0]), float(found[-1])) == (1.0, 0.0)
    assert (found.diff() < 0).all()
    x, target = _pair(1)
    before, after = ((sample(EXACT, step, x, grid) - target).square().mean() for grid in (times, found))  # type: ignore[arg-type]
    assert after < 0.85 * before


def test_the_inner_times_alone_move_and_none_is_worse_than_the_first() -> None:
    times = time_grid(VP(), 3, start=0.9, stop=0.1)
    x, target = _pair(0)
    found = optimise_times(EXACT, ddim(0.0), x, target, times, rounds=1)
    torch.testing.assert_close(found, times)
    with torch.no_grad():
        found = optimise_times(EXACT, ddim(0.0), x, target, times, rounds=20, rate=10.0)  # leaps, and keeps the best
    assert found[[0, -1]].tolist() == [0.9, 0.1]
    before, after = ((sample(EXACT, ddim(0.0), x, grid) - target).square().mean() for grid in (times, found))
    assert after <= before + 1e-12


def test_what_is_refused() -> None:
    x, target = _pair(0)
    with pytest.raises(ValueError, match="target"):
        optimise_times(EXACT, ddim(0.0), x, target[:5], time_grid(VP(), 3))
    with pytest.raises(ValueError, match="rounds"):
        optimise_times(EXACT, ancestral, x, target, time_grid(VP(), 3), rounds=0)
