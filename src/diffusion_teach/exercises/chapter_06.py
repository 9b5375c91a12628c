"""The exercises of chapter 06."""

from __future__ import annotations

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

CHAPTER = "06_ddpm"

# Coarse steps, so that a neighbour's table entry is seen to be another one; at k = 3 the two shares differ.
BETAS = torch.tensor([0.1, 0.15, 0.2, 0.3])
SHAPE = (20_000, 1, 2, 2)
Shares = tuple[float, ...]

_near = within(0.02, 0.02)
_all_near = within(0.02, 0.02, 0.02)


def _shares(value: Tensor, *parts: Tensor) -> tuple[Shares, Tensor]:
    """How much of each part there is in a value, by least squares, and what is left over, shaped like it."""
    columns = torch.stack([part.flatten() for part in parts], dim=1)
    found = torch.linalg.lstsq(columns, value.flatten().unsqueeze(1)).solution
    return tuple(found.flatten().tolist()), value - (columns @ found).view(value.shape)


def forward_sample(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    alpha_bar = (1 - betas[:k]).prod()
    eps = torch.randn(x0.shape, generator=generator)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps


def _forward_mistakes(k: int) -> dict[str, Shares]:
    """The share of x₀, the deviation and the mean of what is added, that each known mistake gives at step k."""
    bar, beta = float((1 - BETAS[:k]).prod()), float(BETAS[k - 1])
    off, under = (float((1 - BETAS[:n]).prod()) for n in (k + 1, k - 1))
    a, s = bar**0.5, (1 - bar) ** 0.5
    return {
        "the noise is uniform: `rand` where the text says N(0, I). Use `randn`.": (a, s * 12**-0.5, s / 2),
        "you scale the noise by its variance 1 − ᾱ. A draw is scaled by the deviation √(1 − ᾱ).": (a, s * s, 0.0),
        "you scale the data by ᾱ. The data are scaled by √ᾱ: then α² + σ² = 1.": (bar, s, 0.0),
        "neither share has its square root: x_t = √ᾱ·x₀ + √(1 − ᾱ)·ε.": (bar, s * s, 0.0),
        "the shares are swapped: √ᾱ is that of the data, √(1 − ᾱ) that of the noise.": (s, a, 0.0),
        "x₀ is not in it: your function adds √ᾱ itself, not √ᾱ·x₀.": (0.0, s, a),
        "ᾱ is off by one: you multiply one factor too many. betas[0] is β₁, so ᾱ_k is the product of betas[:k].": (
            off**0.5,
            (1 - off) ** 0.5,
            0.0,
        ),
        "ᾱ is off by one: you multiply one factor too few. betas[0] is β₁, so ᾱ_k is the product of betas[:k].": (
            under**0.5,
            (1 - under) ** 0.5,
            0.0,
        ),
        "that is the single step from x_{k−1}, with β_k. From x₀ to x_k all k steps count: ᾱ_k.": (
            (1 - beta) ** 0.5,
            beta**0.5,
            0.0,
        ),
        "the deviation is not 1 − √ᾱ. The shares satisfy α² + σ² = 1, not α + σ = 1.": (a, 1 - a, 0.0),
        "there is no noise in what you return.": (a, 0.0, 0.0),
    }


def _examine_forward_sample(answer: Answer) -> None:
    x0 = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    for k in (3, 1, len(BETAS)):
        value = answer(x0, k, BETAS, torch.Generator().manual_seed(2))
        same(value, x0)  # a tensor of the right shape, and finite
        (share,), noise = _shares(value.detach().to(x0), x0)
        found = (share, float(noise.std()), float(noise.mean()))
        bar = float((1 - BETAS[:k]).prod())
        if not _all_near(found, (bar**0.5, (1 - bar) ** 0.5, 0.0)):
            diagnose(
                found,
                _forward_mistakes(k).items() if k == 3 else (),
                f"at k = {k} the share of x₀ should be {bar**0.5:.3f} and the deviation of the noise "
                f"{(1 - bar) ** 0.5:.3f}, around 0; yours are {share:.3f} and {found[1]:.3f}, around {found[2]:.3f}.",
                near=_all_near,
            )


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


def _no_gaussian(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) - 0.5) * 12**0.5


def _one_an_image(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape[0], 1, 1, 1, generator=generator).expand(shape)


