"""Consistency models in the paper's letters equal the core, in σ/α in place of the paper's t."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Distilled, Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.distillation import flow_step
from diffusion_teach.papers import karras2022, song2023
from diffusion_teach.schedules import VE

PATH = VE(0.01, 50.0)
MIXTURE = GaussianMixture(torch.ones(2), torch.tensor([[0.7, 0.1], [-0.5, 0.3]]), torch.tensor([0.16, 0.05]))


class Net(nn.Module):
    """Some smooth answer, of v."""

    shape = (2,)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        return torch.sin(x_t) + t.reshape(-1, 1)


def student() -> tuple[Distilled, float, song2023.Network]:
    """A student on x + σ·ε, its last level, and the paper's f with the same network."""
    core = Distilled(Net(), PATH, stop=0.1, most=3)

    def network(x: Tensor, t: Tensor) -> Tensor:  # the paper's answer has the other sign
        return -core.network(x, PATH.time_of(-2 * t.log()))

    return core, core.last_level, song2023.consistency_function(network, core.last_level, 1.0)


def test_the_boundary_is_the_core_s_and_holds() -> None:
    core, ε, f = student()
    x = torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    times = torch.linspace(0.1, 1, 9, dtype=torch.float64)
    torch.testing.assert_close(core(x, times), f(x, PATH.sigma(times)))
    torch.testing.assert_close(f(x, torch.full((9,), ε, dtype=torch.float64)), x)


def test_the_pull_is_along_one_step_of_the_teacher() -> None:
    exact, (core, ε, f) = Exact(MIXTURE, PATH), student()
    g = torch.Generator().manual_seed(1)
    x, z = torch.randn(2, 8, 2, dtype=torch.float64, generator=g)
    levels = song2023.time_steps(6, ε, 50.0)
    n = torch.randint(5, (8,), generator=g)

    def denoiser(x: Tensor, σ: Tensor) -> Tensor:
        return exact(x, PATH.time_of(-2 * σ.log())).x0

    paper = song2023.distillation_step(f, f, denoiser, x, levels, n, z)
    t, s = (PATH.time_of(-2 * levels[k].log()) for k in (n + 1, n))
    x_t = x + levels[n + 1][:, None] * z
    pulled = core(x_t, t) - core(flow_step(exact, x_t, t, s, order=1), s)
    torch.testing.assert_close(pulled.square().sum(1), paper, rtol=1e-6, atol=1e-9)


def test_several_steps_are_the_core_s_up_to_the_noise_that_x_has() -> None:
    core, ε, f = student()
    g = torch.Generator().manual_seed(2)
    x, *z = (torch.randn(5, 2, generator=g) for _ in range(3))
    τ = PATH.sigma(torch.tensor([2 / 3, 1 / 3]))
    ours = core.sample(5, generator=torch.Generator().manual_seed(2), steps=3)
    # The paper takes f's answer to have noise of the last level, and adds so much less; here it is taken for data.
    more = torch.stack([(level**2 / (level**2 - ε**2)).sqrt() * noise for level, noise in zip(τ, z, strict=True)])
    torch.testing.assert_close(ours, song2023.multistep_sample(f, 50 * x, 50.0, τ, more, ε), rtol=1e-4, atol=1e-4)


def test_the_levels_are_those_of_karras() -> None:
    levels = song2023.time_steps(18, 0.002, 80.0)
    assert math.isclose(float(levels[0]), 0.002)
    torch.testing.assert_close(levels, karras2022.time_steps(18, 0.002, 80.0)[:-1].flip(0).double())
