r"""The binary heartbeat of Sohl-Dickstein et al. (2015), and what there is to know about it in closed form.

A sequence has 20 bits, of which every fifth is a 1: five sequences, one for each phase, all equally likely. So the
log-likelihood of a perfect model is log(1/5), and that of independent bits with the right rate −20·H(1/5).

Let the bits be kept with probability ᾱ and else replaced by a fair coin. A bit is then right with probability
(1 + ᾱ)/2, and with n_j ones among the four bits of phase j the posterior of the phase is

    w_j = p(phase j|x_t) ∝ r^(2·n_j − 4),   r = (1 + ᾱ)/(1 − ᾱ).

Everything depends on the five counts alone, and by symmetry on those of the wrong phases without their order: 350
cases, and the expectations in the bound are finite sums.
"""

from __future__ import annotations

import functools
import itertools
import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.papers import sohl_dickstein2015

LENGTH, PERIOD = 20, 5
BEATS = LENGTH // PERIOD
TRUTH = math.log(1 / PERIOD)
"""The data's log-likelihood under their own distribution, nats a sequence; −2.322 bits."""
L_NULL = -LENGTH * (math.log(PERIOD) - (1 - 1 / PERIOD) * math.log(PERIOD - 1))
"""That of independent bits that are 1 one time in five, nats a sequence; −14.439 bits."""


def patterns() -> Tensor:
    """The five sequences, (5, 20) of zeros and ones; row j begins with j zeros."""
    beats = torch.arange(LENGTH) % PERIOD == torch.arange(PERIOD)[:, None]
    return beats.to(torch.get_default_dtype())


def sample(n: int, *, generator: torch.Generator | None = None) -> Tensor:
    """n sequences, (n, 20) of zeros and ones."""
    n, generator = _checks.integer("n", n), _checks.generator(generator)
    return patterns()[torch.randint(PERIOD, (n,), generator=generator)]


def phase(x_t: Tensor, ᾱ: float) -> Tensor:
    """p(phase|x_t), (..., 5), of noisy bits x_t (..., 20).

    A share ᾱ in [0, 1) of the bits was kept, and fair coins replaced the others.
    """
    _checks.tensor("x_t", x_t, ("...", LENGTH))
    kept = torch.tensor(_checks.number("ᾱ", ᾱ, least=0, below=1), dtype=x_t.dtype)
    return _phase(x_t.unflatten(-1, (BEATS, PERIOD)).sum(-2), kept, 0.5)


def _phase(ones: Tensor, ᾱ: Tensor, rest: float) -> Tensor:
    """p(phase), (..., 5), by the ones among the four places of each phase, (..., 5)."""
    a, b = ᾱ + rest * (1 - ᾱ), rest * (1 - ᾱ)  # rates of a beat, and elsewhere
    of_ones = ones * (a / b).log()
    of_zeros = (BEATS - ones) * ((1 - rest) * (1 - ᾱ) / (1 - b)).log()
    return (of_ones + of_zeros).softmax(-1)


def posterior_mean(x_t: Tensor, ᾱ: float) -> Tensor:
    """p(x_0 = 1|x_t) of each bit, (..., 20): what the best network would answer."""
    return phase(x_t, ᾱ).repeat(*[1] * (x_t.ndim - 1), BEATS)


