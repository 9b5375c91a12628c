"""`ancestral-step`: one step of DDPM's Algorithm 2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_06._shared import BETAS, SHAPE, Shares, no_gaussian, one_an_image, shares
from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial

_near = within(0.02, 0.02)


def ancestral_step(
    x: Tensor,
    k: int,
    eps: Tensor,
    betas: Tensor,
    generator: torch.Generator,
) -> Tensor:
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


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(3)
    x, eps = torch.randn(SHAPE, generator=g), torch.randn(SHAPE, generator=g)
    for k in (3, 2, 1):
        value = answer(x, k, eps, BETAS, torch.Generator().manual_seed(4))
        same(value, x)
        beta, bar = float(BETAS[k - 1]), float((1 - BETAS[:k]).prod())
        right = (1 - beta) ** -0.5, -beta / (1 - bar) ** 0.5 / (1 - beta) ** 0.5
        found, noise = shares(value.detach().to(x), x, eps)
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


def _trial(g: torch.Generator) -> Trial:
    betas, k = 0.05 + 0.3 * torch.rand(5, generator=g), int(torch.randint(2, 6, (), generator=g))
    x, eps = (5 * torch.randn(5000, 1, 2, 2, generator=g) for _ in range(2))
    mean = _right_mean(x, eps, betas[k - 1], (1 - betas[:k]).prod())
    return Trial((x, k, eps, betas), Law(mean, betas[k - 1].sqrt()))


EXERCISE = Exercise(
    id="ancestral-step",
    chapter="06_ddpm",
    examine=_examine,
    solution=ancestral_step,
    mistakes=(
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
        Mistake(_step(_right_mean, draw=no_gaussian), "no Gaussian"),
        Mistake(_step(_right_mean, draw=one_an_image), "share a draw"),
        Mistake(_step(_right_mean, shift=-1), "betas[:k − 1]"),
        Mistake(_step(_right_mean, shift=1), "betas[:k + 1]"),
        Mistake(_step(lambda x, e, b, bar: (x - b / (1 - bar).sqrt() * e) / (1 - b)), "divide by α_k"),
        Mistake(_step(lambda x, e, b, bar: (x - b.sqrt() * e) / (1 - b).sqrt()), "not its root"),
        Mistake(_mistaken_last_step, "at k = 1 the mean"),
        Mistake(_mistaken_global_noise, "not repeatable"),
    ),
    praise="this line, a thousand times, is the whole sampler.",
    trial=_trial,
)
