"""The exercises of chapter 06."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Wrong, diagnose, repeatable, same, within

CHAPTER = "06_ddpm"

# Coarse steps, so that a neighbour's table entry is seen to be another one.
BETAS = torch.tensor([0.1, 0.2, 0.3, 0.4])
Moments = tuple[float, float]


def forward_sample(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    alpha_bar = (1 - betas[:k]).prod()
    eps = torch.randn(x0.shape, generator=generator)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps


def _moments(value: Tensor) -> Moments:
    return float(value.mean()), float(value.std())


_near = within(0.02, 0.02)


def _forward_mistakes(k: int) -> dict[str, Moments]:
    """Mean and deviation, from x₀ = 1, that each known mistake gives at step k."""
    bar, off, beta = float((1 - BETAS[:k]).prod()), float((1 - BETAS[: k + 1]).prod()), float(BETAS[k - 1])
    under = float((1 - BETAS[: k - 1]).prod())
    uniform = 12**-0.5
    return {
        "the noise is uniform: `rand` where the text says N(0, I). Use `randn`.": (
            bar**0.5 + (1 - bar) ** 0.5 / 2,
            (1 - bar) ** 0.5 * uniform,
        ),
        "you scale the noise by its variance 1 − ᾱ. A draw is scaled by the deviation √(1 − ᾱ).": (bar**0.5, 1 - bar),
        "you scale the data by ᾱ. The data are scaled by √ᾱ: then α² + σ² = 1.": (bar, (1 - bar) ** 0.5),
        "neither share has its square root: x_t = √ᾱ·x₀ + √(1 − ᾱ)·ε.": (bar, 1 - bar),
        "ᾱ is off by one: you multiply one factor too many. betas[0] is β₁, so ᾱ_k is the product of betas[:k].": (
            off**0.5,
            (1 - off) ** 0.5,
        ),
        "ᾱ is off by one: you multiply one factor too few. betas[0] is β₁, so ᾱ_k is the product of betas[:k].": (
            under**0.5,
            (1 - under) ** 0.5,
        ),
        "that is the single step from x_{k−1}, with β_k. From x₀ to x_k all k steps count: ᾱ_k.": (
            (1 - beta) ** 0.5,
            beta**0.5,
        ),
        "the deviation is not 1 − √ᾱ. The shares satisfy α² + σ² = 1, not α + σ = 1.": (bar**0.5, 1 - bar**0.5),
        "there is no noise in what you return.": (bar**0.5, 0.0),
    }


def _examine_forward_sample(answer: Answer) -> None:
    x0, k = torch.ones(50_000, 1), 3
    value = answer(x0, k, BETAS, torch.Generator().manual_seed(1))
    same(value, x0)  # a tensor of the right shape, and finite
    found = _moments(value)
    bar = float((1 - BETAS[:k]).prod())
    if not _near(found, (bar**0.5, (1 - bar) ** 0.5)):
        diagnose(
            found,
            _forward_mistakes(k).items(),
            f"from x₀ = 1, three steps should give the mean {bar**0.5:.3f} and the deviation {(1 - bar) ** 0.5:.3f}; "
            f"yours are {found[0]:.3f} and {found[1]:.3f}.",
            near=_near,
        )
    if float((value - value.mean()).abs().max()) < 2.5 * found[1]:
        raise Wrong("mean and deviation are right, the shape is not: the noise is no Gaussian. Use `randn`.")
    repeatable(value, answer(x0, k, BETAS, torch.Generator().manual_seed(1)))


def _forward(
    data: Callable[[Tensor], Tensor],
    noise: Callable[[Tensor], Tensor],
    *,
    shift: int = 0,
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    def answer(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
        bar = (1 - betas[: k + shift]).prod()
        return data(bar) * x0 + noise(bar) * draw(x0.shape, generator=generator)

    return answer


def _deviation(bar: Tensor) -> Tensor:
    return (1 - bar).sqrt()


def _mistaken_single_step(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return (1 - betas[k - 1]).sqrt() * x0 + betas[k - 1].sqrt() * torch.randn(x0.shape, generator=generator)


def _mistaken_own_randomness(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return forward_sample(x0, k, betas, torch.Generator().manual_seed(torch.seed() % 2**31))


def predict_x0(x_t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    return (x_t - (1 - alpha_bar).sqrt() * eps) / alpha_bar.sqrt()


def _examine_predict_x0(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    x0, eps = torch.randn(8, 1, 4, 4, generator=g), torch.randn(8, 1, 4, 4, generator=g)
    bar = torch.tensor(0.3)
    a, s = bar.sqrt(), (1 - bar).sqrt()
    x_t = a * x0 + s * eps
    value = answer(x_t, eps, bar)
    named = {
        "you add the noise a second time. Solve x_t = √ᾱ·x₀ + √(1 − ᾱ)·ε for x₀.": (x_t + s * eps) / a,
        "you take the noise away, but x₀ is still shrunk: divide by √ᾱ.": x_t - s * eps,
        "you divide by ᾱ instead of √ᾱ.": (x_t - s * eps) / bar,
        "you take away (1 − ᾱ)·ε. The noise in x_t has the factor √(1 − ᾱ).": (x_t - (1 - bar) * eps) / a,
        "you take away ε as it is. In x_t it stands with the factor √(1 − ᾱ).": (x_t - eps) / a,
        "you multiply by √ᾱ; to undo the shrinking, divide.": (x_t - s * eps) * a,
    }
    if same(value, x0):
        return
    diagnose(value, named.items(), "put your x₀ back into √ᾱ·x₀ + √(1 − ᾱ)·ε: it must give x_t, and does not.")


def ancestral_step(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
    beta, alpha_bar = betas[k - 1], (1 - betas[:k]).prod()
    mean = (x - beta / (1 - alpha_bar).sqrt() * eps) / (1 - beta).sqrt()
    z = torch.randn(x.shape, generator=generator) if k > 1 else torch.zeros_like(x)
    return mean + beta.sqrt() * z


def _examine_ancestral_step(answer: Answer) -> None:
    g = torch.Generator().manual_seed(3)
    x, eps = torch.randn(1, generator=g).expand(50_000, 1), torch.randn(1, generator=g).expand(50_000, 1)
    k = 3
    beta, bar = BETAS[k - 1], (1 - BETAS[:k]).prod()
    value = answer(x, k, eps, BETAS, torch.Generator().manual_seed(4))
    same(value, x)
    right = (x - beta / (1 - bar).sqrt() * eps) / (1 - beta).sqrt()
    means = {
        "the sign of ε is turned: the step takes noise away.": (x + beta / (1 - bar).sqrt() * eps) / (1 - beta).sqrt(),
        "you divide by √ᾱ_k, which undoes all k steps. This step undoes one: divide by √α_k = √(1 − β_k).": (
            x - beta / (1 - bar).sqrt() * eps
        )
        / bar.sqrt(),
        "the factor of ε is β/√(1 − ᾱ): you left out the root.": (x - beta / (1 - bar) * eps) / (1 - beta).sqrt(),
        "you take all of the noise away at once, √(1 − ᾱ)·ε. One step takes away β/√(1 − ᾱ) of it.": (
            x - (1 - bar).sqrt() * eps
        )
        / (1 - beta).sqrt(),
        "the mean is not divided by √α_k: the forward step shrank x by it.": x - beta / (1 - bar).sqrt() * eps,
    }
    found = _moments(value)
    if abs(found[0] - float(right[0])) > 0.02:
        otherwise = f"the mean of your step is {found[0]:.3f}; expected {float(right[0]):.3f}."
        diagnose(found[0], ((text, float(wrong[0])) for text, wrong in means.items()), otherwise, near=within(0.02))
    _examine_noise(found[1], float(beta))
    last = answer(x, 1, eps, BETAS, torch.Generator().manual_seed(5))
    if float(last.std()) > 1e-3:
        raise Wrong("your last step, k = 1, adds noise, and the finished picture stays grainy. There z = 0.")


def _examine_noise(deviation: float, beta: float) -> None:
    if abs(deviation - beta**0.5) < 0.02:
        return
    if deviation < 1e-3:
        raise Wrong("no noise comes back in. Algorithm 2 adds √β·z in every step but the last.")
    if abs(deviation - beta) < 0.02:
        raise Wrong("you scale the noise by β, its variance. The deviation is √β.")
    if abs(deviation - (beta / 12) ** 0.5) < 0.02:
        raise Wrong("the noise is uniform: use `randn`, not `rand`.")
    raise Wrong(f"the deviation of your step is {deviation:.3f}; √β is {beta**0.5:.3f}.")


def _step(
    mean: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    scale: Callable[[Tensor], Tensor] = torch.sqrt,
    *,
    always: bool = False,
) -> Answer:
    def answer(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
        z = torch.randn(x.shape, generator=generator) if k > 1 or always else torch.zeros_like(x)
        return mean(x, eps, betas[k - 1], (1 - betas[:k]).prod()) + scale(betas[k - 1]) * z

    return answer


def _right_mean(x: Tensor, eps: Tensor, beta: Tensor, bar: Tensor) -> Tensor:
    return (x - beta / (1 - bar).sqrt() * eps) / (1 - beta).sqrt()


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "forward-sample",
        CHAPTER,
        _examine_forward_sample,
        forward_sample,
        (
            Mistake(_forward(torch.sqrt, _deviation, draw=torch.rand), "noise is uniform"),
            Mistake(_forward(torch.sqrt, lambda bar: 1 - bar), "by its variance"),
            Mistake(_forward(lambda bar: bar, _deviation), "data by ᾱ"),
            Mistake(_forward(lambda bar: bar, lambda bar: 1 - bar), "neither share"),
            Mistake(_forward(torch.sqrt, _deviation, shift=1), "one factor too many"),
            Mistake(_forward(torch.sqrt, _deviation, shift=-1), "one factor too few"),
            Mistake(_mistaken_single_step, "single step"),
            Mistake(_forward(torch.sqrt, lambda bar: 1 - bar.sqrt()), "not α + σ = 1"),
            Mistake(_forward(torch.sqrt, torch.zeros_like), "no noise"),
            Mistake(_mistaken_own_randomness, "not repeatable"),
        ),
        "one jump does the work of k steps, so training can start at any noise level.",
    ),
    Exercise(
        "predict-x0",
        CHAPTER,
        _examine_predict_x0,
        predict_x0,
        (
            Mistake(lambda x, e, bar: (x + (1 - bar).sqrt() * e) / bar.sqrt(), "second time"),
            Mistake(lambda x, e, bar: x - (1 - bar).sqrt() * e, "still shrunk"),
            Mistake(lambda x, e, bar: (x - (1 - bar).sqrt() * e) / bar, "ᾱ instead of √ᾱ"),
            Mistake(lambda x, e, bar: (x - (1 - bar) * e) / bar.sqrt(), "take away (1 − ᾱ)·ε"),
            Mistake(lambda x, e, bar: (x - e) / bar.sqrt(), "ε as it is"),
            Mistake(lambda x, e, bar: (x - (1 - bar).sqrt() * e) * bar.sqrt(), "to undo the shrinking"),
        ),
        "whoever knows the noise knows the picture: the two guesses are one.",
    ),
    Exercise(
        "ancestral-step",
        CHAPTER,
        _examine_ancestral_step,
        ancestral_step,
        (
            Mistake(_step(lambda x, e, b, bar: (x + b / (1 - bar).sqrt() * e) / (1 - b).sqrt()), "sign of ε"),
            Mistake(_step(lambda x, e, b, bar: (x - b / (1 - bar).sqrt() * e) / bar.sqrt()), "undoes all k steps"),
            Mistake(_step(lambda x, e, b, bar: (x - b / (1 - bar) * e) / (1 - b).sqrt()), "left out the root"),
            Mistake(_step(lambda x, e, b, bar: (x - (1 - bar).sqrt() * e) / (1 - b).sqrt()), "all of the noise"),
            Mistake(_step(lambda x, e, b, bar: x - b / (1 - bar).sqrt() * e), "not divided"),
            Mistake(_step(_right_mean, torch.zeros_like), "no noise comes back"),
            Mistake(_step(_right_mean, lambda b: b), "by β, its variance"),
            Mistake(_step(_right_mean, always=True), "k = 1, adds noise"),
        ),
        "this line, a thousand times, is the whole sampler.",
    ),
)
