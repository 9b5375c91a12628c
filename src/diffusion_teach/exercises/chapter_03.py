"""The exercises of chapter 3."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import (
    Answer,
    Exercise,
    Law,
    Mistake,
    Trial,
    Wrong,
    diagnose,
    same,
    uniform,
    within,
)

CHAPTER = "03_nonequilibrium"


def forget_step(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    """Bits x (B, d) of zeros and ones after one step.

    Each is kept, or with probability beta becomes a fair coin.
    """
    rate = (1 - beta) * x + beta / 2
    return (torch.rand(x.shape, generator=generator) < rate).to(x)


def _examine_forget_step(answer: Answer) -> None:
    n, beta = 40_000, 0.3
    x = torch.tensor([0.0, 1.0]).expand(n, 2).contiguous()
    value = _bits(answer(x.clone(), beta, torch.Generator().manual_seed(1)), x)
    same(value, x)
    if not ((value == 0) | (value == 1)).all():
        if (value == value[0]).all():
            raise Wrong("you return rates, not bits: draw a zero or a one with that rate.")
        raise Wrong(f"bits are 0 or 1; some of yours are others, such as {_first_other(value):.3g}.")
    if (value == value[0]).all():
        more = [_bits(answer(x.clone(), beta, torch.Generator().manual_seed(seed)), x) for seed in range(2, 12)]
        if all(torch.equal(draw, x) for draw in [value, *more]):
            raise Wrong("no bit ever changes.")
        raise Wrong("all rows share one draw. Each bit of each row needs its own: `torch.rand(x.shape, …)`.")
    zeros, ones = value.mean(0).tolist()
    named = {
        "each bit flips with probability β. A coin that replaces it agrees with it half of the time: flips have β/2.": (
            beta,
            1 - beta,
        ),
        "bits are kept with probability β and replaced with 1 − β. It is the other way round.": (
            (1 - beta) / 2,
            (1 + beta) / 2,
        ),
        "a replaced bit becomes 0. The coin is fair: half of the replaced bits become 1.": (0.0, 1 - beta),
        "a replaced bit becomes 1. The coin is fair: half of the replaced bits become 0.": (beta, 1.0),
        "you keep with √(1 − β). That is the Gaussian's factor; bits are kept with 1 − β.": (
            (1 - (1 - beta) ** 0.5) / 2,
            (1 + (1 - beta) ** 0.5) / 2,
        ),
        "ones become zeros as often as they should stay: the comparison with the draw is turned round.": (
            1 - beta / 2,
            beta / 2,
        ),
    }
    if abs(zeros - beta / 2) > 0.01 or abs(ones - (1 - beta / 2)) > 0.01:
        diagnose(
            (zeros, ones),
            named.items(),
            f"with β = {beta} a 0 should become 1 with probability {beta / 2:.3f}, a 1 stay with {1 - beta / 2:.3f}; "
            f"yours are {zeros:.3f} and {ones:.3f}.",
            near=within(0.01, 0.01),
        )
    if torch.corrcoef(value.T)[0, 1].abs() > 0.1:
        raise Wrong("all bits of a row share one draw. Each bit needs its own: `torch.rand(x.shape, …)`.")


def _first_other(value: Tensor) -> float:
    return float(value[(value != 0) & (value != 1)][0])


def _bits(value: Any, x: Tensor) -> Any:
    """Bits as bool or whole numbers are bits too."""
    return value.to(x) if isinstance(value, Tensor) and not value.is_floating_point() else value


def _forget(rate: Callable[[Tensor, float], Tensor], *, shared: bool = False, own: bool = False) -> Answer:
    def answer(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
        shape = (len(x), 1) if shared else x.shape
        return (torch.rand(shape, generator=None if own else generator) < rate(x, beta)).to(x)

    return answer


def _right_rate(x: Tensor, beta: float) -> Tensor:
    return (1 - beta) * x + beta / 2


def bit_before(x_0: Tensor, x_t: Tensor, beta: float, kept_before: float) -> Tensor:
    """q(x_{t−1} = 1|x_t, x_0) of bits: beta is β_t, and kept_before is ᾱ_{t−1}."""
    prior = kept_before * x_0 + (1 - kept_before) / 2  # q(x_{t−1} = 1|x_0)
    forward = (1 - beta) * x_t + beta / 2  # q(x_t|x_{t−1} = 1)
    one, zero = prior * forward, (1 - prior) * (1 - forward)
    return one / (one + zero)


def _examine_bit_before(answer: Answer) -> None:
    x_0, x_t = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    beta, before = 0.3, 0.6
    value = answer(x_0, x_t, beta, before)
    right = bit_before(x_0, x_t, beta, before)
    if same(value, right):
        return
    prior, forward = before * x_0 + (1 - before) / 2, (1 - beta) * x_t + beta / 2
    now = (1 - beta) * before * x_0 + (1 - (1 - beta) * before) / 2
    flips = (1 - beta) * x_t + beta * (1 - x_t)
    named = {
        "you have q(x_{t−1}|x_0), the prior. What x_t says is missing: multiply by q(x_t|x_{t−1}).": prior,
        "you have what x_t says alone. What x_0 says is missing: multiply by q(x_{t−1}|x_0).": forward,
        "the product is right, but it is not a probability yet: divide by the sum over both values of x_{t−1}.": (
            prior * forward
        ),
        "the weight of x_{t−1} = 0 lacks the forward factor, 1 − q(x_t|x_{t−1} = 1).": (
            prior * forward / (prior * forward + 1 - prior)
        ),
        "that is the probability of x_{t−1} = 0. Asked is that of 1.": 1 - right,
        "your prior is that of step t. The bit before has seen one step less: ᾱ_{t−1}, as given.": (
            now * forward / (now * forward + (1 - now) * (1 - forward))
        ),
        "you average the two rates. Evidence multiplies: Bayes' rule.": (prior + forward) / 2,
        "your step flips a bit with probability β. It replaces it with a coin, which agrees half of the time.": (
            prior * flips / (prior * flips + (1 - prior) * (1 - flips))
        ),
        "β_t and ᾱ_{t−1} are exchanged: one is what a step forgets, the other what all steps before it keep.": (
            bit_before(x_0, x_t, before, beta)
        ),
    }
    worst = int((value - right).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"for β = {beta}, ᾱ = {before}, x_0 = {x_0[worst]:g} and x_t = {x_t[worst]:g} the rate is "
        f"{float(right[worst]):.3f}; yours is {float(value[worst]):.3f}.",
    )


def _odds(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> tuple[Tensor, Tensor]:
    return before * x_0 + (1 - before) / 2, (1 - beta) * x_t + beta / 2


def _without_zero_factor(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> Tensor:
    prior, forward = _odds(x_0, x_t, beta, before)
    return prior * forward / (prior * forward + 1 - prior)


def _with_flips(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> Tensor:
    prior, forward = _odds(x_0, x_t, beta, before)[0], (1 - beta) * x_t + beta * (1 - x_t)
    return prior * forward / (prior * forward + (1 - prior) * (1 - forward))


def reverse_step(
    x: Tensor,
    x0: Tensor,
    t: int,
    betas: Tensor,
    alpha_bar: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """x⁽ᵗ⁻¹⁾ ~ q(x⁽ᵗ⁻¹⁾|x⁽ᵗ⁾, x⁽⁰⁾ = x0).

    betas and alpha_bar have T + 1 entries, with β_0 = 0 and ᾱ_0 = 1.
    """
    now, before = 1 - alpha_bar[t], 1 - alpha_bar[t - 1]
    of_x0 = alpha_bar[t - 1].sqrt() * betas[t] / now
    of_x = (1 - betas[t]).sqrt() * before / now
    noise = torch.randn(x.shape, generator=generator)
    return of_x0 * x0 + of_x * x + (before / now * betas[t]).sqrt() * noise


_BETAS = torch.tensor([0.0, 0.1, 0.3, 0.5])
_BARS = (1 - _BETAS).cumprod(0)


def _means(x: float, x0: float, t: int) -> dict[str, float]:
    """What each known mistake makes of the mean."""
    beta, bar, before = float(_BETAS[t]), float(_BARS[t]), float(_BARS[t - 1])
    alpha, noise = 1 - beta, 1 - bar
    earlier = float(_BETAS[t - 1])
    return {
        "the factors of x0 and of x are exchanged.": (
            before**0.5 * beta / noise * x + alpha**0.5 * (1 - before) / noise * x0
        ),
        "the roots of ᾱ_{t−1} and of 1 − β_t are missing in the mean.": (
            before * beta / noise * x0 + alpha * (1 - before) / noise * x
        ),
        "you jump to q(x⁽ᵗ⁻¹⁾|x⁽⁰⁾) and forget where x⁽ᵗ⁾ is.": before**0.5 * x0,
        "you jump all the way to x0. One step goes only part of it.": x0,
        "β_t stands where 1 − ᾱ_{t−1} belongs in the factor of x⁽ᵗ⁾.": (
            before**0.5 * beta / noise * x0 + alpha**0.5 * beta / noise * x
        ),
        "ᾱ_t stands where ᾱ_{t−1} belongs: off by one.": bar**0.5 * beta / noise * x0 + alpha**0.5 * x,
        "β_{t−1} stands where β_t belongs: off by one.": (
            before**0.5 * earlier / noise * x0 + (1 - earlier) ** 0.5 * (1 - before) / noise * x
        ),
        "x⁽⁰⁾ has no part in your mean.": alpha**0.5 * (1 - before) / noise * x,
    }


def _examine_reverse_step(answer: Answer) -> None:
    t, x, x0 = 3, torch.full((25_000, 2), 1.4), torch.full((25_000, 2), -0.8)
    value = answer(x, x0, t, _BETAS, _BARS, torch.Generator().manual_seed(1))
    same(value, x)
    value = value.detach()
    beta, bar, before = float(_BETAS[t]), float(_BARS[t]), float(_BARS[t - 1])
    variance = (1 - before) / (1 - bar) * beta
    mean = before**0.5 * beta / (1 - bar) * -0.8 + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * 1.4
    found, deviation = float(value.mean()), float(value.std())
    uniform_too = (mean + variance**0.5 / 2, (variance / 12) ** 0.5)
    if within(0.01, 0.01)((found, deviation), uniform_too):
        raise Wrong("the noise is uniform: use `randn`, not `rand`.")
    if abs(found - mean) > 0.02:
        otherwise = f"from x⁽ᵗ⁾ = 1.4 towards x⁽⁰⁾ = −0.8 the mean is {mean:.3f}; yours is {found:.3f}."
        diagnose(found, _means(1.4, -0.8, t).items(), otherwise, near=within(0.01))
    if abs(deviation - variance**0.5) > 0.01:
        spreads = {
            "you scale the noise by its variance. A draw is scaled by the deviation, its root.": variance,
            "you draw with the forward variance β_t. Knowing x⁽⁰⁾ leaves less.": beta**0.5,
            "you draw with the variance of q(x⁽ᵗ⁻¹⁾|x⁽⁰⁾). Knowing x⁽ᵗ⁾ too leaves less.": (1 - before) ** 0.5,
            "there is no noise in your step. It is a draw, with the deviation of the posterior.": 0.0,
        }
        otherwise = f"the deviation of your step is {deviation:.3f}; expected {variance**0.5:.3f}."
        diagnose(deviation, spreads.items(), otherwise, near=within(0.01))
    last = answer(x, x0, 1, _BETAS, _BARS, torch.Generator().manual_seed(3))
    if isinstance(last, Tensor) and not last.isfinite().all():
        raise Wrong("the last step, t = 1, gives NaN: there 1 − ᾱ_0 = 0, and you divide by it. Multiply out first.")
    if not float((last.detach() - x0).abs().max()) <= 1e-4:
        raise Wrong("the last step, t = 1, must land on x0 exactly: ᾱ_0 = 1 leaves no noise to draw.")


def _reverse(
    mean: Callable[[Tensor, Tensor, float, float, float], Tensor] | None = None,
    deviation: Callable[[float, float, float], float] | None = None,
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    def answer(x: Tensor, x0: Tensor, t: int, betas: Tensor, bars: Tensor, generator: torch.Generator) -> Tensor:
        beta, bar, before = float(betas[t]), float(bars[t]), float(bars[t - 1])
        right = before**0.5 * beta / (1 - bar) * x0 + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * x
        centre = right if mean is None else mean(x, x0, beta, bar, before)
        spread = ((1 - before) / (1 - bar) * beta) ** 0.5 if deviation is None else deviation(beta, bar, before)
        return centre + spread * draw(x.shape, generator=generator)

    return answer


def _one_bar_late(
    x: Tensor, x0: Tensor, t: int, betas: Tensor, alpha_bar: Tensor, generator: torch.Generator
) -> Tensor:
    noise, beta = 1 - alpha_bar[t], betas[t]
    mean = alpha_bar[t].sqrt() * beta / noise * x0 + (1 - beta).sqrt() * x
    return mean + beta.sqrt() * torch.randn(x.shape, generator=generator)


def _precisions_add(
    x: Tensor, x0: Tensor, t: int, betas: Tensor, alpha_bar: Tensor, generator: torch.Generator
) -> Tensor:
    before, beta = alpha_bar[t - 1], betas[t]
    precision = 1 / (1 - before) + (1 - beta) / beta
    mean = (before.sqrt() * x0 / (1 - before) + (1 - beta).sqrt() * x / beta) / precision
    return mean + torch.randn(x.shape, generator=generator) / precision.sqrt()


def parzen_window(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    """log (1/n) Σ_i N(x; c_i, σ²·I), in nats, of each test point.

    samples (n, d) and test (m, d) give (m,).
    """
    n, d = samples.shape
    squared = torch.cdist(test, samples).square()
    constant = math.log(n) + d / 2 * math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(-squared / (2 * sigma**2), dim=1) - constant


def _examine_parzen_window(answer: Answer) -> None:
    g = torch.Generator().manual_seed(5)
    samples, test = torch.randn(6, 3, generator=g), torch.randn(4, 3, generator=g)
    sigma, (n, d) = 0.5, samples.shape
    value = answer(samples, test, sigma)
    right = parzen_window(samples, test, sigma)
    if same(value, right):
        far, points = torch.rand(5, 784, generator=g), torch.rand(3, 784, generator=g)
        expected, found = parzen_window(far, points, 0.2), answer(far, points, 0.2)
        if not found.isfinite().all():
            raise Wrong("right in 3 dimensions, but not finite in 784: densities over- and underflow there.")
        if not same(found, expected):
            raise Wrong(
                f"right in 3 dimensions, but in 784 a value of {float(expected[0]):.0f} becomes {float(found[0]):.0f}: "
                "so small a density is lost before the logarithm sees it."
            )
        return
    squared = torch.cdist(test, samples).square()
    exponent = -squared / (2 * sigma**2)
    normaliser = d / 2 * math.log(2 * math.pi * sigma**2)
    total = exponent.logsumexp(1)
    named = {
        "the normalising constant is missing: N(x; c, σ²·I) has the factor (2πσ²)^(−d/2).": total - math.log(n),
        "you sum over the samples and do not average: divide by n, that is, subtract log n.": total - normaliser,
        "the constant is that of one dimension. There are d.": total - math.log(n) - normaliser / d,
        "the deviation stands where the variance belongs in the constant: 2πσ².": (
            total - math.log(n) - normaliser + d / 2 * math.log(sigma)
        ),
        "you average the logarithms. The mean is inside: log of the mean of the densities.": (
            exponent.mean(1) - normaliser
        ),
        "you take the nearest sample only, in place of the sum over all.": (
            exponent.max(1).values - math.log(n) - normaliser
        ),
        "that is in bits: you divided by log 2. Asked are nats.": right / math.log(2),
        "you return densities. Take the logarithm: in 784 dimensions they overflow.": right.exp(),
        "the distance is not squared.": ((-squared.sqrt() / (2 * sigma**2)).logsumexp(1) - math.log(n) - normaliser),
        "the exponent lacks the 2 of 2σ².": (2 * exponent).logsumexp(1) - math.log(n) - normaliser,
        "you divide the squared distance by 2σ in place of 2σ².": (
            (exponent * sigma).logsumexp(1) - math.log(n) - normaliser
        ),
    }
    diagnose(
        value,
        named.items(),
        "with one sample and σ = 1 it must be log N(x; c, I) = −‖x − c‖²/2 − d/2·log 2π. Try that case.",
    )


def _parzen(combine: Callable[[Tensor, int, int, float], Tensor]) -> Answer:
    def answer(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
        n, d = samples.shape
        return combine(-torch.cdist(test, samples).square() / (2 * sigma**2), n, d, sigma)

    return answer


def _naive_parzen(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    density = torch.exp(-torch.cdist(test, samples).square() / (2 * sigma**2)).mean(1)
    return torch.log(density / (2 * math.pi * sigma**2) ** (samples.shape[1] / 2))


def _padded_parzen(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    density = torch.exp(-torch.cdist(test, samples).square() / (2 * sigma**2)).mean(1)
    return torch.log(density + 1e-30) - _constant(samples.shape[1], sigma)


def _not_squared(samples: Tensor, test: Tensor, sigma: float) -> Tensor:
    exponent = -torch.cdist(test, samples) / (2 * sigma**2)
    return exponent.logsumexp(1) - math.log(len(samples)) - _constant(samples.shape[1], sigma)


def _constant(d: int, sigma: float) -> float:
    return d / 2 * math.log(2 * math.pi * sigma**2)


def _try_forget_step(g: torch.Generator) -> Trial:
    x, beta = (torch.rand(6000, 5, generator=g) < 0.4).float(), uniform(g, 0.1, 0.7)
    rate = (1 - beta) * x + beta / 2
    return Trial((x, beta), Law(rate, (rate * (1 - rate)).sqrt(), gaussian=False), lambda value: _bits(value, x))


def _try_bit_before(g: torch.Generator) -> Trial:
    x_0, x_t = ((torch.rand(12, generator=g) < 0.5).float() for _ in range(2))
    return Trial((x_0, x_t, uniform(g, 0.1, 0.7), uniform(g, 0.2, 0.9)))


def _try_reverse_step(g: torch.Generator) -> Trial:
    betas = torch.cat([torch.zeros(1), 0.1 + 0.5 * torch.rand(4, generator=g)])
    bars, t = (1 - betas).cumprod(0), int(torch.randint(1, 5, (), generator=g))
    x, x0 = (4 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    noise = 1 - bars[t]
    mean = (bars[t - 1].sqrt() * betas[t] * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) * x) / noise
    return Trial((x, x0, t, betas, bars), Law(mean, ((1 - bars[t - 1]) / noise * betas[t]).sqrt()))


def _try_parzen_window(g: torch.Generator) -> Trial:
    d = int(torch.randint(2, 5, (), generator=g))
    return Trial((torch.randn(7, d, generator=g), torch.randn(5, d, generator=g), uniform(g, 0.3, 0.9)))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "forget-step",
        CHAPTER,
        _examine_forget_step,
        forget_step,
        (
            Mistake(_forget(lambda x, b: (1 - b) * x + b * (1 - x)), "flips with probability β"),
            Mistake(_forget(lambda x, b: b * x + (1 - b) / 2), "other way round"),
            Mistake(_forget(lambda x, b: (1 - b) * x), "becomes 0."),
            Mistake(_forget(lambda x, b: (1 - b) * x + b), "becomes 1."),
            Mistake(_forget(lambda x, b: (1 - b) ** 0.5 * x + (1 - (1 - b) ** 0.5) / 2), "the Gaussian's factor"),
            Mistake(lambda x, b, g: (torch.rand(x.shape, generator=g) > _right_rate(x, b)).to(x), "turned round"),
            Mistake(lambda x, b, g: _right_rate(x, b), "rates, not bits"),
            Mistake(lambda x, b, g: x.clone(), "no bit ever changes"),
            Mistake(_forget(_right_rate, shared=True), "bits of a row share one draw"),
            Mistake(lambda x, b, g: (torch.rand(x.shape[1], generator=g) < _right_rate(x, b)).to(x), "all rows share"),
            Mistake(_forget(_right_rate, own=True), "not repeatable"),
        ),
        "a hundred such steps turn any sequence into a row of fair coins.",
        _try_forget_step,
    ),
    Exercise(
        "bit-before",
        CHAPTER,
        _examine_bit_before,
        bit_before,
        (
            Mistake(lambda x_0, x_t, b, k: _odds(x_0, x_t, b, k)[0], "the prior"),
            Mistake(lambda x_0, x_t, b, k: _odds(x_0, x_t, b, k)[1], "what x_t says alone"),
            Mistake(lambda x_0, x_t, b, k: math.prod(_odds(x_0, x_t, b, k), start=torch.ones(4)), "not a probability"),
            Mistake(_without_zero_factor, "lacks the forward factor"),
            Mistake(lambda x_0, x_t, b, k: 1 - bit_before(x_0, x_t, b, k), "probability of x_{t−1} = 0"),
            Mistake(lambda x_0, x_t, b, k: bit_before(x_0, x_t, b, (1 - b) * k), "that of step t"),
            Mistake(lambda x_0, x_t, b, k: sum(_odds(x_0, x_t, b, k), torch.zeros(4)) / 2, "Evidence multiplies"),
            Mistake(_with_flips, "flips a bit with probability β"),
            Mistake(lambda x_0, x_t, b, k: bit_before(x_0, x_t, k, b), "are exchanged: one is"),
        ),
        "this posterior is all that the bound compares the network with.",
        _try_bit_before,
    ),
    Exercise(
        "reverse-step",
        CHAPTER,
        _examine_reverse_step,
        reverse_step,
        (
            Mistake(
                _reverse(
                    lambda x, x0, b, bar, k: k**0.5 * b / (1 - bar) * x + (1 - b) ** 0.5 * (1 - k) / (1 - bar) * x0
                ),
                "factors of x0 and of x",
            ),
            Mistake(
                _reverse(lambda x, x0, b, bar, k: k * b / (1 - bar) * x0 + (1 - b) * (1 - k) / (1 - bar) * x),
                "roots of ᾱ_{t−1}",
            ),
            Mistake(_reverse(lambda x, x0, b, bar, k: k**0.5 * x0), "forget where x⁽ᵗ⁾ is"),
            Mistake(_reverse(lambda x, x0, b, bar, k: x0), "all the way to x0"),
            Mistake(
                _reverse(lambda x, x0, b, bar, k: k**0.5 * b / (1 - bar) * x0 + (1 - b) ** 0.5 * b / (1 - bar) * x),
                "where 1 − ᾱ_{t−1} belongs",
            ),
            Mistake(_one_bar_late, "ᾱ_t stands where ᾱ_{t−1} belongs"),
            Mistake(
                lambda x, x0, t, b, bars, g: reverse_step(x, x0, t, b.roll(1), bars, g),
                "β_{t−1} stands where β_t belongs",
            ),
            Mistake(
                _reverse(lambda x, x0, b, bar, k: (1 - b) ** 0.5 * (1 - k) / (1 - bar) * x), "no part in your mean"
            ),
            Mistake(_reverse(deviation=lambda b, bar, k: (1 - k) ** 0.5), "variance of q(x⁽ᵗ⁻¹⁾|x⁽⁰⁾)"),
            Mistake(_reverse(deviation=lambda b, bar, k: (1 - k) / (1 - bar) * b), "by its variance"),
            Mistake(_reverse(deviation=lambda b, bar, k: b**0.5), "forward variance"),
            Mistake(_reverse(deviation=lambda b, bar, k: 0.0), "no noise in your step"),
            Mistake(_reverse(draw=torch.rand), "noise is uniform"),
            Mistake(_reverse(draw=lambda shape, generator: torch.randn(shape)), "not repeatable"),
            Mistake(_precisions_add, "gives NaN"),
            Mistake(
                _reverse(deviation=lambda b, bar, k: max((1 - k) / (1 - bar) * b, 0.01) ** 0.5),
                "must land on x0 exactly",
            ),
        ),
        "the network only has to guess x⁽⁰⁾; this posterior does the rest.",
        _try_reverse_step,
    ),
    Exercise(
        "parzen-window",
        CHAPTER,
        _examine_parzen_window,
        parzen_window,
        (
            Mistake(_parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n)), "normalising constant is missing"),
            Mistake(_parzen(lambda e, n, d, s: e.logsumexp(1) - _constant(d, s)), "do not average"),
            Mistake(
                _parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n) - _constant(1, s)), "that of one dimension"
            ),
            Mistake(_parzen(lambda e, n, d, s: e.mean(1) - _constant(d, s)), "average the logarithms"),
            Mistake(_parzen(lambda e, n, d, s: e.max(1).values - math.log(n) - _constant(d, s)), "nearest sample only"),
            Mistake(lambda c, x, s: parzen_window(c, x, s) / math.log(2), "in bits"),
            Mistake(_naive_parzen, "not finite in 784"),
            Mistake(_padded_parzen, "lost before the logarithm"),
            Mistake(
                _parzen(lambda e, n, d, s: e.logsumexp(1) - math.log(n) - _constant(d, s) + d / 2 * math.log(s)),
                "where the variance belongs in the constant",
            ),
            Mistake(_not_squared, "not squared"),
            Mistake(lambda c, x, s: parzen_window(c, x, s).exp(), "return densities"),
            Mistake(_parzen(lambda e, n, d, s: (2 * e).logsumexp(1) - math.log(n) - _constant(d, s)), "lacks the 2"),
            Mistake(_parzen(lambda e, n, d, s: (s * e).logsumexp(1) - math.log(n) - _constant(d, s)), "by 2σ in place"),
        ),
        "now you can compute what the tables of 2014 were made of, and see what is wrong with it.",
        _try_parzen_window,
    ),
)
