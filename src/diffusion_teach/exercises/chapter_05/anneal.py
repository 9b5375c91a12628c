"""`anneal`: annealed Langevin dynamics, and its denoising step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.chapter_05._shared import Score, root
from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def anneal(
    score: Score,
    x: Tensor,
    levels: list[float],
    ratio: float,
    generator: Generator,
) -> Tensor:
    """A Langevin step of ratio·σ² at each level, in order; then the denoising step."""
    for sigma in levels:
        h = ratio * sigma**2
        z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
        x = x + h * score(x, sigma) + (2 * h) ** 0.5 * z
    return x + levels[-1] ** 2 * score(x, levels[-1])


def _examine(answer: Answer) -> None:
    """Data at one point: each step is then a line with noise, whose slope and deviation say what it was."""
    levels, ratio, place = [3.0, 1.4, 0.4], 0.2, 3.0
    asked: list[tuple[float, Tensor]] = []

    def score(x: Tensor, sigma: float) -> Tensor:
        asked.append((float(sigma), x.detach().clone()))
        return (place - x) / float(sigma) ** 2

    start = 4 * torch.randn(40_000, 1, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    value = answer(score, start.clone(), levels, ratio, torch.Generator().manual_seed(1))
    same(value, start)
    order = [sigma for sigma, _ in asked]
    if order[:3] == levels[::-1]:
        raise Wrong("you climb up the ladder, from the smallest level to the largest. Begin with levels[0].")
    if order[:3] != levels or len(order) > 4:
        raise Wrong(
            "ask the score once at each level, from the first to the last, and once more at the last one to denoise; "
            f"yours is asked at {', '.join(f'{sigma:g}' for sigma in order) or 'none'}."
        )
    finished = float((value - place).square().mean()) ** 0.5 < 1e-4
    if len(asked) == 3 and finished:
        raise Wrong(
            "at the last level you denoise at once. It is a level like the others: a Langevin step comes first."
        )
    after = [*(x for _, x in asked[1:]), value] if len(asked) == 4 else [x for _, x in asked[1:]]
    for index, moved in enumerate(after[:3]):
        _examine_level(asked[index][1] - place, moved - place, levels[index:], ratio)
    if not finished:
        _examine_last(value - place, asked[-1][1] - place if len(asked) == 4 else None, levels, ratio)


def _examine_level(before: Tensor, moved: Tensor, levels: list[float], ratio: float) -> None:
    """One Langevin step of h = ratio·σ² at levels[0], which takes an offset to (1 − ratio) of it."""
    sigma = levels[0]
    slope = float((before * moved).sum() / before.square().sum())
    noise = float((moved - slope * before).square().mean().sqrt()) / sigma
    slopes = {
        "you walk downhill: the score is added.": 1 + ratio,
        "the step is h = ratio, the same at every level. It is measured against the level's variance.": (
            1 - ratio / sigma**2
        ),
        "the step is h = ratio·σ. A step size is a squared length.": 1 - ratio / sigma,
    }
    if len(levels) > 1:
        slopes["the step is measured by the next level's σ: you are one level ahead."] = (
            1 - ratio * (levels[1] / sigma) ** 2
        )
    noises = {
        "there is no noise in the steps: that is no Langevin dynamics, and all points go the same way.": 0.0,
        "the 2 is missing under the root of the noise: √h·z.": ratio**0.5,
        "the noise has the factor 2h, its variance. A draw is scaled by the deviation.": 2 * ratio * sigma,
    }
    if abs(slope - (1 - ratio)) > 0.01:
        otherwise = f"at σ = {sigma:g} a step should move points by {ratio:g} of the way; yours by {1 - slope:.3f}."
        diagnose(slope, slopes.items(), otherwise, near=within(0.01))
    if abs(noise - (2 * ratio) ** 0.5) > 0.015:
        otherwise = f"at σ = {sigma:g} the noise should be {(2 * ratio) ** 0.5:.3f}·σ; yours is {noise:.3f}·σ."
        diagnose(noise, noises.items(), otherwise, near=within(0.015))


def _examine_last(end: Tensor, before: Tensor | None, levels: list[float], ratio: float) -> None:
    """The denoising step, which takes data at one point back to it."""
    if before is None:
        raise Wrong(
            "you leave out the denoising step: the noise of the last level is still in the picture. Take it off by "
            "Tweedie's formula."
        )
    slope = float((before * end).sum() / before.square().sum())
    if float((end - slope * before).square().mean()) ** 0.5 > 1e-3:
        raise Wrong("your last step adds noise to the finished picture. The denoising step has none.")
    slopes = {
        "you denoise by σ·score, which is no length.": 1 - 1 / levels[-1],
        "you denoise by h·score, the step of Langevin dynamics. Tweedie's formula takes the whole way.": 1 - ratio,
        "you denoise with the first level. At the end only the noise of the last one is left.": (
            1 - (levels[0] / levels[-1]) ** 2
        ),
        "you denoise with the σ of the level before the last: that noise is gone.": (
            1 - (levels[-2] / levels[-1]) ** 2
        ),
    }
    otherwise = (
        f"data at a single point must come back exactly; your last step leaves {slope:.3f} of the distance to it."
    )
    diagnose(slope, slopes.items(), otherwise, near=within(1e-3))


Last = Callable[[Score, Tensor, list[float], float, torch.Generator], Tensor]


def _denoise(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
    return x + levels[-1] ** 2 * score(x, levels[-1])


def _denoise_with_noise(
    score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator
) -> Tensor:
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return _denoise(score, x, levels, ratio, generator) + (2 * ratio) ** 0.5 * levels[-1] * z


def _anneal(
    last: Last = _denoise,
    *,
    order: Callable[[list[float]], list[float]] = list,
    size: Callable[[float, float], float] = lambda ratio, sigma: ratio * sigma**2,
    noise: Callable[[float], float] = root,
    sign: int = 1,
) -> Answer:
    def answer(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
        for sigma in order(levels):
            h = size(ratio, sigma)
            z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
            x = x + sign * h * score(x, sigma) + noise(h) * z
        return last(score, x, levels, ratio, generator)

    return answer


def _anneal_one_ahead(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
    for sigma, following in zip(levels, [*levels[1:], levels[-1]], strict=True):
        h = ratio * following**2
        x = x + h * score(x, sigma) + (2 * h) ** 0.5 * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return _denoise(score, x, levels, ratio, generator)


def _trial(g: torch.Generator) -> Trial:
    """Gaussian data: every step takes a Gaussian to a Gaussian."""
    place, variance = uniform(g, -3, 3), uniform(g, 0.2, 1)
    levels, ratio = [uniform(g, 1, 2), uniform(g, 0.3, 0.9)], uniform(g, 0.1, 0.4)
    x = 5 * torch.randn(10_000, 2, dtype=torch.float64, generator=g)
    mean, spread = x, 0.0
    for sigma in levels:
        h = ratio * sigma**2
        keep = 1 - h / (variance + sigma**2)
        mean, spread = keep * mean + (1 - keep) * place, keep**2 * spread + 2 * h
    keep = variance / (variance + levels[-1] ** 2)
    law = Law(keep * mean + (1 - keep) * place, torch.tensor(keep * spread**0.5))
    return Trial((lambda x, sigma: (place - x) / (variance + float(sigma) ** 2), x, levels, ratio), law)


EXERCISE = Exercise(
    id="anneal",
    chapter="05_ncsn",
    examine=_examine,
    solution=anneal,
    mistakes=(
        Mistake(_anneal(lambda score, x, *_: x), "leave out the denoising step"),
        Mistake(_anneal(_denoise_with_noise), "adds noise to the finished picture"),
        Mistake(_anneal(lambda score, x, levels, *_: x + levels[-1] * score(x, levels[-1])), "no length"),
        Mistake(_anneal(lambda score, x, levels, r, _: x + r * levels[-1] ** 2 * score(x, levels[-1])), "by h·score"),
        Mistake(
            _anneal(lambda score, x, levels, *_: x + levels[0] ** 2 * score(x, levels[-1])), "with the first level"
        ),
        Mistake(
            _anneal(lambda score, x, levels, *_: x + levels[-2] ** 2 * score(x, levels[-1])),
            "level before the last",
        ),
        Mistake(_anneal(order=lambda levels: levels[::-1]), "climb up"),
        Mistake(_anneal(order=lambda levels: levels[:-1]), "denoise at once"),
        Mistake(_anneal_one_ahead, "one level ahead"),
        Mistake(_anneal(order=lambda levels: []), "once at each level"),
        Mistake(_anneal(noise=lambda h: 0.0), "no noise in the steps"),
        Mistake(_anneal(noise=lambda h: h**0.5), "2 is missing under the root"),
        Mistake(_anneal(noise=lambda h: 2 * h), "factor 2h, its"),
        Mistake(_anneal(size=lambda ratio, sigma: ratio), "the same at every level"),
        Mistake(_anneal(size=lambda ratio, sigma: ratio * sigma), "squared length"),
        Mistake(_anneal(sign=-1), "downhill"),
    ),
    praise="levels from large to small, steps in proportion to σ², and a last step without noise.",
    trial=_trial,
)
