"""`noise-once`: one step of the noising process."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_00._shared import drawn, is_rand, mistakes, rng
from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise
from diffusion_teach.exercises.trials import Law, Trial, uniform


def noise(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    """One step of the noising process, which keeps a variance of 1; x of any shape."""
    eps = torch.randn(x.shape, generator=generator)
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


def _noised(keep: Callable[[float], float], share: Callable[[float], float], draw: Callable[..., Tensor]) -> Answer:
    """The step with other factors of x and of the noise, or with other noise."""
    return lambda x, beta, generator: keep(beta) * x + share(beta) * draw(x.shape, generator=generator)


def _rest(beta: float) -> float:
    return math.sqrt(1 - beta)


_NOISE_UNIFORM = "the noise is uniform, `rand`, and never negative. The text says N(0, 1), which is `randn`."
_NOISE_POSITIVE = "the noise is never negative. The text says N(0, 1), as often below 0 as above."
_FACTORS: tuple[tuple[Callable[[float], float], Callable[[float], float], str], ...] = (
    (
        _rest,
        float,
        "the noise has the deviation β. β is its variance: multiply eps by √β, or the variance shrinks at every step.",
    ),
    (
        lambda beta: 1.0,
        math.sqrt,
        "x is not made smaller, so the variance grows at every step: this explodes it. Multiply x by √(1 − β).",
    ),
    (
        lambda beta: 1 - beta,
        math.sqrt,
        "x is multiplied by 1 − β. Variances must add up to 1, and x brings the square of its factor.",
    ),
    (
        lambda beta: 1 - beta / 2,
        math.sqrt,
        "x is multiplied by 1 − β/2. That is near the root for a small β only; with a large one the variance grows.",
    ),
    (
        math.sqrt,
        _rest,
        "the two factors are exchanged: with a small β a step keeps most of x, and adds a little noise.",
    ),
)


def _examine(answer: Answer) -> None:
    x, beta = 2 + torch.randn(200, 200, generator=rng()), 0.6  # where √(1 − β) is not near 1 − β/2
    value = answer(x.clone(), beta, torch.Generator().manual_seed(7))
    same(value, x)
    covariance = torch.cov(torch.stack([x.flatten(), value.detach().flatten()]))
    kept = float(covariance[0, 1] / covariance[0, 0])
    added = value.detach() - kept * x
    share = float(added.std())
    if float(added.mean()) > 0.1 and float(added.min()) > -0.1:
        raise Wrong(_NOISE_UNIFORM if is_rand(added) else _NOISE_POSITIVE)
    near, found = within(0.02, 0.03, relative=True), (kept, share)
    diagnose(found, ((diagnosis, (keep(beta), part(beta))) for keep, part, diagnosis in _FACTORS), near=near)
    if not near(found, (_rest(beta), math.sqrt(beta))):
        raise Wrong(
            f"at β = {beta} x keeps {kept:.2f} of itself and gets noise of deviation {share:.2f}; it should be "
            f"{_rest(beta):.2f} and {math.sqrt(beta):.2f}."
        )


def _trial(g: torch.Generator) -> Trial:
    x, beta = 5 * torch.randn(150, 150, generator=g), uniform(g, 0.05, 0.6)
    return Trial((x, beta), Law(math.sqrt(1 - beta) * x, torch.tensor(math.sqrt(beta))))


EXERCISE = Exercise(
    id="noise-once",
    chapter="00_ink",
    examine=_examine,
    solution=noise,
    mistakes=mistakes(
        (
            (_noised(_rest, math.sqrt, torch.rand), _NOISE_UNIFORM),
            (_noised(_rest, math.sqrt, lambda shape, generator: drawn(shape, generator).abs()), _NOISE_POSITIVE),
        ),
        tuple((_noised(keep, part, torch.randn), text) for keep, part, text in _FACTORS),
    ),
    praise="right: shrink a little, shake a little, and a variance of 1 stays 1.",
    trial=_trial,
)