def best_bound(T: int, *, last_step: str = "learned", rest: float = 0.5) -> float:
    """K of the best factorised reverse kernel, exact, in nats a sequence.

    With β_t = 1/(T − t + 1). The kernel is f_b = E[q(x_{t−1} = 1|x_t, x_0)|x_t], bit by
    bit. K rises with T, to `TRUTH`.

    Args:
        T: steps.
        last_step: "learned", p(x_0|x_1) by the same rule, as is usual today; or
            "forward", the paper's eq. 14, where the last step flips bits as a forward
            step does.
        rest: how often the coins that replace bits show a 1. 0.5 are fair coins; the
            paper's heartbeats had 0.2, the rate of the data (appendix D.1.2).

    Raises:
        ValueError: for a forward last step and a rest of neither kind, where eq. 14
            needs one more term.
    """
    _checks.choice("last_step", last_step, ("learned", "forward"))
    T, rest = _checks.integer("T", T), _checks.number("rest", rest, above=0, below=1)
    k = sohl_dickstein2015.binomial_tables(T)
    kl = divergences(T, rest=rest)
    if last_step == "learned":
        return -float(kl.sum())
    if rest not in (0.5, 1 / PERIOD):
        kinds = f"0.5 or {1 / PERIOD:g}"
        raise ValueError(f"rest must be {kinds} with a forward step, got {rest:g}.")
    beat, other = 1 - k.β[1] * (1 - rest), k.β[1] * rest  # their rates in x_1
    coins = torch.full((LENGTH,), rest, dtype=torch.float64)  # ᾱ_T = 0: x_T is π
    entropy = sohl_dickstein2015.binomial_entropy
    H_1 = float(entropy(torch.where(patterns()[0] == 1, beat, other)))
    H_T = float(entropy(coins))
    return float(sohl_dickstein2015.bound(kl[1:], H_T, H_1, H_T))


def divergences(T: int, *, rest: float = 0.5) -> Tensor:
    """E KL(q(x_{t−1}|x_t, x_0) ‖ p(x_{t−1}|x_t)) of the best factorised kernel.

    In nats, at t = 1 … T, shape (T,), for coins that show a 1 at the rate `rest`.
    """
    T = _checks.integer("T", T)
    k = sohl_dickstein2015.binomial_tables(T)
    rest = _checks.number("rest", rest, above=0, below=1)
    steps = torch.arange(1, T + 1).split(20)
    return torch.cat([_divergences(t[:, None, None], k, rest) for t in steps])


def _divergences(t: Tensor, k: sohl_dickstein2015.Tables, rest: float) -> Tensor:
    """The sum over the 350 cases at steps t (n, 1, 1), shape (n,)."""
    ones, ways = _counts()  # (350, 5), of the right phase first; (350,)
    weights = _phase(ones, k.ᾱ[t], rest)  # (n, 350, 5)
    ᾱ, beats, strays = k.ᾱ[t[..., 0]], ones[:, 0], ones[:, 1:].sum(-1)
    a, b = ᾱ + rest * (1 - ᾱ), rest * (1 - ᾱ)
    of_beats = a**beats * (1 - a) ** (BEATS - beats)
    of_others = b**strays * (1 - b) ** (LENGTH - BEATS - strays)
    probability = ways * of_beats * of_others  # of each case, (n, 350)
    x_0 = torch.eye(PERIOD, dtype=torch.float64)[0].expand_as(weights)
    total = torch.zeros_like(probability)
    for bit, count in ((1.0, ones), (0.0, BEATS - ones)):
        x_t = torch.full_like(weights, bit)
        q, p = (_posterior(guess, x_t, t, k, rest) for guess in (x_0, weights))
        single = sohl_dickstein2015.binomial_kl(q.unsqueeze(-1), p.unsqueeze(-1))
        # Where a rate rounds to 0 or 1 and the truth is the other, the case has a
        # probability below 1e-14.
        total += (count * single.nan_to_num(nan=0.0, posinf=0.0)).sum(-1)
    return (probability * total).sum(-1)


def _posterior(
    x_0: Tensor,
    x_t: Tensor,
    t: Tensor,
    k: sohl_dickstein2015.Tables,
    rest: float,
) -> Tensor:
    return sohl_dickstein2015.binomial_posterior(x_0, x_t, t, k, rest=rest).clamp(0, 1)


@functools.cache
def _counts() -> tuple[Tensor, Tensor]:
    """Ones among the places of each phase, (350, 5), and how many sequences have them.

    The right phase comes first. By symmetry the order of the others does not matter.
    """
    cases, ways = [], []
    numbers = range(BEATS + 1)
    for first in numbers:
        for others in itertools.combinations_with_replacement(numbers, PERIOD - 1):
            counts = (first, *others)
            alike = math.prod(math.factorial(others.count(n)) for n in set(others))
            orders = math.factorial(PERIOD - 1) // alike
            cases.append(counts)
            ways.append(orders * math.prod(math.comb(BEATS, n) for n in counts))
    return torch.tensor(cases).double(), torch.tensor(ways).double()
