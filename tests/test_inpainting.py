"""Inpainting keeps what is known, is exact where nothing hangs together, and is not where something does."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.inpainting import inpaint
from diffusion_teach.samplers import ancestral, ddim, prior, sample, time_grid
from diffusion_teach.schedules import VP

N = 20_000


def pair(correlation: float) -> Exact:
    """Two standard normal coordinates with a correlation."""
    covariance = torch.tensor([[[1.0, correlation], [correlation, 1.0]]], dtype=torch.float64)
    return Exact(GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), covariance), VP())


def completed(correlation: float, put_in: str, repeats: int = 1, steps: int = 50) -> torch.Tensor:
    y = torch.tensor([1.5, torch.nan]).nan_to_num(9.0).double().expand(N, 2)
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


def test_what_hangs_together_is_drawn_towards_the_known_too_little() -> None:
    once, often = completed(0.9, "noised"), completed(0.9, "noised", 10)
    assert 0.5 < once[:, 1].mean() / 1.35 < 0.8  # E[x₂|x₁ = 1.5] = 1.35
    assert 0.9 < often[:, 1].mean() / 1.35 < 1.02


def test_walking_up_again_keeps_the_level_of_noise() -> None:
    # A data point mass at the origin: whatever the walks, the last step returns it.
    mass = Exact(
        GaussianMixture(torch.ones(1).double(), torch.zeros(1, 2).double(), torch.full((1,), 1e-12).double()), VP()
    )
    y = torch.zeros(50, 2, dtype=torch.float64)
    out = inpaint(mass, y, torch.tensor([True, False]), time_grid(VP(), 10), repeats=3)
    assert out.abs().max() < 1e-5


def test_nothing_known_is_plain_sampling() -> None:
    x = torch.zeros(500, 2, dtype=torch.float64)
    out = inpaint(pair(0.5), x, torch.tensor(False), time_grid(VP(), 30), step=ddim(0.0))
    assert torch.corrcoef(out.T)[0, 1] == pytest.approx(0.5, abs=0.2)


def test_wrong_arguments_are_named() -> None:
    y, known = torch.zeros(3, 2), torch.tensor([True, False])
    with pytest.raises(TypeError, match="known must be a bool tensor"):
        inpaint(pair(0.5), y, known.float(), time_grid(VP(), 5))
    with pytest.raises(ValueError, match="times must fall to 0"):
        inpaint(pair(0.5), y, known, torch.tensor([1.0, 0.5]))
    with pytest.raises(ValueError, match="put_in must be one of 'noised', 'clean'"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), put_in="clear")
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        inpaint(pair(0.5), y, known, time_grid(VP(), 5), repeats=0)
