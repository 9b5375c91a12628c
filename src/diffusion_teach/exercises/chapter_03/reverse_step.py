"""`reverse-step`: a draw of the Gaussian posterior, one step back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial


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


def _examine(answer: Answer) -> None:
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


def _trial(g: torch.Generator) -> Trial:
    betas = torch.cat([torch.zeros(1), 0.1 + 0.5 * torch.rand(4, generator=g)])
    bars, t = (1 - betas).cumprod(0), int(torch.randint(1, 5, (), generator=g))
    x, x0 = (4 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    noise = 1 - bars[t]
    mean = (bars[t - 1].sqrt() * betas[t] * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) * x) / noise
    return Trial((x, x0, t, betas, bars), Law(mean, ((1 - bars[t - 1]) / noise * betas[t]).sqrt()))


EXERCISE = Exercise(
    id="reverse-step",
    chapter="03_nonequilibrium",
    examine=_examine,
    solution=reverse_step,
    mistakes=(
        Mistake(
            _reverse(lambda x, x0, b, bar, k: k**0.5 * b / (1 - bar) * x + (1 - b) ** 0.5 * (1 - k) / (1 - bar) * x0),
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
        Mistake(_reverse(lambda x, x0, b, bar, k: (1 - b) ** 0.5 * (1 - k) / (1 - bar) * x), "no part in your mean"),
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
    praise="the network only has to guess x⁽⁰⁾; this posterior does the rest.",
    trial=_trial,
)
