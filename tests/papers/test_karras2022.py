"""EDM's preconditioning, weight and noise in the paper's letters equal the core's row."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Learned
from diffusion_teach.objectives.weights import bare_weight
from diffusion_teach.papers import karras2022
from diffusion_teach.parameterizations import row
from diffusion_teach.schedules import EDM

T = torch.linspace(0, 1, 9, dtype=torch.float64)
σ = EDM().sigma(T)


class Sine(nn.Module):
    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return torch.sin(3 * x)


@pytest.mark.parametrize("σ_data", [0.5, 1.0])
def test_the_denoiser_is_the_row(σ_data: float) -> None:
    x = torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * σ[:, None]
    learned = Learned(Sine(), EDM(), "edm", data_std=σ_data)
    paper = karras2022.D_θ(lambda x, _: torch.sin(3 * x), x, σ[:, None], σ_data)
    torch.testing.assert_close(learned(x, T).x0, paper)


def test_what_goes_in_and_out_has_unit_variance_and_the_skip_is_the_best_one() -> None:
    """Karras et al. 2022, appendix B.6: c_skip minimises c_out."""
    c, s = karras2022.preconditioning(σ), karras2022.SIGMA_DATA
    torch.testing.assert_close(c.c_in**2 * (s**2 + σ**2), torch.ones(9).double())

    def unit(skip: Tensor) -> Tensor:
        return (1 - skip) ** 2 * s**2 + skip**2 * σ**2  # c_out² for which the target has unit variance

    torch.testing.assert_close(c.c_out**2, unit(c.c_skip))
    assert (unit(c.c_skip + 0.01) > c.c_out**2).all()
    assert (unit(c.c_skip - 0.01) > c.c_out**2).all()
    p, q = row("edm", EDM(), T, data_std=s)
    torch.testing.assert_close(p * c.c_out, 1 - c.c_skip)
    torch.testing.assert_close(q * c.c_out, -c.c_skip * σ)
    torch.testing.assert_close(c.c_noise, torch.log(σ) / 4)


def test_the_weight_lets_every_level_count_alike() -> None:
    torch.testing.assert_close(karras2022.λ(σ) * karras2022.preconditioning(σ).c_out ** 2, torch.ones(9).double())
    on_x0 = bare_weight("edm", EDM(), T, data_std=karras2022.SIGMA_DATA) / σ.square()
    torch.testing.assert_close(karras2022.λ(σ), on_x0)


def test_levels_are_log_normal() -> None:
    drawn = karras2022.training_σ((40_000,), generator=torch.Generator().manual_seed(1)).log()
    assert float(drawn.mean()) == pytest.approx(-1.2, abs=4.5 * 1.2 / 200)
    assert float(drawn.std()) == pytest.approx(1.2, abs=4.5 * 1.2 / math.sqrt(80_000))
