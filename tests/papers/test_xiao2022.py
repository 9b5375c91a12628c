"""Denoising diffusion GANs in the paper's letters: its betas are the SDE's, its walk and its losses the core's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import DenoisingGAN
from diffusion_teach.objectives.adversarial import discriminator_loss, generator_loss
from diffusion_teach.papers import xiao2022
from diffusion_teach.schedules import VP


@pytest.mark.parametrize("T", [2, 4, 8])
def test_the_betas_are_the_sde_s_at_equal_times(T: int) -> None:
    β, ᾱ = xiao2022.noise_schedule(T)
    times = torch.arange(T + 1, dtype=torch.float64) / T
    torch.testing.assert_close(ᾱ, VP().alpha(times) ** 2)
    torch.testing.assert_close(1 - β[1:], ᾱ[1:] / ᾱ[:-1])


class Points(nn.Module):
    """A generator of points in the plane."""

    shape, latent = (2,), 2

    def forward(self, x_t: Tensor, t: Tensor, z: Tensor) -> Tensor:
        return 0.3 * x_t + (1 - t) * z.tanh()


def test_the_walk_is_the_core_s() -> None:
    T = 4
    β, ᾱ = xiao2022.noise_schedule(T)
    g = torch.Generator().manual_seed(0)
    x, z, ε = (torch.randn(size, generator=g, dtype=torch.float64) for size in ((6, 2), (T, 6, 2), (T, 6, 2)))
    network = Points()
    paper = xiao2022.sample(lambda x, z, t: network(x, torch.tensor(t / T), z), x, z, ε, β, ᾱ)
    core = DenoisingGAN(network, VP(), T)
    for i, k in enumerate(range(T, 0, -1)):
        x = core.back(x, torch.tensor(k), z[i], ε[i])
    torch.testing.assert_close(x, paper)


def test_the_losses_are_the_core_s() -> None:
    real, fake = torch.randn(2, 7, generator=torch.Generator().manual_seed(1))

    def logit(x: Tensor, x_t: Tensor, t: int) -> Tensor:
        return x * x_t + t

    of_judge, of_generator = xiao2022.losses(logit, real, fake, torch.full((7,), 2.0), 3)
    torch.testing.assert_close(of_judge, discriminator_loss("non-saturating", 2 * real + 3, 2 * fake + 3))
    torch.testing.assert_close(of_generator, generator_loss("non-saturating", 2 * real + 3, 2 * fake + 3))
