"""`push-the-dots`: one step of a random walk."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_00._shared import drawn, is_rand, mistakes, rng
from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise
from diffusion_teach.exercises.trials import Law, Trial, uniform


def push(
    x: Tensor,
    dt: float,
    diffusivity: float,
    generator: torch.Generator,
) -> Tensor:
    """Where dots x (N, 2) are after a time dt in still water."""
    eps = torch.randn(x.shape, generator=generator)
    return x + math.sqrt(2 * diffusivity * dt) * eps


def _pushed(deviation: Callable[[float], float], draw: Callable[..., Tensor] = torch.randn) -> Answer:
    """The step with another deviation, a function of D·dt, or with other noise."""
    return lambda x, dt, diffusivity, generator: x + deviation(diffusivity * dt) * draw(x.shape, generator=generator)


def _root(product: float) -> float:
    return math.sqrt(2 * product)


_NEVER_BACK = "no dot is ever pushed back. A push to the left should be as likely as one to the right."
_UNIFORM = "no dot is ever pushed back: `rand` is uniform on [0, 1), and the text says N(0, 1), which is `randn`."
_VARIANCE = "the pushes have the deviation 2D·dt, which is their variance. Take its root: twice the time, √2 the way."
_NO_TWO = "the pushes have the variance D·dt. Each axis gets 2D·dt."
_BOTH = "the pushes have the variance 4D·dt. That is what both axes have together: each gets half of it."
_ALONE = "your dots forget where they were. Add the push to x."
_DIAGONAL = "both coordinates get the same push, so every dot moves along a diagonal. Draw eps of the shape of x."
_TIED = "the pushes of the two coordinates depend on one another. Draw eps of the shape of x."
_ALIKE = "all dots get the same push: that is a current in the water. Draw eps of the shape of x."
_UNSEEDED = "right, but not repeatable: pass the generator on to `torch.randn`."
_DEAF = "another generator gives the same numbers: use the one that is passed, and make none of your own."
_ONE_AXIS = "one of the two coordinates is not pushed. Draw eps of the shape of x."
_NO_BELL = "mean and deviation are right, the shape is not: the noise is no Gaussian. Use `randn`."
_PUSHES: tuple[tuple[Answer, str], ...] = (
    (_pushed(_root, torch.rand), _UNIFORM),
    (_pushed(_root, lambda shape, generator: drawn(shape, generator).abs()), _NEVER_BACK),
    (_pushed(lambda product: 2 * product), _VARIANCE),
    (_pushed(math.sqrt), _NO_TWO),
    (_pushed(lambda product: 2 * math.sqrt(product)), _BOTH),
    (lambda x, dt, d, generator: push(x, dt, d, generator) - x, _ALONE),
    (_pushed(_root, lambda shape, generator: torch.randn(shape[0], 1, generator=generator)), _DIAGONAL),
    (_pushed(_root, lambda shape, generator: torch.randn(2, generator=generator)), _ALIKE),
    (_pushed(_root, lambda shape, generator: torch.randn(shape)), _UNSEEDED),
    (_pushed(_root, lambda shape, generator: torch.randn(shape, generator=rng())), _DEAF),
    (_pushed(_root, lambda shape, generator: drawn(shape, generator) * torch.tensor([1.0, 0.0])), _ONE_AXIS),
    (_pushed(_root, lambda shape, generator: drawn(shape, generator).sign()), _NO_BELL),
)


def _examine(answer: Answer) -> None:
    x, dt, diffusivity = 3 + torch.randn(20_000, 2, generator=rng()), 0.4, 0.3
    value = answer(x.clone(), dt, diffusivity, rng())
    same(value, x)
    if abs(float(value.detach().mean())) < 0.1:
        raise Wrong(_ALONE)
    moved = (value - x).detach()
    if float(moved.std(0).max()) < 1e-3:
        raise Wrong(_ALIKE if float(moved.abs().max()) > 1e-6 else "the dots did not move.")
    if float(moved.std(0).min()) < 1e-3:
        raise Wrong(_ONE_AXIS)
    if float(moved.min()) >= -1e-6:
        raise Wrong(_UNIFORM if is_rand(moved) else _NEVER_BACK)
    tied = float(torch.corrcoef(moved.T)[0, 1])
    if abs(tied) > 0.1:
        raise Wrong(_DIAGONAL if tied > 0.99 else _TIED)
    spread, right = float(moved.std()), math.sqrt(2 * diffusivity * dt)
    named = (_VARIANCE, right**2), (_NO_TWO, right / math.sqrt(2)), (_BOTH, right * math.sqrt(2))
    diagnose(spread, named, near=within(0.03, relative=True))
    if not math.isclose(spread, right, rel_tol=0.03) or abs(float(moved.mean())) > 0.02:
        raise Wrong(f"pushes should have mean 0 and deviation {right:.3f}; yours have deviation {spread:.3f}.")


def _trial(g: torch.Generator) -> Trial:
    x, dt, diffusivity = 5 * torch.randn(10_000, 2, generator=g), uniform(g, 0.1, 0.9), uniform(g, 0.2, 0.8)
    return Trial((x, dt, diffusivity), Law(x, torch.tensor(math.sqrt(2 * diffusivity * dt))))


EXERCISE = Exercise(
    id="push-the-dots",
    chapter="00_ink",
    examine=_examine,
    solution=push,
    mistakes=mistakes(_PUSHES),
    praise="right: this one line, again and again, is what the ink does.",
    trial=_trial,
)
