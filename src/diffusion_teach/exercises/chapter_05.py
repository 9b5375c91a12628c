"""The exercises of chapter 05."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Wrong, same

CHAPTER = "05_ncsn"
Score = Callable[[Tensor, float], Tensor]


def langevin_step(x: Tensor, score: Tensor, h: float, generator: torch.Generator) -> Tensor:
    """One Langevin step of size h from x (B, d), where the score is `score`."""
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + h * score + (2 * h) ** 0.5 * z


def _examine_langevin_step(answer: Answer) -> None:
    x, slope, h = torch.full((50_000, 1), 0.7), torch.full((50_000, 1), -1.5), 0.3
    value = answer(x, slope, h, torch.Generator().manual_seed(1))
    same(value, x)  # a tensor of the right shape, and finite
    mean, deviation = float(value.mean()), float(value.std())
    means = {
        "you walk downhill: the score points to where the density rises, so it is added.": 0.7 + 0.45,
        "the drift is halved. With noise √(2h)·z it is h·score; h/2 goes with √h·z.": 0.7 - 0.225,
        "the score itself is missing: only noise moves the points.": 0.7,
        "the drift is √(2h)·score. The square root belongs to the noise alone.": 0.7 - 1.5 * (2 * h) ** 0.5,
        "you step by the whole score. The drift is h·score.": 0.7 - 1.5,
    }
    deviations = {
        "there is no noise: every point would end at a top of the density.": 0.0,
        "the 2 is missing under the root: √h·z with a drift of h·score settles at half the variance. It is √(2h).": h
        ** 0.5,
        "the noise has the factor 2h, which is its variance. A draw is scaled by the deviation, √(2h).": 2 * h,
        "the noise has the factor h. It grows with the square root: √(2h).": h,
        "the noise is uniform: use `randn`, not `rand`.": (2 * h / 12) ** 0.5,
        "the noise has the factor 2√h. The 2 stands under the root: √(2h).": 2 * h**0.5,
    }
    for diagnosis, wrong in deviations.items():
        if abs(deviation - wrong) < 0.01:
            raise Wrong(diagnosis)
    if abs(deviation - (2 * h) ** 0.5) > 0.01:
        raise Wrong(
            f"with h = 0.3 the noise should have the deviation {(2 * h) ** 0.5:.3f}; yours has {deviation:.3f}."
        )
    if abs(mean - 0.25) > 0.02:
        for diagnosis, wrong in means.items():
            if abs(mean - wrong) < 0.02:
                raise Wrong(diagnosis)
        raise Wrong(f"from x = 0.7, with a score of −1.5 and h = 0.3, the mean should be 0.25; yours is {mean:.3f}.")
    if not torch.equal(value, answer(x, slope, h, torch.Generator().manual_seed(1))):
        raise Wrong("right, but not repeatable: pass the generator on to `randn`.")


def _step(drift: Callable[[float], float], noise: Callable[[float], float], draw: Callable[..., Tensor]) -> Answer:
    def answer(x: Tensor, score: Tensor, h: float, generator: torch.Generator) -> Tensor:
        return x + drift(h) * score + noise(h) * draw(x.shape, dtype=x.dtype, generator=generator)

    return answer


def _root(h: float) -> float:
    return (2 * h) ** 0.5


def ncsn_loss(model: Score, x: Tensor, sigma: float, eps: Tensor) -> Tensor:
    """σ²·½‖s − target‖² at the noisy points x + σε, summed over coordinates, averaged over the batch; x, eps (B, d)."""
    target = -eps / sigma
    error = model(x + sigma * eps, sigma) - target
    return sigma**2 * 0.5 * error.square().sum(1).mean()


def _examine_ncsn_loss(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    x, eps = (torch.randn(200, 3, generator=g, dtype=torch.float64) for _ in range(2))
    sigma = 0.4

    def model(x: Tensor, sigma: float) -> Tensor:
        return 0.3 * x - torch.tensor([0.5, -1.0, 2.0], dtype=x.dtype)

    value = answer(model, x, sigma, eps)
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
        "the ½ is missing.": 2 * right,
        "you average over the coordinates too. ‖·‖² is their sum.": right / 3,
        "you sum over the batch. The loss is a mean over the points.": 200 * right,
    }
    if same(value.reshape(()) if isinstance(value, Tensor) and value.numel() == 1 else value, right):
        return
    for diagnosis, wrong in named.items():
        if same(value, wrong):
            raise Wrong(diagnosis)
    raise Wrong(f"on the example the loss is {float(right):.4f}; yours is {float(value):.4f}.")


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


def anneal(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
    """One Langevin step of size ratio·σ² at each level, from the first to the last, and then the denoising step."""
    for sigma in levels:
        h = ratio * sigma**2
        z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
        x = x + h * score(x, sigma) + (2 * h) ** 0.5 * z
    return x + levels[-1] ** 2 * score(x, levels[-1])


def _examine_anneal(answer: Answer) -> None:
    """On data at a point every answer is a Gaussian whose deviation can be worked out."""
    levels, ratio, place = [2.0, 1.0, 0.4], 0.2, 3.0
    asked: list[float] = []

    def score(x: Tensor, sigma: float) -> Tensor:
        asked.append(float(sigma))
        return (place - x) / float(sigma) ** 2

    def run(seed: int) -> Tensor:
        asked.clear()
        start = 2 * torch.randn(40_000, 1, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
        value = answer(score, start, levels, ratio, torch.Generator().manual_seed(seed))
        same(value, start)
        return value

    value = run(1)
    order = list(asked)
    if order[:3] == levels[::-1]:
        raise Wrong("you climb up the ladder, from the smallest level to the largest. Begin with levels[0].")
    found = float((value - place).square().mean()) ** 0.5
    if found < 1e-6:
        return
    grainy = _spread(levels, ratio)
    finished = {
        "you leave out the denoising step: the noise of the last level is still in the picture. Add "
        "σ²·score(x, σ) at the last σ, and no noise.": grainy,
        "your last step adds noise to the finished picture. The denoising step has none.": (
            (2 * ratio) ** 0.5 * levels[-1]
        ),
        "the denoising step is σ²·score: you step by σ·score, which is no length.": grainy * (1 - 1 / levels[-1]),
        "the denoising step is the whole σ²·score; you take h·score, the step of Langevin dynamics.": grainy
        * (1 - ratio),
        "you denoise with the first level. At the end only the noise of the last one is left.": grainy
        * (1 - (levels[0] / levels[-1]) ** 2),
    }
    for diagnosis, wrong in finished.items():
        if abs(found - abs(wrong)) < 0.02 * abs(wrong):
            raise Wrong(diagnosis)
    raise Wrong(
        "data at a single point must come back exactly, and yours lie "
        f"{found:.3f} off. Check h = ratio·σ², the noise √(2h)·z and the last step, σ²·score."
    )


def _spread(levels: list[float], ratio: float) -> float:
    """The deviation after one step at each level, of data at a point 3 and a start N(0, 2²)."""
    offset, variance = 3.0, 4.0
    for sigma in levels:
        offset, variance = (1 - ratio) * offset, (1 - ratio) ** 2 * variance + 2 * ratio * sigma**2
    return float((offset**2 + variance) ** 0.5)


def _anneal(
    last: Callable[[Score, Tensor, list[float], float, torch.Generator], Tensor], *, upwards: bool = False
) -> Answer:
    def answer(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
        for sigma in levels[::-1] if upwards else levels:
            h = ratio * sigma**2
            x = x + h * score(x, sigma) + (2 * h) ** 0.5 * torch.randn(x.shape, dtype=x.dtype, generator=generator)
        return last(score, x, levels, ratio, generator)

    return answer


def _denoise(score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator) -> Tensor:
    return x + levels[-1] ** 2 * score(x, levels[-1])


def _denoise_with_noise(
    score: Score, x: Tensor, levels: list[float], ratio: float, generator: torch.Generator
) -> Tensor:
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return _denoise(score, x, levels, ratio, generator) + (2 * ratio) ** 0.5 * levels[-1] * z


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
            Mistake(_step(lambda h: 0.0, _root, torch.randn), "only noise moves"),
            Mistake(_step(_root, _root, torch.randn), "belongs to the noise alone"),
            Mistake(_step(lambda h: 1.0, _root, torch.randn), "whole score"),
        ),
        "uphill by h, and sideways by √(2h): the two together make draws of a slope.",
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
            Mistake(_loss(_target, factor=1.0), "½ is missing"),
            Mistake(_loss(_target, factor=0.5 / 3), "average over the coordinates"),
            Mistake(_loss(_target, factor=100.0), "sum over the batch"),
        ),
        "this is the error of the noise, ½‖ε − ε̂‖² with ε̂ = −σ·s: remember it for the next chapter.",
    ),
    Exercise(
        "anneal",
        CHAPTER,
        _examine_anneal,
        anneal,
        (
            Mistake(_anneal(lambda score, x, *_: x), "leave out the denoising step"),
            Mistake(_anneal(_denoise_with_noise), "adds noise to the finished picture"),
            Mistake(_anneal(lambda score, x, levels, *_: x + levels[-1] * score(x, levels[-1])), "is no length"),
            Mistake(
                _anneal(lambda score, x, levels, r, _: x + r * levels[-1] ** 2 * score(x, levels[-1])), "take h·score"
            ),
            Mistake(
                _anneal(lambda score, x, levels, *_: x + levels[0] ** 2 * score(x, levels[-1])), "with the first level"
            ),
            Mistake(_anneal(_denoise, upwards=True), "climb up"),
        ),
        "levels from large to small, steps in proportion to σ², and a last step without noise.",
    ),
)
