"""Classifier-free guidance in the paper's letters equals the core."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Guided
from diffusion_teach.papers import ho2022
from diffusion_teach.samplers import ancestral, ddim, sample
from diffusion_teach.schedules import VP
from tests.denoisers.two_gaussians import LABELS, X, labelled

λ = torch.linspace(-7, 5, 12, dtype=torch.float64)


@pytest.mark.parametrize(("v", "step"), [(0.0, ancestral), (1.0, ddim(1.0, variance="forward"))], ids=["β̃", "β"])
@pytest.mark.parametrize("w", [0.0, 1.7])
def test_algorithm_2_is_guided_ancestral_sampling(w: float, v: float, step: object) -> None:
    denoiser = labelled(VP())

    def ε_θ(z: Tensor, level: Tensor, c: Tensor | None) -> Tensor:
        return (denoiser if c is None else denoiser.given(c))(z, VP().time_of(level)).eps

    paper = ho2022.sample(ε_θ, X, LABELS, λ, w=w, v=v, generator=torch.Generator().manual_seed(1))
    times = torch.cat([VP().time_of(λ), torch.zeros(1, dtype=torch.float64)])
    guided = Guided(denoiser.given(LABELS), denoiser, w)
    core = sample(guided, step, X, times, generator=torch.Generator().manual_seed(1))  # type: ignore[arg-type]
    torch.testing.assert_close(core, paper, rtol=1e-6, atol=1e-6)


def test_labels_are_dropped_each_for_itself() -> None:
    c = torch.arange(10_000) % 10
    dropped = ho2022.conditioning_dropout(c, 10, 0.15, torch.Generator().manual_seed(0))
    gone = dropped == 10
    assert torch.equal(dropped[~gone], c[~gone])
    assert abs(float(gone.double().mean()) - 0.15) < 4 * (0.15 * 0.85 / 10_000) ** 0.5
    assert torch.equal(ho2022.conditioning_dropout(c, 10, 0.0), c)
