"""The binary heartbeat: the counts stand for all sequences, and the exact bound has the known values."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.exact import heartbeat
from diffusion_teach.papers import sohl_dickstein2015


def test_the_two_ends_of_the_scale() -> None:
    assert math.log2(1 / 5) == pytest.approx(heartbeat.TRUTH / math.log(2))
    entropy = float(sohl_dickstein2015.binomial_entropy(torch.full((20,), 0.2, dtype=torch.float64)))
    assert pytest.approx(-entropy) == heartbeat.L_NULL
    assert heartbeat.L_NULL / math.log(2) == pytest.approx(-14.439, abs=5e-4)


def test_samples_are_the_five_patterns_equally_often() -> None:
    x = heartbeat.sample(5000, generator=torch.Generator().manual_seed(0))
    found, counts = x.unique(dim=0, return_counts=True)
    assert {tuple(row) for row in found.tolist()} == {tuple(row) for row in heartbeat.patterns().tolist()}
    assert (heartbeat.patterns().sum(1) == 4).all()
    assert ((counts / 5000 - 0.2).abs() < 5 * (0.16 / 5000) ** 0.5).all()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_the_posterior_of_the_phase_is_bayes_rule(kept: float) -> None:
    x_t = (torch.rand(50, 20, generator=torch.Generator().manual_seed(1)) < 0.4).double()
    right = (1 + kept) / 2
    hits = (x_t[:, None] == heartbeat.patterns().double()).double().sum(-1)
    expected = right**hits * (1 - right) ** (20 - hits)
    expected = expected / expected.sum(1, keepdim=True)
    torch.testing.assert_close(heartbeat.phase(x_t, kept), expected)
    torch.testing.assert_close(heartbeat.posterior_mean(x_t, kept), expected @ heartbeat.patterns().double())


@pytest.mark.parametrize(
    ("T", "bits"), [(5, -3.5886), (10, -2.8709), (20, -2.5806), (50, -2.4221), (100, -2.3715), (500, -2.3318)]
)
def test_the_best_bound_has_the_known_values(T: int, bits: float) -> None:
    assert heartbeat.best_bound(T) / math.log(2) == pytest.approx(bits, abs=1e-4)


def test_the_papers_last_step_costs_what_its_flips_cost() -> None:
    # With p(x_0|x_1) = q(x_1|x_0) the term of t = 1 becomes the entropy of the flips, in place of the best guess's.
    for T in (20, 100):
        flips = float(sohl_dickstein2015.binomial_entropy(torch.full((20,), 0.5 / T, dtype=torch.float64)))
        gap = heartbeat.best_bound(T) - heartbeat.best_bound(T, last_step="forward")
        assert gap == pytest.approx(flips - float(heartbeat.divergences(T)[0]))
    assert heartbeat.best_bound(100, last_step="forward") / math.log(2) == pytest.approx(-3.2798, abs=1e-4)


def test_the_counts_stand_for_all_sequences() -> None:
    # The same expectation over draws of whole sequences.
    T, n, generator = 10, 20_000, torch.Generator().manual_seed(2)
    k = sohl_dickstein2015.binomial_tables(T)
    x_0 = heartbeat.sample(n, generator=generator).double()
    exact = heartbeat.divergences(T)
    for t in (1, 4, 10):
        x_t = sohl_dickstein2015.binomial_jump(x_0, t, k, torch.rand(n, 20, dtype=torch.float64, generator=generator))
        q = sohl_dickstein2015.binomial_posterior(x_0, x_t, t, k)
        p = sohl_dickstein2015.binomial_posterior(heartbeat.posterior_mean(x_t, float(k.ᾱ[t])), x_t, t, k)
        drawn = sohl_dickstein2015.binomial_kl(q, p.clamp(1e-12, 1 - 1e-12))
        assert float(exact[t - 1] - drawn.mean()) == pytest.approx(0, abs=5 * float(drawn.std()) / n**0.5 + 1e-9)


def test_the_cases_are_all_sequences() -> None:
    cases, ways = heartbeat._counts()
    assert len(cases) == 350
    assert ways.sum() == 2**20


def test_one_step_is_worth_as_much_as_independent_bits() -> None:
    # From fair coins nothing can be told, so the best rates are those of the data, one time in five.
    assert heartbeat.best_bound(1) == pytest.approx(heartbeat.L_NULL)


def test_the_papers_own_coins() -> None:
    # Appendix D.1.2: coins that show a 1 one time in five. One step is then worth L_null in both ways.
    assert heartbeat.best_bound(1, rest=0.2) == pytest.approx(heartbeat.L_NULL)
    assert heartbeat.best_bound(1, last_step="forward", rest=0.2) == pytest.approx(heartbeat.L_NULL)
    assert heartbeat.best_bound(1, last_step="forward") == pytest.approx(-20 * math.log(2))
    assert heartbeat.best_bound(100, rest=0.2) / math.log(2) == pytest.approx(-2.3718, abs=1e-4)
    assert heartbeat.best_bound(100, last_step="forward", rest=0.2) / math.log(2) == pytest.approx(-2.9737, abs=1e-4)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"rest must be 0\.5 or 0\.2"):
        heartbeat.best_bound(10, last_step="forward", rest=0.3)
    with pytest.raises(ValueError, match="ᾱ must be at least 0 and below 1"):
        heartbeat.phase(torch.zeros(3, 20), 1.0)
    with pytest.raises(ValueError, match="last_step must be one of"):
        heartbeat.best_bound(10, last_step="backward")
    with pytest.raises(ValueError, match="x_t must have shape"):
        heartbeat.phase(torch.zeros(3, 19), 0.5)
