"""The paper of 2015: kernels against enumeration, its bound against the exact log-likelihood of tiny models."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.papers import sohl_dickstein2015
from diffusion_teach.schedules import Discrete, linear_betas

BITS = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)  # all 8 sequences of 3 bits
DATA = torch.tensor([0.3, 0.0, 0.05, 0.25, 0.0, 0.2, 0.05, 0.15], dtype=torch.float64)
UNIFORM = torch.full((8,), 1 / 8, dtype=torch.float64)


def joint(rate: Tensor) -> Tensor:
    """The probability (..., 8) of each of the 8 sequences, given the rates (..., 3) of independent bits."""
    return torch.where(BITS == 1, rate.unsqueeze(-2), 1 - rate.unsqueeze(-2)).prod(-1)


def forward_matrix(kept: Tensor, rest: float = 0.5) -> Tensor:
    """(8, 8): from each sequence to each, a bit kept with a probability and else a coin."""
    return joint(BITS * kept + rest * (1 - kept))


def test_binomial_jump_is_so_many_steps() -> None:
    k = sohl_dickstein2015.binomial_tables(7)
    chain = torch.eye(8, dtype=torch.float64)
    for t in range(1, 8):
        chain = chain @ forward_matrix(k.α[t])
        torch.testing.assert_close(chain, forward_matrix(k.ᾱ[t]))
        torch.testing.assert_close(k.ᾱ[t], 1 - torch.tensor(t / 7, dtype=torch.float64))
    assert k.ᾱ[0] == 1
    torch.testing.assert_close(k.α[: 7 + 1].cumprod(0), k.ᾱ)


def test_binomial_draws_have_their_rates() -> None:
    k, n = sohl_dickstein2015.binomial_tables(4), 200_000
    u = torch.rand(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = sohl_dickstein2015.binomial_jump(torch.tensor([0.0, 1.0], dtype=torch.float64).expand(n, 2), 2, k, u)
    assert x.unique().tolist() == [0, 1]
    expected = torch.tensor([(1 - k.ᾱ[2]) / 2, (1 + k.ᾱ[2]) / 2])
    assert ((x.mean(0) - expected).abs() < 5 / (2 * n**0.5)).all()
    # Before the first step all bits are kept, for every u in [0, 1), 0 included.
    bits = torch.tensor([0.0, 1.0])
    for u in (torch.zeros(2), torch.full((2,), 1 - 2**-24)):
        assert torch.equal(sohl_dickstein2015.binomial_jump(bits, 0, k, u), bits)


@pytest.mark.parametrize("rest", [0.5, 0.2])
@pytest.mark.parametrize("t", [1, 2, 5, 6])
def test_binomial_posterior_is_bayes_rule_over_all_sequences(t: int, rest: float) -> None:
    k = sohl_dickstein2015.binomial_tables(6)
    prior, step = forward_matrix(k.ᾱ[t - 1], rest), forward_matrix(k.α[t], rest)
    for a, b in itertools.product(range(8), repeat=2):
        if forward_matrix(k.ᾱ[t])[a, b] == 0:
            continue
        posterior = prior[a] * step[:, b]
        rate = (posterior / posterior.sum()) @ BITS
        torch.testing.assert_close(sohl_dickstein2015.binomial_posterior(BITS[a], BITS[b], t, k, rest=rest), rate)


def test_a_rate_in_place_of_a_bit_averages_the_posterior() -> None:
    k, x_t = sohl_dickstein2015.binomial_tables(6), torch.tensor([1.0, 0.0], dtype=torch.float64)
    zero, one = (sohl_dickstein2015.binomial_posterior(torch.full_like(x_t, bit), x_t, 3, k) for bit in (0.0, 1.0))
    rate = torch.tensor([0.25, 0.6], dtype=torch.float64)
    expected = (1 - rate) * zero + rate * one
    torch.testing.assert_close(sohl_dickstein2015.binomial_posterior(rate, x_t, 3, k), expected)


def reverse_rates(T: int, k: sohl_dickstein2015.Tables) -> list[Tensor]:
    """f_b of the best factorised kernel at t = 1 … T for each of the 8 noisy sequences, by enumeration."""
    rates = []
    for t in range(1, T + 1):
        posterior = DATA[:, None] * forward_matrix(k.ᾱ[t])
        mean = (posterior / posterior.sum(0)).T @ BITS  # p(x_0 = 1|x_t)
        rates.append(sohl_dickstein2015.binomial_posterior(mean, BITS, t, k))
    return rates


def divergences(T: int, k: sohl_dickstein2015.Tables, rates: list[Tensor]) -> Tensor:
    found = []
    for t in range(1, T + 1):
        weight = DATA[:, None] * forward_matrix(k.ᾱ[t])
        x_0, x_t = BITS[:, None].expand(8, 8, 3), BITS.expand(8, 8, 3)
        q = sohl_dickstein2015.binomial_posterior(x_0, x_t, t, k)
        kl = sohl_dickstein2015.binomial_kl(q, rates[t - 1].expand(8, 8, 3))
        found.append((weight * kl).sum())
    return torch.stack(found)


def log_likelihood(rates: list[Tensor], last: Tensor) -> float:
    """E log p(x_0) of the reverse chain, by multiplying its 8 × 8 matrices."""
    p = UNIFORM
    for rate in reversed(rates[1:]):
        p = p @ joint(rate)
    return float(torch.special.xlogy(DATA, p @ last).sum())


@pytest.mark.parametrize("T", [3, 10])
def test_the_binomial_bound_is_the_paths_average_and_below_the_likelihood(T: int) -> None:
    k = sohl_dickstein2015.binomial_tables(T)
    rates = reverse_rates(T, k)
    kl = divergences(T, k, rates)
    noise = float(sohl_dickstein2015.binomial_entropy(torch.full((3,), float(k.β[1]) / 2, dtype=torch.float64)))
    bound = float(sohl_dickstein2015.bound(kl[1:], 3 * math.log(2), noise, 3 * math.log(2)))
    last = forward_matrix(k.α[1])  # the paper's last step
    # E log p(x_0 … x_T) − log q(x_1 … x_T|x_0) over all paths, a sum of one expectation a step
    steps = [joint(rate) for rate in rates]
    steps[0] = last
    direct = -3 * math.log(2)
    for t in range(1, T + 1):
        pair = (DATA @ forward_matrix(k.ᾱ[t - 1]))[:, None] * forward_matrix(k.α[t])  # q(x_{t−1}, x_t)
        direct += float((pair * (steps[t - 1].T.log() - forward_matrix(k.α[t]).log())).nan_to_num(neginf=0).sum())
    assert bound == pytest.approx(direct, abs=1e-9)
    assert bound < log_likelihood(rates, last)


def test_no_factorised_kernel_beats_the_best_one_and_the_gap_closes() -> None:
    entropy = -float(torch.special.entr(DATA).sum())
    gaps = []
    for T in (4, 16, 64):
        k = sohl_dickstein2015.binomial_tables(T)
        rates = reverse_rates(T, k)
        best = divergences(T, k, rates)
        other = divergences(T, k, [(0.98 * rate + 0.01) for rate in rates])
        assert (best < other).all()
        assert -best.sum() < log_likelihood(rates, joint(rates[0])) <= entropy + 1e-12
        gaps.append(entropy + float(best.sum()))
    assert gaps[0] > 1.8 * gaps[1] > 3.2 * gaps[2] > 0


def test_the_gaussian_chain_is_the_discrete_schedule() -> None:
    k, schedule = sohl_dickstein2015.tables(linear_betas(30)), Discrete(linear_betas(30))
    torch.testing.assert_close(k.ᾱ, schedule.alpha(torch.arange(31, dtype=torch.float64) / 30) ** 2)
    x = torch.ones(1, dtype=torch.float64)
    for t in (1, 12, 30):
        time = torch.tensor(t / 30, dtype=torch.float64)
        torch.testing.assert_close(sohl_dickstein2015.q_jump(x, t, k, 0 * x)[0], schedule.alpha(time))
        torch.testing.assert_close(sohl_dickstein2015.q_jump(0 * x, t, k, x)[0], schedule.sigma(time))


def test_the_bound_of_gaussian_data_with_its_exact_reverse_is_the_log_likelihood() -> None:
    # Data N(0, diag(s²)) with E‖x‖² = d, as eq. 14 asks: the reverse kernel is Gaussian, so only the ends leave a gap.
    s2 = torch.tensor([0.5, 1.5], dtype=torch.float64)
    betas = torch.cat([torch.tensor([1e-7]), torch.linspace(0.1, 0.9, 12)]).double()
    k, T = sohl_dickstein2015.tables(betas), 13
    kl = []
    for t in range(2, T + 1):
        total = k.ᾱ[t] * s2 + 1 - k.ᾱ[t]
        gain = k.ᾱ[t].sqrt() * s2 / total
        c_0, β̃ = sohl_dickstein2015.posterior(torch.ones(1).double(), torch.zeros(1).double(), t, k)
        spread = s2 - gain * k.ᾱ[t].sqrt() * s2  # of x_0 given x_t
        f_Σ = β̃ + c_0**2 * spread
        # the mean of (μ̃ − f_μ)² over the data is c_0²·spread
        kl.append(sohl_dickstein2015.gaussian_kl(c_0 * spread.sqrt(), β̃.expand(2), torch.zeros(2).double(), f_Σ))
    H = [sohl_dickstein2015.gaussian_entropy(float(1 - k.ᾱ[t]), 2) for t in (T, 1)]
    bound = float(sohl_dickstein2015.bound(torch.stack(kl), H[0], H[1], math.log(2 * math.pi) + 1))
    truth = -float(0.5 * torch.log(2 * math.pi * math.e * s2).sum())
    assert bound < truth
    assert bound == pytest.approx(truth, abs=1e-4)


def test_the_gaussian_bound_of_a_mixture_rises_to_the_log_likelihood() -> None:
    one = torch.tensor([[-0.9], [0.9]], dtype=torch.float64)
    data = GaussianMixture(torch.ones(2).double(), one, torch.full((2,), 1 - 0.81).double())  # variance 1
    x_0 = torch.linspace(-4, 4, 321, dtype=torch.float64)
    density = data.log_prob(x_0[:, None]).exp()
    density = density / density.sum()
    z = torch.linspace(-5, 5, 101, dtype=torch.float64)
    weight = density[:, None] * torch.softmax(-(z**2) / 2, 0)
    found = []
    for T in (4, 16, 64):
        snr = torch.linspace(16, -16, T, dtype=torch.float64).sigmoid()
        k = sohl_dickstein2015.tables(1 - torch.cat([snr[:1], snr[1:] / snr[:-1]]))
        kl = []
        for t in range(2, T + 1):
            x_t = sohl_dickstein2015.q_jump(x_0[:, None], t, k, z)
            guess = data.posterior_mean(x_t[..., None], float(k.ᾱ[t].sqrt()), float((1 - k.ᾱ[t]).sqrt()))[..., 0]
            f_Σ = sohl_dickstein2015.best_variance(t, k, float((weight * (x_0[:, None] - guess) ** 2).sum()))
            μ, β̃ = sohl_dickstein2015.posterior(x_0[:, None].expand_as(x_t), x_t, t, k)
            f_μ, _ = sohl_dickstein2015.posterior(guess, x_t, t, k)
            mean = (weight * sohl_dickstein2015.gaussian_kl(μ[..., None], β̃, f_μ[..., None], f_Σ)).sum()
            torch.testing.assert_close(mean, 0.5 * torch.log(f_Σ / β̃)[0])  # what the docstring says of this variance
            kl.append(mean)
        H = [sohl_dickstein2015.gaussian_entropy(float(1 - k.ᾱ[t]), 1) for t in (T, 1)]
        bound = sohl_dickstein2015.bound(torch.stack(kl), H[0], H[1], sohl_dickstein2015.gaussian_entropy(1.0, 1))
        found.append(float(bound))
    truth = float((density * data.log_prob(x_0[:, None])).sum())
    gaps = [truth - bound for bound in found]
    assert gaps[0] > 1.8 * gaps[1] > 3.2 * gaps[2] > 0


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="never negative, got -1"):
        sohl_dickstein2015.bound(torch.tensor([0.5, -1.0]), 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="variance must be above 0"):
        sohl_dickstein2015.gaussian_entropy(0.0, 2)
    with pytest.raises(ValueError, match="T must be at least 1"):
        sohl_dickstein2015.binomial_tables(0)
    with pytest.raises(ValueError, match="u and x_0 must have the same shape"):
        sohl_dickstein2015.binomial_jump(torch.ones(4, 2), 1, sohl_dickstein2015.binomial_tables(3), torch.rand(4, 1))
    with pytest.raises(ValueError, match="same shape"):
        sohl_dickstein2015.binomial_kl(torch.ones(2), torch.ones(3))
