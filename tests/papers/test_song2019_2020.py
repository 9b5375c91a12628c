"""NCSN and its successor in the papers' letters equal the core, and their formulas the closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.papers import song2019, song2020
from diffusion_teach.samplers import langevin, sample
from diffusion_teach.schedules import VE

SCHEDULE = VE(0.001, 20.0)
TIMES = langevin.ladder(SCHEDULE, 9, largest=10.0, smallest=0.05)


@pytest.fixture
def mixture() -> GaussianMixture:
    means = torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64)
    covariances = torch.tensor([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.05]]], dtype=torch.float64)
    return GaussianMixture(torch.tensor([0.3, 0.7], dtype=torch.float64), means, covariances)


def test_levels_are_the_core_s_ladder() -> None:
    σ = song2019.levels(10.0, 0.05, 9)
    torch.testing.assert_close(SCHEDULE.sigma(TIMES[:-1]), σ)


@pytest.mark.parametrize("T", [1, 4])
def test_algorithm_1_is_the_core_sampler(mixture: GaussianMixture, T: int) -> None:
    σ, ε = song2019.levels(10.0, 0.05, 9), 3e-4
    x = 10 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    paper = song2019.algorithm_1(
        lambda x̃, σ_i: mixture.score(x̃, 1.0, σ_i), x, σ, ε=ε, T=T, generator=torch.Generator().manual_seed(1)
    )
    # α_i/2 = h_i = r·σ_i², so r = ε/(2σ_L²)
    step = langevin.annealed(corrections=T, ratio=ε / (2 * 0.05**2), denoise=False)
    core = sample(Exact(mixture, SCHEDULE), step, x, TIMES, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(paper, core, rtol=1e-6, atol=1e-6)


def test_the_paper_s_step_size_is_the_core_s_default() -> None:
    assert pytest.approx(langevin.RATIO) == 2e-5 / (2 * 0.01**2)


def test_the_loss_is_the_error_of_the_noise(mixture: GaussianMixture) -> None:
    """λ(σ) = σ² makes of ½‖s + ε/σ‖² the error ½‖ε − ε̂‖²: with the exact score both estimate the same number."""
    exact, level = Exact(mixture, SCHEDULE), 0.6
    t = SCHEDULE.time_of(torch.tensor(-2 * math.log(level), dtype=torch.float64))

    class Network(torch.nn.Module):
        def forward(self, x_t: Tensor, t: Tensor, cond: None = None) -> Tensor:
            return exact(x_t, t).eps

    learned, g, runs = Learned(Network(), SCHEDULE, "eps"), torch.Generator().manual_seed(3), []
    for _ in range(60):
        x = mixture.sample(500, generator=g).double()
        paper = song2019.loss(lambda x̃, σ_i: mixture.score(x̃, 1.0, σ_i), x, torch.tensor([level]), generator=g)
        core = diffusion_loss(learned, x, t=t.expand(500), generator=g)  # a mean over 2 coordinates, without the half
        runs.append(torch.stack([paper, core]))
    losses = torch.stack(runs)
    assert (losses[:, 0] - losses[:, 1]).mean().abs() < 4 * losses.std(0).norm() / len(runs) ** 0.5


@pytest.mark.parametrize("D", [5, 784, 3072])
def test_the_ratio_has_the_overlap_that_was_asked_for(D: int) -> None:
    γ = song2020.ratio(D)
    assert γ > 1
    assert song2020.overlap(γ, D) == pytest.approx(0.5)
    assert song2020.overlap(1.0, D) == pytest.approx(math.erf(3 / math.sqrt(2)))


def test_half_a_shell_lies_within_three_deviations_of_the_next() -> None:
    """The formula takes the radius for Gaussian, N(σ√D, σ²/2): drawn radii agree to a few percent."""
    D, g = 784, torch.Generator().manual_seed(0)
    γ = song2020.ratio(D)
    radius = torch.randn(4000, D, generator=g).norm(dim=1)  # σ = 1 beside the shell of γ
    near = ((radius - γ * math.sqrt(D)).abs() < 3 * γ / math.sqrt(2)).double().mean()
    assert float(near) == pytest.approx(0.5, abs=0.05)


def test_the_variance_after_T_steps_is_that_of_langevin_dynamics() -> None:  # noqa: N802
    r, γ, T = 0.3, 1.5, 4
    variance = γ**2
    for _ in range(T):
        variance = (1 - r) ** 2 * variance + 2 * r
    assert song2020.variance_after(r, γ, T) == pytest.approx(variance)
    assert song2020.variance_after(r, γ, 500) == pytest.approx(langevin.stationary_variance(1.0, r))


def test_the_step_size_of_the_authors_cifar10_setting_leaves_the_variance_as_it_is() -> None:
    """γ for D = 3,072, T = 5 and their ε = 6.2e-6 at σ_L = .01: what technique 4 asks for."""
    assert song2020.variance_after(6.2e-6 / 0.01**2, song2020.ratio(3072), 5) == pytest.approx(1, abs=0.1)


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="γ must be"):
        song2020.variance_after(0.1, -1.0, 5)
    with pytest.raises(ValueError, match="T must be"):
        song2020.variance_after(0.1, 1.1, 0)
    with pytest.raises(ValueError, match="r must be"):
        song2020.variance_after(2.5, 1.1, 3)


def test_denoising_is_tweedie_s_formula(mixture: GaussianMixture) -> None:
    x = torch.randn(10, 2, dtype=torch.float64)
    found = song2020.denoise(lambda x, σ: mixture.score(x, 1.0, σ), x, 0.4)
    torch.testing.assert_close(found, mixture.posterior_mean(x, 1.0, 0.4))
