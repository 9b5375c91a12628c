"""The exercises of chapter 05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

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

CHAPTER = "05_ncsn"
Score = Callable[[Tensor, float], Tensor]


def langevin_step(x: Tensor, score: Tensor, h: float, generator: Generator) -> Tensor:
    """One Langevin step of size h from x (B, d), where the score is `score`."""
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + h * score + (2 * h) ** 0.5 * z


def _examine_langevin_step(answer: Answer) -> None:
    """Many moves from one point with one score: their mean is the drift, their deviation the noise."""
    h, place, slope = 0.3, torch.tensor([0.7, 1.2]), torch.tensor([-1.5, 2.5])
    x, score = place.expand(40_000, 2), slope.expand(40_000, 2)
    value = answer(x.clone(), score.clone(), h, torch.Generator().manual_seed(1))
    same(value, x)  # a tensor of the right shape, and finite
    if torch.allclose(value, value[:1].expand_as(value)):
        if not torch.allclose(value, answer(x.clone(), score.clone(), h, torch.Generator().manual_seed(2))):
            raise Wrong("all points get one draw: they must be shaken each on its own. Draw z in the shape of x.")
        raise Wrong("there is no noise: every point would end at a top of the density.")
    moved = value.detach().double() - place
    if float(torch.corrcoef(moved.T)[0, 1].abs()) > 0.99:
        raise Wrong("both coordinates of a point get one draw. Draw z in the shape of x.")
    drift, deviation = tuple(moved.mean(0).tolist()), float(moved.std(0).mean())

    def along(multiple: float) -> tuple[float, ...]:
        return tuple((multiple * slope).tolist())

    right, here = (2 * h) ** 0.5, within(0.02, 0.02)
    if abs(deviation - h**0.5) < 0.01 and here(drift, along(h / 2)):
        raise Wrong("that is the papers' step with α = h. Here h itself multiplies the score, and the noise fits that.")
    deviations = {
        "the 2 is missing under the root: such a walk settles at half the variance.": h**0.5,
        "the noise has the factor 2h, which is its variance. A draw is scaled by the deviation.": 2 * h,
        "the noise has the factor h. Random pushes add up like a root, and a 2 belongs under it.": h,
        "the noise is uniform: use `randn`, not `rand`.": right / 12**0.5,
        "the noise has the factor 2√h. The 2 stands under the root.": 2 * h**0.5,
    }
    diagnose(deviation, deviations.items(), near=within(0.01))
    if abs(deviation - right) > 0.01:
        raise Wrong(f"with h = 0.3 the noise should have a deviation of {right:.3f}, yours {deviation:.3f}.")
    drifts = {
        "you walk downhill: the score points to where the density rises.": along(-h),
        "the drift is halved. That goes with another noise, of half the variance.": along(h / 2),
        "the drift is 2h·score. The 2 stands under the root of the noise alone.": along(2 * h),
        "the score itself is missing: only noise moves the points.": along(0),
        "your points forget where they were. Add the move to x.": tuple((h * slope - place).tolist()),
        "the drift is √(2h)·score. The square root belongs to the noise alone.": along(right),
        "you step by the whole score: it is multiplied by the step size.": along(1),
        "you divide the score by its length. How long it is tells how steep the slope is.": along(
            h / float(slope.norm())
        ),
    }
    wanted = along(h)
    otherwise = "with h = 0.3 and a score of (−1.5, 2.5) points should move by ({:.2f}, {:.2f}) on average; yours by "
    if not here(drift, wanted):
        said = otherwise.format(*wanted) + "({:.2f}, {:.2f}).".format(*drift)
        diagnose(drift, drifts.items(), said, near=here)


def _step(drift: Callable[[float], float], noise: Callable[[float], float], draw: Callable[..., Tensor]) -> Answer:
    def answer(x: Tensor, score: Tensor, h: float, generator: torch.Generator) -> Tensor:
        return x + drift(h) * score + noise(h) * draw(x.shape, dtype=x.dtype, generator=generator)

    return answer


def _one_draw(shape: torch.Size, **options: Any) -> Tensor:
    return torch.randn(1, **options)


def _one_draw_a_point(shape: torch.Size, **options: Any) -> Tensor:
    return torch.randn(shape[0], 1, **options)


def _mistaken_own_randomness(x: Tensor, score: Tensor, h: float, generator: torch.Generator) -> Tensor:
    return langevin_step(x, score, h, torch.Generator().manual_seed(torch.seed() % 2**31))


def _root(h: float) -> float:
    return (2 * h) ** 0.5


def ncsn_loss(model: Score, x: Tensor, sigma: float, eps: Tensor) -> Tensor:
    """σ²·½‖s − target‖² at x + σε; x, eps (B, d). A sum over d, a mean over B."""
    target = -eps / sigma
    error = model(x + sigma * eps, sigma) - target
    return sigma**2 * 0.5 * error.square().sum(1).mean()


def _examine_ncsn_loss(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    x, eps = (torch.randn(200, 3, generator=g, dtype=torch.float64) for _ in range(2))
    sigma = 0.4

    def model(x: Tensor, sigma: float) -> Tensor:
        return 0.3 * x - torch.tensor([0.5, -1.0, 2.0], dtype=x.dtype)

    value = answer(model, x.clone(), sigma, eps.clone())
    s = model(x + sigma * eps, sigma)

    def half(error: Tensor) -> Tensor:
        return 0.5 * error.square().sum(1).mean()

    right = sigma**2 * half(s + eps / sigma)
    named = {
        "the sign of the target is turned: it would teach the network to point from the clean point to the noisy one. "
        "The target is −ε/σ.": sigma**2 * half(s - eps / sigma),
        "the weight σ² is missing: the smallest level would drown all others, as its error grows like 1/σ².": half(
            s + eps / sigma
        ),
        "the weight is σ, not λ(σ) = σ². Only σ² makes every level count alike.": sigma * half(s + eps / sigma),
        "the target is −ε. That is what a network answers that predicts the noise; a score is −ε/σ.": sigma**2
        * half(s + eps),
        "the target is −ε/σ². From the noisy point to the clean one it is −σε, divided by σ²: −ε/σ.": sigma**2
        * half(s + eps / sigma**2),
        "you ask the model at the clean points. It must see the noisy ones, x + σε.": sigma**2
        * half(model(x, sigma) + eps / sigma),
        "the ½ is missing, and you average over the coordinates: ‖·‖² is their sum.": 2 * right / 3,
        "the ½ is missing.": 2 * right,
        "you average over the coordinates too. ‖·‖² is their sum.": right / 3,
        "you sum over the batch. The loss is a mean over the points.": 200 * right,
    }
    if same(value.reshape(()) if isinstance(value, Tensor) and value.numel() == 1 else value, right):
        return
    diagnose(value, named.items(), f"on the example the loss is {float(right):.4f}; yours is {float(value):.4f}.")


def _loss(
    target: Callable[[Tensor, float], Tensor],
    weight: Callable[[float], float] = lambda sigma: sigma**2,
    *,
    clean: bool = False,
    factor: float = 0.5,
) -> Answer:
    def answer(model: Score, x: Tensor, sigma: float, eps: Tensor) -> Tensor:
        error = model(x if clean else x + sigma * eps, sigma) - target(eps, sigma)
        return weight(sigma) * factor * error.square().sum(1).mean()

    return answer


def _target(eps: Tensor, sigma: float) -> Tensor:
    return -eps / sigma


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


def _examine_anneal(answer: Answer) -> None:
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
    noise: Callable[[float], float] = _root,
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


def _try_langevin_step(g: torch.Generator) -> Trial:
    x, score = (5 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    h = uniform(g, 0.05, 0.8)
    return Trial((x, score, h), Law(x + h * score, torch.tensor((2 * h) ** 0.5)))


def _try_ncsn_loss(g: torch.Generator) -> Trial:
    weight, x, eps = (torch.randn(shape, dtype=torch.float64, generator=g) for shape in ((3, 3), (12, 3), (12, 3)))
    return Trial((lambda x, sigma: (x @ weight).tanh() / sigma, x, uniform(g, 0.2, 2), eps))


def _try_anneal(g: torch.Generator) -> Trial:
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


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "langevin-step",
        CHAPTER,
        _examine_langevin_step,
        langevin_step,
        (
            Mistake(_step(lambda h: h, lambda h: h**0.5, torch.randn), "2 is missing under the root"),
            Mistake(_step(lambda h: -h, _root, torch.randn), "downhill"),
            Mistake(_step(lambda h: h, lambda h: 0.0, torch.randn), "no noise"),
            Mistake(_step(lambda h: h, lambda h: 2 * h, torch.randn), "factor 2h"),
            Mistake(_step(lambda h: h, lambda h: h, torch.randn), "factor h."),
            Mistake(_step(lambda h: h, lambda h: 2 * h**0.5, torch.randn), "factor 2√h"),
            Mistake(_step(lambda h: h, _root, torch.rand), "uniform"),
            Mistake(_step(lambda h: h / 2, _root, torch.randn), "drift is halved"),
            Mistake(_step(lambda h: h / 2, lambda h: h**0.5, torch.randn), "papers' step"),
            Mistake(_step(lambda h: 2 * h, _root, torch.randn), "drift is 2h"),
            Mistake(_step(lambda h: h, _root, _one_draw), "all points get one draw"),
            Mistake(_step(lambda h: h, _root, _one_draw_a_point), "both coordinates"),
            Mistake(_mistaken_own_randomness, "not repeatable"),
            Mistake(_step(lambda h: 0.0, _root, torch.randn), "only noise moves"),
            Mistake(lambda x, s, h, g: langevin_step(x, s, h, g) - x, "where they were"),
            Mistake(_step(_root, _root, torch.randn), "belongs to the noise alone"),
            Mistake(_step(lambda h: 1.0, _root, torch.randn), "whole score"),
            Mistake(lambda x, s, h, g: langevin_step(x, s / s.norm(dim=1, keepdim=True), h, g), "by its length"),
        ),
        "uphill by h, and sideways by √(2h): the two together make draws of a slope.",
        _try_langevin_step,
    ),
    Exercise(
        "ncsn-loss",
        CHAPTER,
        _examine_ncsn_loss,
        ncsn_loss,
        (
            Mistake(_loss(lambda e, s: e / s), "sign of the target"),
            Mistake(_loss(_target, lambda s: 1.0), "weight σ² is missing"),
            Mistake(_loss(_target, lambda s: s), "weight is σ, not"),
            Mistake(_loss(lambda e, s: -e), "target is −ε. That"),
            Mistake(_loss(lambda e, s: -e / s**2), "target is −ε/σ²"),
            Mistake(_loss(_target, clean=True), "clean points"),
            Mistake(_loss(_target, factor=1.0), "½ is missing."),
            Mistake(_loss(_target, factor=0.5 / 3), "average over the coordinates too"),
            Mistake(_loss(_target, factor=1 / 3), "½ is missing, and"),
            Mistake(_loss(_target, factor=100.0), "sum over the batch"),
        ),
        "this is the error of the noise, ½‖ε − ε̂‖² with ε̂ = −σ·s: remember it for the next chapter.",
        _try_ncsn_loss,
    ),
    Exercise(
        "anneal",
        CHAPTER,
        _examine_anneal,
        anneal,
        (
            Mistake(_anneal(lambda score, x, *_: x), "leave out the denoising step"),
            Mistake(_anneal(_denoise_with_noise), "adds noise to the finished picture"),
            Mistake(_anneal(lambda score, x, levels, *_: x + levels[-1] * score(x, levels[-1])), "no length"),
            Mistake(
                _anneal(lambda score, x, levels, r, _: x + r * levels[-1] ** 2 * score(x, levels[-1])), "by h·score"
            ),
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
        "levels from large to small, steps in proportion to σ², and a last step without noise.",
        _try_anneal,
    ),
)
