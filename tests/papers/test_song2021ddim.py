"""DDIM in the paper's letters equals the core."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.papers import ho2020, song2021ddim
from diffusion_teach.samplers import ddim, sample, time_grid
from diffusion_teach.schedules import Discrete, linear_betas

T = 100
TABLE = Discrete(linear_betas(T))
α = ho2020.tables(TABLE.betas).ᾱ
MIXTURE = GaussianMixture(*(torch.tensor(v).double() for v in ([0.4, 0.6], [[0.7, 0.1], [-0.5, 0.3]], [0.16, 0.05])))
EXACT = Exact(MIXTURE, TABLE)


@pytest.mark.parametrize("spacing", ["trailing", "leading"])
@pytest.mark.parametrize(
    ("η", "σ̂", "step"),
    [
        (0.0, False, ddim(0.0)),
        (0.3, False, ddim(0.3)),
        (1.0, False, ddim(1.0)),
        (1.0, True, ddim(1.0, variance="forward")),
    ],
)
def test_equations_12_and_16_are_the_core(spacing: str, η: float, σ̂: bool, step: object) -> None:
    x = torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = time_grid(TABLE, 20, spacing=spacing)
    τ = (T * times[:-1].flip(0)).round().int().tolist()
    paper = song2021ddim.sample(
        lambda x, t: EXACT(x, t.double() / T).eps, x, α, τ, η=η, σ̂=σ̂, generator=torch.Generator().manual_seed(1)
    )
    core = sample(EXACT, step, x, times, generator=torch.Generator().manual_seed(1))  # type: ignore[arg-type]
    torch.testing.assert_close(core, paper, rtol=1e-6, atol=1e-6)


def test_η_1_over_all_steps_is_ddpm_with_β̃_and_σ̂_is_ddpm_with_β() -> None:
    x = torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def ε_θ(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return EXACT(x, t.double() / T).eps

    for σ2, σ̂ in (("β̃", False), ("β", True)):
        ddpm = ho2020.algorithm_2(ε_θ, x, ho2020.tables(TABLE.betas), σ2=σ2, generator=torch.Generator().manual_seed(1))
        ddim_ = song2021ddim.sample(ε_θ, x, α, range(1, T + 1), η=1.0, σ̂=σ̂, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(ddim_, ddpm, rtol=1e-6, atol=1e-6)
