"""The exercises of chapter 08."""

from __future__ import annotations

import math
from collections.abc import Callable

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

CHAPTER = "08_score_sde"
Network = Callable[[Tensor, Tensor], Tensor]
SHAPE = (20_000, 2)


def reverse_step(
    x: Tensor,
    score: Tensor,
    f: float,
    g2: float,
    h: float,
    k: float,
    generator: torch.Generator,
) -> Tensor:
    """x at t − h from x at t; score like x, and f, g2 (that is g²), h, k numbers."""
    drift = f * x - 0.5 * (1 + k**2) * g2 * score
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x - h * drift + k * (g2 * h) ** 0.5 * z


def _reverse(
    x_share: Callable[[float, float], float],
    pull: Callable[[float, float, float], float],
    kick: Callable[[float, float, float], float],
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    """An answer x_share(f, h)·x + pull(g², h, k)·score + kick(g², h, k)·z."""

    def answer(x: Tensor, score: Tensor, f: float, g2: float, h: float, k: float, generator: torch.Generator) -> Tensor:
        z = draw(x.shape, dtype=x.dtype, generator=generator)
        return x_share(f, h) * x + pull(g2, h, k) * score + kick(g2, h, k) * z

    return answer


def _share(f: float, h: float) -> float:
    return 1 - f * h


def _pull(g2: float, h: float, k: float) -> float:
    return 0.5 * (1 + k**2) * g2 * h


def _kick(g2: float, h: float, k: float) -> float:
    return k * (g2 * h) ** 0.5


def _uniform_noise(shape: torch.Size, *, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, dtype=dtype, generator=generator)


F, G2, H, K = -1.5, 2.0, 0.1, 0.5
_all_near = within(0.009, 0.009, 0.009)


def _step_mistakes(k: float) -> dict[str, tuple[float, float, float]]:
    """The shares of x and of the score, and the deviation of the noise, that each known mistake gives."""
    x, s, z = _share(F, H), _pull(G2, H, k), _kick(G2, H, k)
    return {
        "the drift f·x is added. Time runs back: x_s = x_t − (drift)·h.": (1 + F * H, s, z),
        "you follow the score downhill: the drift has −½(1 + k²)g²·score, and the step subtracts the drift.": (
            x,
            -s,
            z,
        ),
        "the whole drift has the wrong sign: that is a step forward in time. The step back subtracts it.": (
            1 + F * H,
            -s,
            z,
        ),
        "the score has the factor g², as for k = 1. For other k it is ½(1 + k²)·g².": (x, G2 * H, z),
        "the score has the factor ½g², as for k = 0. With noise it has to pull harder: ½(1 + k²)·g².": (
            x,
            0.5 * G2 * H,
            z,
        ),
        "(1 + k)² or (1 + k) stands where 1 + k² belongs: variances add, deviations do not.": (
            x,
            0.5 * (1 + k) * G2 * H,
            z,
        ),
        "the noise grows with h. A draw of Brownian motion over a time h deviates by √h.": (x, s, k * G2**0.5 * H),
        "the noise is scaled by its variance k²g²h. A draw is scaled by the deviation.": (x, s, k**2 * G2 * H),
        "the noise has g² where g belongs: √(g²·h).": (x, s, k * G2 * H**0.5),
        "the noise is g·√h·z whatever k is: it should be k·g·√h·z.": (x, s, _kick(G2, H, 1.0)),
        "there is no noise in your step.": (x, s, 0.0),
    }


def _examine_reverse_step(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    x, score = torch.randn(SHAPE, generator=g), 3 * torch.randn(SHAPE, generator=g)
    for k in (K, 1.0, 0.0):
        value = answer(x, score, F, G2, H, k, torch.Generator().manual_seed(2))
        same(value, x)  # a tensor of the right shape, and finite
        columns = torch.stack([x.flatten(), score.flatten()], dim=1)
        flat = value.detach().to(x).flatten().unsqueeze(1)
        shares = torch.linalg.lstsq(columns, flat).solution
        noise = flat - columns @ shares
        found = (float(shares[0]), float(shares[1]), float(noise.std()))
        right = (_share(F, H), _pull(G2, H, k), _kick(G2, H, k))
        if abs(float(noise.mean())) > 0.02:
            raise Wrong("your noise has a mean beside 0: use `randn`, and not `rand`.")
        if not _all_near(found, right):
            diagnose(
                found,
                _step_mistakes(k).items() if k == K else (),
                f"at k = {k:g} your step holds {found[0]:.3f} of x, {found[1]:.3f} of the score, and noise that "
                f"deviates by {found[2]:.3f}; one of the three is not what the equation says.",
                near=_all_near,
            )


def _try_reverse_step(g: torch.Generator) -> Trial:
    f, g2, h, k = uniform(g, -3, 0), uniform(g, 0.5, 4), uniform(g, 0.01, 0.1), uniform(g, 0.3, 2)
    x, score = (30 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    mean = x - h * (f * x - 0.5 * (1 + k**2) * g2 * score)
    return Trial((x, score, f, g2, h, k), Law(mean, torch.full(mean.shape, k * (g2 * h) ** 0.5)))


def score_on_ve(
    eps_on_vp: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    sigma: Tensor,
) -> Tensor:
    """The score of x (B, d) on VE at the noise sigma, a number as a tensor."""
    alpha = 1 / (1 + sigma**2).sqrt()
    return -eps_on_vp(alpha * x, alpha) / sigma


def _two_bumps(x: Tensor, alpha: Tensor) -> Tensor:
    """E[ε|x_t] of two narrow bumps at ±(1, .5) on VP, with α told."""
    centre = torch.tensor([1.0, 0.5], dtype=x.dtype)
    variance = 1 - 0.9 * alpha**2  # α²·.1 + σ²
    bump = centre * torch.tanh(
        alpha * (x @ centre).unsqueeze(-1) / variance
    )  # the mean of the two, as likely as they are
    x0 = bump + 0.1 * alpha / variance * (x - alpha * bump)
    return (1 - alpha**2).sqrt() * (x - alpha * x0) / variance


def _examine_score_on_ve(answer: Answer) -> None:
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for level in (0.7, 2.5):
        sigma = torch.tensor(level, dtype=torch.float64)
        alpha = 1 / (1 + sigma**2).sqrt()
        value, eps = answer(_two_bumps, x, sigma), _two_bumps(alpha * x, alpha)
        named = {
            "the sign is turned: the noise points away from the data, the score towards it.": eps / sigma,
            "the network is shown x as it is on VE. On VP a picture of this noise is smaller, by α.": -_two_bumps(
                x, alpha
            )
            / sigma,
            "x is divided by α. It has to shrink on its way from VE to VP.": -_two_bumps(x / alpha, alpha) / sigma,
            "you divide by σ of VP. The score that is asked for is that of VE, where the noise deviates by σ.": -eps
            / (alpha * sigma),
            "that is ε̂ with a sign: the score is that over σ.": -eps,
            "α² = 1/(1 + σ²), and you took it for α: the root is missing.": -_two_bumps(alpha**2 * x, alpha**2) / sigma,
            "you divide by σ². The score is −ε̂/σ, as ε̂ is a noise of deviation 1.": -eps / sigma**2,
        }
        if not same(value, score_on_ve(_two_bumps, x, sigma)):
            diagnose(
                value,
                named.items(),
                "try it on noise alone: at a huge σ the score of VE is −x/σ², and yours is not.",
            )


def _try_score_on_ve(g: torch.Generator) -> Trial:
    tilt = torch.randn(2, 2, generator=g, dtype=torch.float64)

    def network(x: Tensor, alpha: Tensor) -> Tensor:
        return torch.sin(x @ tilt.to(x.dtype)) + alpha * x

    x = torch.randn(30, 2, generator=g, dtype=torch.float64)
    return Trial((network, x, torch.tensor(uniform(g, 0.3, 4), dtype=torch.float64)))


def trace_estimate(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """vᵀ(∂f/∂x)v at each row; f maps (B, d) to (B, d), and the result is (B,)."""
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _field(a: float, b: float) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """A field in the plane; its trace and the deviation of vᵀJv with signs, |J₁₂ + J₂₁|, at x."""

    def f(x: Tensor) -> Tensor:
        first, second = x.unbind(1)
        return torch.stack([a * first**2 + b * second, first * second + 2 * second], dim=1)

    def truth(x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.unbind(1)
        return 2 * a * first + first + 2, (b + second).abs()

    return f, truth


def _examine_trace_estimate(answer: Answer) -> None:
    f, truth = _field(1.0, 4.0)
    passes: list[Tensor] = []

    def counted(x: Tensor) -> Tensor:
        passes.append(x)
        return f(x)

    x = torch.tensor([[0.5, -1.0]]).repeat(20_000, 1)
    value = answer(counted, x, torch.Generator().manual_seed(4))
    mean, deviation = (float(part[0]) for part in truth(x))
    same(value, x[:, 0])
    found = (float(value.detach().double().mean()), float(value.detach().double().std()))
    if len(passes) > 1:
        raise Wrong(f"your function calls f {len(passes)} times. One call and one backward pass are enough.")
    if not math.isclose(found[0], mean, abs_tol=0.15):
        named = {
            "that is vᵀf: f is not differentiated in it.": (0.0, 4.507),
            "your directions have length one, E[vvᵀ] = I/d: the trace comes out d times too small.": (mean / 2, 1.5),
            "your v are 0 or 1, not ±1: E[vvᵀ] is then not I.": (2.5, 2.475),
            "that is the sum of Jᵀv: multiply it by v once more before you sum.": (0.0, 5.220),
        }
        diagnose(
            found,
            named.items(),
            f"on average your estimate is {found[0]:.3f}; the trace is {mean:.3f}.",
            near=within(0.15, 0.15),
        )
    if found[1] < 0.1:
        raise Wrong("your estimate does not scatter: that is the exact trace, at d backward passes. Draw one v of ±1.")
    if found[1] > 1.3 * deviation:
        raise Wrong(
            f"right on average, and it scatters by {found[1]:.2f}; with entries ±1 it would by {deviation:.2f}. Are "
            "yours normal?"
        )


def _mistaken_lengths(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    return trace_estimate(f, x, generator) / x.shape[1]


def _mistaken_normal(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = torch.empty(x.shape, dtype=x.dtype).normal_(generator=generator)
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _mistaken_coins(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = torch.randint(0, 2, x.shape, generator=generator).to(x.dtype)
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _mistaken_no_derivative(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    return (f(x) * v).sum(1)


def _mistaken_exact(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    x = x.detach().requires_grad_(True)
    value = f(x)
    parts = [torch.autograd.grad(value[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(x.shape[1])]
    return torch.stack(parts).sum(0)


def _mistaken_one_side(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return gradient.sum(1)


def _mistaken_two_calls(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    return ((f(x + 1e-3 * v) - f(x - 1e-3 * v)) / 2e-3 * v).sum(1)


def _try_trace_estimate(g: torch.Generator) -> Trial:
    f, truth = _field(uniform(g, 0.5, 2), uniform(g, 3, 5))
    x = torch.tensor([100.0, 0.3]) * torch.randn(4000, 2, generator=g)
    mean, deviation = truth(x)
    return Trial((f, x), Law(mean, deviation, gaussian=False))


def bits(log_density: Tensor, d: int, low: float, high: float) -> Tensor:
    """Bits per dimension from log p in nats (B,), for pictures of d bytes."""
    cell = (high - low) / 256
    return -(log_density / d + math.log(cell)) / math.log(2)


def _examine_bits(answer: Answer) -> None:
    for d, low, high in ((784, -1.0, 1.0), (12, 0.0, 1.0)):
        log_density = torch.tensor([650.0, -100.0, 1500.0], dtype=torch.float64) * d / 784
        value, right = answer(log_density, d, low, high), bits(log_density, d, low, high)
        two, cell = math.log(2), math.log((high - low) / 256)
        named = {
            "the size of a cell is not in it: a density is per unit of x, and a byte's share is p·Δᵈ.": -log_density
            / d
            / two,
            "log Δ has the wrong sign. A cell holds the probability p·Δᵈ.": -(log_density / d - cell) / two,
            "those are nats: divide by log 2.": right * two,
            "those are the bits of a whole picture: divide by d.": right * d,
            "log Δ is counted once. A picture's cell has the volume Δᵈ, one Δ for each pixel.": -(log_density + cell)
            / d
            / two,
            "the sign is turned: likely pictures cost few bits.": -right,
            "Δ is (high − low)/255: that is the spacing of 256 points, and 256 cells are narrower.": -(
                log_density / d + math.log((high - low) / 255)
            )
            / two,
        }
        if not same(value, right, tolerance=1e-5):
            diagnose(
                value,
                named.items(),
                "try it on a uniform density: log p = −d·log(high − low) has to give exactly 8.",
                near=lambda a, b: same(a, b, tolerance=1e-5),
            )


def _try_bits(g: torch.Generator) -> Trial:
    low = uniform(g, -2, 2)
    log_density = 500 * torch.randn(5, generator=g, dtype=torch.float64)
    return Trial((log_density, int(torch.randint(2, 1000, (), generator=g)), low, low + uniform(g, 0.5, 4)))


def _root_missing(eps: Network, x: Tensor, sigma: Tensor) -> Tensor:
    alpha = 1 / (1 + sigma**2)
    return -eps(alpha * x, alpha) / sigma


def _alpha(sigma: Tensor) -> Tensor:
    return 1 / (1 + sigma**2).sqrt()


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "reverse-sde-step",
        CHAPTER,
        _examine_reverse_step,
        reverse_step,
        (
            Mistake(_reverse(lambda f, h: 1 + f * h, _pull, _kick), "f·x is added"),
            Mistake(_reverse(_share, lambda *a: -_pull(*a), _kick), "downhill"),
            Mistake(_reverse(lambda f, h: 1 + f * h, lambda *a: -_pull(*a), _kick), "whole drift"),
            Mistake(_reverse(_share, lambda g2, h, k: g2 * h, _kick), "as for k = 1"),
            Mistake(_reverse(_share, lambda g2, h, k: 0.5 * g2 * h, _kick), "as for k = 0"),
            Mistake(_reverse(_share, lambda g2, h, k: 0.5 * (1 + k) * g2 * h, _kick), "where 1 + k² belongs"),
            Mistake(_reverse(_share, _pull, lambda g2, h, k: k * g2**0.5 * h), "grows with h"),
            Mistake(_reverse(_share, _pull, lambda g2, h, k: k**2 * g2 * h), "by its variance"),
            Mistake(_reverse(_share, _pull, lambda g2, h, k: k * g2 * h**0.5), "g² where g belongs"),
            Mistake(_reverse(_share, _pull, lambda g2, h, k: (g2 * h) ** 0.5), "whatever k is"),
            Mistake(_reverse(_share, _pull, lambda g2, h, k: 0.0), "no noise"),
            Mistake(_reverse(_share, _pull, _kick, _uniform_noise), "a mean beside 0"),
        ),
        "one line holds Anderson's walk, the probability flow, and all between.",
        _try_reverse_step,
    ),
    Exercise(
        "change-of-clothes",
        CHAPTER,
        _examine_score_on_ve,
        score_on_ve,
        (
            Mistake(lambda eps, x, s: eps(_alpha(s) * x, _alpha(s)) / s, "sign is turned"),
            Mistake(lambda eps, x, s: -eps(x, _alpha(s)) / s, "as it is on VE"),
            Mistake(lambda eps, x, s: -eps(x / _alpha(s), _alpha(s)) / s, "divided by α"),
            Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)) / (_alpha(s) * s), "σ of VP"),
            Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)), "ε̂ with a sign"),
            Mistake(_root_missing, "root is missing"),
            Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)) / s**2, "divide by σ²"),
        ),
        "a network of one family now answers in the other: two names, one function.",
        _try_score_on_ve,
    ),
    Exercise(
        "trace-estimate",
        CHAPTER,
        _examine_trace_estimate,
        trace_estimate,
        (
            Mistake(_mistaken_lengths, "length one"),
            Mistake(_mistaken_normal, "Are yours normal"),
            Mistake(_mistaken_coins, "0 or 1"),
            Mistake(_mistaken_no_derivative, "not differentiated"),
            Mistake(_mistaken_exact, "does not scatter"),
            Mistake(_mistaken_one_side, "v once more"),
            Mistake(_mistaken_two_calls, "calls f 2 times"),
        ),
        "one backward pass, whatever the dimension: that is what makes likelihoods of pictures possible.",
        _try_trace_estimate,
    ),
    Exercise(
        "bits-per-dimension",
        CHAPTER,
        _examine_bits,
        bits,
        (
            Mistake(lambda p, d, a, b: -p / d / math.log(2), "size of a cell is not in it"),
            Mistake(lambda p, d, a, b: -(p / d - math.log((b - a) / 256)) / math.log(2), "wrong sign"),
            Mistake(lambda p, d, a, b: -(p / d + math.log((b - a) / 256)), "those are nats"),
            Mistake(lambda p, d, a, b: bits(p, d, a, b) * d, "a whole picture"),
            Mistake(lambda p, d, a, b: -(p + math.log((b - a) / 256)) / d / math.log(2), "counted once"),
            Mistake(lambda p, d, a, b: -bits(p, d, a, b), "sign is turned"),
            Mistake(lambda p, d, a, b: -(p / d + math.log((b - a) / 255)) / math.log(2), "narrower"),
        ),
        "your figure no longer depends on the unit in which pixels are measured.",
        _try_bits,
    ),
)
