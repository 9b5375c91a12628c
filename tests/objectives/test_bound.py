"""The bound against entropies, in closed form for a Gaussian, and its schedules against one another."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.quadrature import entropy
from diffusion_teach.likelihood import variational_bound
from diffusion_teach.objectives.bound import bound_draws, continuous_bound, discrete_bound, noise_error
from diffusion_teach.schedules import VE, VP, Cosine, Cut, Discrete, FlowMatching, LinearLogSNR, Schedule, linear_betas

VARIANCES = torch.tensor([0.5, 2.0], dtype=torch.float64)
GAUSSIAN = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.diag(VARIANCES)[None])
MIXTURE = toy2d.mixture()
CUT: dict[str, Schedule] = {
    "even": LinearLogSNR(6.0, -7.0),
    "vp": Cut(VP(), 6.0, -7.0),
    "cosine": Cut(Cosine(), 6.0, -7.0),
    "ve": Cut(VE(0.001, 99.0), 6.0, -7.0),
    "flow matching": Cut(FlowMatching(), 6.0, -7.0),
}
every = pytest.mark.parametrize("schedule", CUT.values(), ids=CUT)


def information(mixture: GaussianMixture, log_snr: float) -> float:
    """I(x₀; x₀ + σε) = h(x₀ + σε) − h(σε) in nats."""
    sigma = math.exp(-log_snr / 2)
    return float(entropy(mixture, 1.0, sigma)) - mixture.dim / 2 * math.log(2 * math.pi * math.e * sigma**2)


@every
def test_the_bound_of_a_gaussian_is_the_information_lost(schedule: Schedule) -> None:
    expected = sum(float(0.5 * torch.log1p(math.exp(end) * VARIANCES).sum()) * sign for end, sign in ((6, 1), (-7, -1)))
    assert float(continuous_bound(GAUSSIAN, schedule, cells=20, nodes=2)) == pytest.approx(expected, rel=1e-6)


@every
def test_the_bound_of_a_mixture_is_the_information_lost(schedule: Schedule) -> None:
    expected = information(MIXTURE, 6.0) - information(MIXTURE, -7.0)
    assert float(continuous_bound(MIXTURE, schedule, cells=20)) == pytest.approx(expected, abs=2e-4)


@every
def test_more_levels_cost_less_in_proportion(schedule: Schedule) -> None:
    limit = continuous_bound(GAUSSIAN, schedule, cells=20, nodes=2)
    over = [float(discrete_bound(GAUSSIAN, schedule, levels, nodes=2) - limit) for levels in (150, 300, 600)]
    assert over[0] > over[1] > over[2] > 0
    assert over[1] / over[2] == pytest.approx(2, abs=0.2)


def test_what_a_walk_is_bounded_by_is_its_top_its_levels_and_its_bottom() -> None:
    """Chapter 8's draws of the whole, and chapter 7's quadrature of the middle."""
    schedule, levels, g = CUT["even"], 64, torch.Generator().manual_seed(2)
    x = GAUSSIAN.sample(20_000, generator=g).double()
    times = torch.linspace(1, 0, levels + 1, dtype=torch.float64).clamp(min=1e-12)
    drawn = -variational_bound(Exact(GAUSSIAN, schedule), x, times, generator=g)
    top, bottom = 0.5 * math.exp(-7) * float(VARIANCES.sum()), math.log(2 * math.pi * math.e) - 6
    expected = top + float(discrete_bound(GAUSSIAN, schedule, levels, nodes=2)) + bottom
    assert float(drawn.mean()) == pytest.approx(expected, abs=4.5 * float(drawn.std()) / math.sqrt(20_000))
    assert float(drawn.std()) < 3


def test_the_error_of_the_noise_is_what_an_exact_denoiser_makes() -> None:
    t, g = torch.full((40_000,), 0.3, dtype=torch.float64), torch.Generator().manual_seed(0)
    x0, eps = MIXTURE.sample(40_000, generator=g).double(), torch.randn(40_000, 2, dtype=torch.float64, generator=g)
    denoiser = Exact(MIXTURE, Cut(VP()))
    drawn = bound_draws(denoiser, x0, t, eps)
    weight = denoiser.schedule.log_snr(torch.tensor([0.3 - 1e-6, 0.3 + 1e-6], dtype=torch.float64)).diff() / -4e-6
    expected = float(weight * noise_error(MIXTURE, denoiser.schedule, t[:1]))
    assert float(drawn.mean()) == pytest.approx(expected, abs=4.5 * float(drawn.std()) / 200)


def test_the_error_of_the_noise_of_a_gaussian() -> None:
    t = torch.linspace(0.1, 1, 5, dtype=torch.float64)
    for schedule in (VP(), VE()):
        snr = schedule.log_snr(t).exp()[:, None]
        torch.testing.assert_close(
            noise_error(GAUSSIAN, schedule, t, nodes=2), (snr * VARIANCES / (1 + snr * VARIANCES)).sum(1)
        )


def test_a_bound_without_ends_says_so() -> None:
    for schedule in (VP(), Discrete(linear_betas(100)), FlowMatching()):
        with pytest.raises(ValueError, match=r"schedules\.Cut\(schedule, 10, -10\)"):
            continuous_bound(GAUSSIAN, schedule)
        with pytest.raises(ValueError, match="a level without noise or without data"):
            discrete_bound(GAUSSIAN, schedule, 10)
    with pytest.raises(ValueError, match="no noise to be wrong about"):
        noise_error(GAUSSIAN, VP(), torch.zeros(1))
    with pytest.raises(TypeError, match="denoiser must be a denoiser"):
        bound_draws(GAUSSIAN, torch.ones(1, 2), torch.ones(1), torch.ones(1, 2))  # type: ignore[arg-type]
