"""`forward-sample`: from x₀ to x_k in one jump."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_06._shared import BETAS, SHAPE, Shares, no_gaussian, one_an_image, shares
from diffusion_teach.exercises.examining import diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial

_all_near = within(0.02, 0.02, 0.02)


def forward_sample(
    x0: Tensor,
    k: int,
    betas: Tensor,
    generator: torch.Generator,
) -> Tensor:
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


def _examine(answer: Answer) -> None:
    x0 = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    for k in (3, 1, len(BETAS)):
        value = answer(x0, k, BETAS, torch.Generator().manual_seed(2))
        same(value, x0)  # a tensor of the right shape, and finite
        (share,), noise = shares(value.detach().to(x0), x0)
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


def _trial(g: torch.Generator) -> Trial:
    betas, k = 0.05 + 0.3 * torch.rand(5, generator=g), int(torch.randint(1, 6, (), generator=g))
    x0, bar = 5 * torch.randn(5000, 1, 2, 2, generator=g), (1 - betas[:k]).prod()
    return Trial((x0, k, betas), Law(bar.sqrt() * x0, (1 - bar).sqrt()))


EXERCISE = Exercise(
    id="forward-sample",
    chapter="06_ddpm",
    examine=_examine,
    solution=forward_sample,
    mistakes=(
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
        Mistake(_forward(torch.sqrt, _deviation, draw=no_gaussian), "no Gaussian"),
        Mistake(_forward(torch.sqrt, _deviation, draw=one_an_image), "share a draw"),
    ),
    praise="one jump does the work of k steps, so training can start at any noise level.",
    trial=_trial,
)