def _mistaken_single_step(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return (1 - betas[k - 1]).sqrt() * x0 + betas[k - 1].sqrt() * torch.randn(x0.shape, generator=generator)


def _mistaken_no_data(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return forward_sample(torch.ones_like(x0), k, betas, generator)


def _mistaken_always_the_last(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return forward_sample(x0, 3, betas, generator)


def _mistaken_own_randomness(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return forward_sample(x0, k, betas, torch.Generator().manual_seed(torch.seed() % 2**31))


def _mistaken_own_seed(x0: Tensor, k: int, betas: Tensor, generator: torch.Generator) -> Tensor:
    return forward_sample(x0, k, betas, torch.Generator().manual_seed(0))


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


def _step_mistakes(k: int) -> dict[str, Shares]:
    """The shares of x and ε that each known mistake gives at step k."""
    beta, bar = float(BETAS[k - 1]), float((1 - BETAS[:k]).prod())
    under, over = (float((1 - BETAS[:n]).prod()) for n in (k - 1, k + 1))
    root, s = (1 - beta) ** 0.5, (1 - bar) ** 0.5
    return {
        "the sign of ε is turned: the step takes noise away.": (1 / root, beta / s / root),
        "you divide by √ᾱ_k, which undoes all k steps. This step undoes one: divide by √α_k = √(1 − β_k).": (
            bar**-0.5,
            -beta / s / bar**0.5,
        ),
        "you divide by α_k. The forward step multiplied by its root: divide by √α_k.": (
            1 / root**2,
            -beta / s / root**2,
        ),
        "the factor of ε is β/√(1 − ᾱ): you left out the root.": (1 / root, -beta / s**2 / root),
        "the factor of ε is β/√(1 − ᾱ), with β as it is and not its root.": (1 / root, -(beta**0.5) / root),
        "ᾱ is off by one: the product of betas[:k − 1]. The noise in x_k is that of all k steps, ᾱ_k.": (
            1 / root,
            -beta / (1 - under) ** 0.5 / root,
        ),
        "ᾱ is off by one: the product of betas[:k + 1]. The noise in x_k is that of k steps, ᾱ_k.": (
            1 / root,
            -beta / (1 - over) ** 0.5 / root,
        ),
        "you take all of the noise away at once, √(1 − ᾱ)·ε. One step takes away β/√(1 − ᾱ) of it.": (
            1 / root,
            -s / root,
        ),
        "the mean is not divided by √α_k: the forward step shrank x by it.": (1.0, -beta / s),
    }


def _examine_ancestral_step(answer: Answer) -> None:
    g = torch.Generator().manual_seed(3)
    x, eps = torch.randn(SHAPE, generator=g), torch.randn(SHAPE, generator=g)
    for k in (3, 2, 1):
        value = answer(x, k, eps, BETAS, torch.Generator().manual_seed(4))
        same(value, x)
        beta, bar = float(BETAS[k - 1]), float((1 - BETAS[:k]).prod())
        right = (1 - beta) ** -0.5, -beta / (1 - bar) ** 0.5 / (1 - beta) ** 0.5
        found, noise = _shares(value.detach().to(x), x, eps)
        if not _near(found, right):
            diagnose(
                found,
                _step_mistakes(k).items() if k == 3 else (),
                f"at k = {k} the mean of your step holds {found[0]:.3f} of x and {found[1]:.3f} of ε; expected "
                f"{right[0]:.3f} and {right[1]:.3f}.",
                near=_near,
            )
        if k == 1:
            if float(noise.std()) > 1e-3:
                raise Wrong("your last step, k = 1, adds noise, and the finished picture stays grainy. There z = 0.")
            return
        _examine_noise(noise, beta, k)


def _examine_noise(noise: Tensor, beta: float, k: int) -> None:
    found = (float(noise.std()), float(noise.mean()))
    before, bar = (float((1 - BETAS[:n]).prod()) for n in (k - 1, k))
    lower = beta * (1 - before) / (1 - bar)
    if not _near(found, (beta**0.5, 0.0)):
        named = {
            "you scale the noise by β, its variance. The deviation is √β.": (beta, 0.0),
            "the variance of your noise is β̃. The paper allows it; here the text asks for β.": (lower**0.5, 0.0),
            "the noise is uniform: use `randn`, not `rand`.": ((beta / 12) ** 0.5, beta**0.5 / 2),
            f"no noise comes back in at k = {k}. Algorithm 2 adds √β·z in every step but the last.": (0.0, 0.0),
        }
        otherwise = f"the noise of your step deviates by {found[0]:.3f}, around {found[1]:.3f}; √β is {beta**0.5:.3f}."
        diagnose(found, named.items(), otherwise, near=_near)


def _step(
    mean: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    scale: Callable[[Tensor], Tensor] = torch.sqrt,
    *,
    from_step: int = 2,
    shift: int = 0,
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    def answer(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
        z = draw(x.shape, generator=generator) if k >= from_step else torch.zeros_like(x)
        return mean(x, eps, betas[k - 1], (1 - betas[: k + shift]).prod()) + scale(betas[k - 1]) * z

    return answer


def _right_mean(x: Tensor, eps: Tensor, beta: Tensor, bar: Tensor) -> Tensor:
    return (x - beta / (1 - bar).sqrt() * eps) / (1 - beta).sqrt()


def _mistaken_last_step(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
    return x if k == 1 else ancestral_step(x, k, eps, betas, generator)


def _mistaken_lower_variance(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
    beta, before, bar = betas[k - 1], (1 - betas[: k - 1]).prod(), (1 - betas[:k]).prod()
    z = torch.randn(x.shape, generator=generator)
    return _right_mean(x, eps, beta, bar) + (beta * (1 - before) / (1 - bar)).sqrt() * z


def _mistaken_global_noise(x: Tensor, k: int, eps: Tensor, betas: Tensor, generator: torch.Generator) -> Tensor:
    return ancestral_step(x, k, eps, betas, torch.Generator().manual_seed(torch.seed() % 2**31))


def _try_forward_sample(g: torch.Generator) -> Trial:
    betas, k = 0.05 + 0.3 * torch.rand(5, generator=g), int(torch.randint(1, 6, (), generator=g))
    x0, bar = 5 * torch.randn(5000, 1, 2, 2, generator=g), (1 - betas[:k]).prod()
    return Trial((x0, k, betas), Law(bar.sqrt() * x0, (1 - bar).sqrt()))


def _try_predict_x0(g: torch.Generator) -> Trial:
    x_t, eps = (torch.randn(6, 1, 2, 2, generator=g) for _ in range(2))
    return Trial((x_t, eps, torch.tensor(uniform(g, 0.1, 0.9))))


def _try_ancestral_step(g: torch.Generator) -> Trial:
    betas, k = 0.05 + 0.3 * torch.rand(5, generator=g), int(torch.randint(2, 6, (), generator=g))
    x, eps = (5 * torch.randn(5000, 1, 2, 2, generator=g) for _ in range(2))
    mean = _right_mean(x, eps, betas[k - 1], (1 - betas[:k]).prod())
    return Trial((x, k, eps, betas), Law(mean, betas[k - 1].sqrt()))


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
            Mistake(_mistaken_own_seed, "another generator"),
            Mistake(_forward(_deviation, torch.sqrt), "swapped"),
            Mistake(_mistaken_no_data, "x₀ is not in it"),
            Mistake(_mistaken_always_the_last, "at k = 1"),
            Mistake(_forward(torch.sqrt, _deviation, draw=_no_gaussian), "no Gaussian"),
            Mistake(_forward(torch.sqrt, _deviation, draw=_one_an_image), "share a draw"),
        ),
        "one jump does the work of k steps, so training can start at any noise level.",
        _try_forward_sample,
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
        _try_predict_x0,
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
            Mistake(_step(_right_mean, torch.zeros_like), "no noise comes back in at k = 3"),
            Mistake(_step(_right_mean, lambda b: b), "by β, its variance"),
            Mistake(_mistaken_lower_variance, "is β̃"),
            Mistake(_step(_right_mean, from_step=1), "k = 1, adds noise"),
            Mistake(_step(_right_mean, from_step=3), "no noise comes back in at k = 2"),
            Mistake(_step(_right_mean, draw=torch.rand), "noise is uniform"),
            Mistake(_step(_right_mean, draw=_no_gaussian), "no Gaussian"),
            Mistake(_step(_right_mean, draw=_one_an_image), "share a draw"),
            Mistake(_step(_right_mean, shift=-1), "betas[:k − 1]"),
            Mistake(_step(_right_mean, shift=1), "betas[:k + 1]"),
            Mistake(_step(lambda x, e, b, bar: (x - b / (1 - bar).sqrt() * e) / (1 - b)), "divide by α_k"),
            Mistake(_step(lambda x, e, b, bar: (x - b.sqrt() * e) / (1 - b).sqrt()), "not its root"),
            Mistake(_mistaken_last_step, "at k = 1 the mean"),
            Mistake(_mistaken_global_noise, "not repeatable"),
        ),
        "this line, a thousand times, is the whole sampler.",
        _try_ancestral_step,
    ),
)
