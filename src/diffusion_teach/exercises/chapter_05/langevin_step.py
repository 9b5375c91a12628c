"""`langevin-step`: one step of Langevin dynamics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.chapter_05._shared import root
from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def langevin_step(x: Tensor, score: Tensor, h: float, generator: Generator) -> Tensor:
    """One Langevin step of size h from x (B, d), where the score is `score`."""
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + h * score + (2 * h) ** 0.5 * z


def _examine(answer: Answer) -> None:
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


def _trial(g: torch.Generator) -> Trial:
    x, score = (5 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    h = uniform(g, 0.05, 0.8)
    return Trial((x, score, h), Law(x + h * score, torch.tensor((2 * h) ** 0.5)))


EXERCISE = Exercise(
    id="langevin-step",
    chapter="05_ncsn",
    examine=_examine,
    solution=langevin_step,
    mistakes=(
        Mistake(_step(lambda h: h, lambda h: h**0.5, torch.randn), "2 is missing under the root"),
        Mistake(_step(lambda h: -h, root, torch.randn), "downhill"),
        Mistake(_step(lambda h: h, lambda h: 0.0, torch.randn), "no noise"),
        Mistake(_step(lambda h: h, lambda h: 2 * h, torch.randn), "factor 2h"),
        Mistake(_step(lambda h: h, lambda h: h, torch.randn), "factor h."),
        Mistake(_step(lambda h: h, lambda h: 2 * h**0.5, torch.randn), "factor 2√h"),
        Mistake(_step(lambda h: h, root, torch.rand), "uniform"),
        Mistake(_step(lambda h: h / 2, root, torch.randn), "drift is halved"),
        Mistake(_step(lambda h: h / 2, lambda h: h**0.5, torch.randn), "papers' step"),
        Mistake(_step(lambda h: 2 * h, root, torch.randn), "drift is 2h"),
        Mistake(_step(lambda h: h, root, _one_draw), "all points get one draw"),
        Mistake(_step(lambda h: h, root, _one_draw_a_point), "both coordinates"),
        Mistake(_mistaken_own_randomness, "not repeatable"),
        Mistake(_step(lambda h: 0.0, root, torch.randn), "only noise moves"),
        Mistake(lambda x, s, h, g: langevin_step(x, s, h, g) - x, "where they were"),
        Mistake(_step(root, root, torch.randn), "belongs to the noise alone"),
        Mistake(_step(lambda h: 1.0, root, torch.randn), "whole score"),
        Mistake(lambda x, s, h, g: langevin_step(x, s / s.norm(dim=1, keepdim=True), h, g), "by its length"),
    ),
    praise="uphill by h, and sideways by √(2h): the two together make draws of a slope.",
    trial=_trial,
)
