"""The Fokker–Planck equation of the noising process, against Gaussians and mixtures, whose noising has closed forms."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from diffusion_teach.divergences import entropy, kullback_leibler, mutual_information
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.physics import fokker_planck
from diffusion_teach.schedules import VE, VP, Cosine, Schedule

MIXTURE = GaussianMixture(
    torch.tensor([0.3, 0.7]), torch.tensor([[-2.0], [1.0]]), torch.tensor([0.25, 0.16], dtype=torch.float64)
)


def grid(n: int, edge: float = 8.0) -> tuple[torch.Tensor, float]:
    return torch.linspace(-edge, edge, n, dtype=torch.float64), 2 * edge / (n - 1)


def shares(mixture: GaussianMixture, x: torch.Tensor, alpha: float = 1.0, sigma: float = 0.0) -> torch.Tensor:
    return mixture.log_prob(x[:, None], alpha, sigma).exp() * float(x[1] - x[0])


def at(schedule: Schedule, t: float) -> tuple[float, float]:
    time = torch.tensor(t, dtype=torch.float64)
    return float(schedule.alpha(time)), float(schedule.sigma(time))


def test_the_prior_stays_and_the_mass_too() -> None:
    x, _ = grid(161)
    prior = torch.exp(-(x**2) / 2)
    prior = prior / prior.sum()
    torch.testing.assert_close(fokker_planck.solve(prior, x, VP(), 0.7), prior, rtol=0, atol=1e-13)
    p = shares(MIXTURE, x)
    for t in (0.0, 0.2, 1.0):
        after = fokker_planck.solve(p, x, VP(), t)
        assert float(after.sum()) == pytest.approx(float(p.sum()), abs=1e-12)
        assert float(after.min()) >= 0
    matrix = fokker_planck.rates(x)
    torch.testing.assert_close(matrix.sum(0), torch.zeros_like(x), rtol=0, atol=1e-9)
    balance = matrix * prior  # what flows from j to i in equilibrium
    torch.testing.assert_close(balance, balance.T, rtol=1e-12, atol=0)


@pytest.mark.parametrize("schedule", [VP(), Cosine()], ids=["VP", "cosine"])
@pytest.mark.parametrize("t", [0.05, 0.3, 0.8])
def test_mean_and_variance_follow_the_schedule(schedule: Schedule, t: float) -> None:
    """Of N(m, s²) become αm and α²s² + σ²."""
    x, _ = grid(401)
    gaussian = GaussianMixture(torch.ones(1), torch.tensor([[1.5]]), torch.tensor([0.49], dtype=torch.float64))
    p = fokker_planck.solve(shares(gaussian, x), x, schedule, t)
    alpha, sigma = at(schedule, t)
    mean = float(p @ x)
    assert mean == pytest.approx(1.5 * alpha, abs=2e-3)
    assert float(p @ x**2) - mean**2 == pytest.approx(0.49 * alpha**2 + sigma**2, abs=2e-3)


def test_a_mixture_comes_out_as_the_noised_mixture_with_an_error_of_second_order() -> None:
    alpha, sigma = at(VP(), 0.15)
    errors = []
    for n in (101, 201):
        x, step = grid(n)
        p = fokker_planck.solve(shares(MIXTURE, x), x, VP(), 0.15) / step
        errors.append(float((p - MIXTURE.log_prob(x[:, None], alpha, sigma).exp()).abs().max()))
    assert errors[1] < 3e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)


def test_several_densities_at_once() -> None:
    x, _ = grid(101)
    both = torch.stack([shares(MIXTURE, x), torch.exp(-(x**2)) / math.sqrt(math.pi)])
    after = fokker_planck.solve(both, x, VP(), 0.4)
    torch.testing.assert_close(after[1], fokker_planck.solve(both[1], x, VP(), 0.4))


def test_kl_to_the_prior_falls_at_every_time() -> None:
    x, step = grid(161)
    prior = torch.exp(-(x**2) / 2)
    prior = prior / prior.sum()
    for start in (shares(MIXTURE, x), torch.exp(-(x**2) / 8) / math.sqrt(8 * math.pi) * step):
        times = torch.linspace(0, 1, 12).tolist()
        start = start / start.sum()
        values = [float(kullback_leibler(fokker_planck.solve(start, x, VP(), t), prior)) for t in times]
        assert all(later < earlier for earlier, later in pairwise(values))
        assert values[-1] < 1e-3


def slope(function: object, t: float, h: float = 1e-4) -> float:
    assert callable(function)
    return float((function(t + h) - function(t - h)) / (2 * h))


@pytest.mark.parametrize("t", [0.03, 0.2, 0.6])
def test_how_fast_entropy_kl_and_information_change(t: float) -> None:
    """dh/dt = ½g²·E s² + f,  dKL/dt = −½g²·E(s + x)²,  dI/dt = dh/dt − σ̇/σ;  s = ∂ log q_t (de Bruijn's identity)."""
    x, step = grid(2001, 9.0)
    schedule = VP()

    def q(time: float) -> torch.Tensor:
        return shares(MIXTURE, x, *at(schedule, time))

    prior = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * step
    time = torch.tensor(t, dtype=torch.float64)
    half_g2, f = float(schedule.g2(time)) / 2, float(schedule.f(time))
    score = MIXTURE.score(x[:, None], *at(schedule, t))[:, 0]
    rise = half_g2 * float(q(t) @ score**2) + f
    assert slope(lambda u: entropy(q(u), step), t) == pytest.approx(rise, rel=1e-5)
    fall = -half_g2 * float(q(t) @ (score + x) ** 2)
    assert slope(lambda u: kullback_leibler(q(u), prior), t) == pytest.approx(fall, rel=1e-5)
    sigma_dot = float(schedule.rates(time)[1])
    lost = rise - sigma_dot / at(schedule, t)[1]
    assert slope(lambda u: mutual_information(q(u), at(schedule, u)[1], step), t) == pytest.approx(lost, rel=1e-4)
    assert lost < 0


def test_entropy_of_wide_data_falls_to_that_of_the_prior() -> None:
    """N(0, 2²) has ½ log(2πe·4) = 2.11 nats, N(0, 1) has 1.42."""
    x, step = grid(1201, 16.0)
    wide = GaussianMixture(torch.ones(1), torch.zeros(1, 1), torch.tensor([4.0]))
    values = [float(entropy(shares(wide, x, *at(VP(), t)), step)) for t in (0.0, 0.1, 0.3, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(0.5 * math.log(8 * math.pi * math.e), abs=1e-9)
    assert values[-1] == pytest.approx(0.5 * math.log(2 * math.pi * math.e), abs=1e-4)


def test_wrong_arguments_fail_at_the_door() -> None:
    x, _ = grid(101)
    p = shares(MIXTURE, x)
    with pytest.raises(ValueError, match=r"preserve the variance.*from VE. Use VP\(\) or Cosine\(\)"):
        fokker_planck.solve(p, x, VE(), 0.5)
    with pytest.raises(ValueError, match="takes for ever"):
        fokker_planck.solve(p, x, Cosine(), 1.0)
    with pytest.raises(ValueError, match="t must lie in"):
        fokker_planck.solve(p, x, VP(), 2.0)
    with pytest.raises(ValueError, match="p must have shape"):
        fokker_planck.solve(p[:50], x, VP(), 0.5)
    with pytest.raises(ValueError, match="evenly spaced"):
        fokker_planck.rates(x**3)
    with pytest.raises(ValueError, match="too coarse"):
        fokker_planck.rates(torch.linspace(-8, 8, 9))


def test_a_density_below_0_is_refused() -> None:
    x, _ = grid(41)
    with pytest.raises(ValueError, match="p must be densities or shares, not negative, got -1"):
        fokker_planck.solve(-torch.ones_like(x), x, VP(), 0.5)
