"""`slice-the-trace`: vᵀ(∂ψ/∂x)v by one backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from diffusion_teach.exercises.chapter_04._shared import worst
from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def curvature(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """vᵀ(∂ψ/∂x)v at each x; x and v (B, d), the result (B,)."""
    x = x.detach().requires_grad_(True)
    along = (model(x) * v).sum()
    gradient = torch.autograd.grad(along, x)[0]
    return (gradient * v).sum(1)


def _curvature_of_one_side(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad((model(x) * v).sum(), x)[0].sum(1)


def _curvature_without_the_first_v(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    return (torch.autograd.grad(model(x).sum(), x)[0] * v).sum(1)


def _curvature_over_the_batch(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    return curvature(model, x, v).sum()


def _curvature_of_unit_v(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    return curvature(model, x, v / v.norm(dim=1, keepdim=True))


def _curvature_of_the_whole_jacobian(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    psi = model(x)
    rows = [torch.autograd.grad(psi[:, i].sum(), x, retain_graph=True)[0] for i in range(x.shape[1])]
    return torch.einsum("bi,ibj,bj->b", v, torch.stack(rows), v)


def _curvature_by_differences(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    h = 1e-4
    return ((model(x + h * v) - model(x - h * v)) / (2 * h) * v).sum(1)


_CURVATURE_FIRST = "the first v is missing: you differentiate the sum of the score, not its projection (model(x) * v)."
_CURVATURE_SIDE = "v stands on one side only. After the backward pass multiply by v again: (gradient * v).sum(1)."
_CURVATURE_BATCH = "you sum over the whole batch. Keep one number for each x: sum over the dimensions, `.sum(1)`."
_CURVATURE_UNIT = "you scale v to length one. Then E[vvᵀ] = I/d, and the trace comes out d times too small."
_CURVATURE_LOOP = "right, but too dear: you build the whole Jacobian. Of which one scalar do you need the gradient?"
_CURVATURE_DIFFERENCES = (
    "this is a difference between two points, and it misses what the model does in between. Let autograd differentiate."
)


def _examine(answer: Answer) -> None:
    generator = torch.Generator().manual_seed(4)
    jacobian = torch.randn(5, 5, dtype=torch.float64, generator=generator)
    x = torch.randn(64, 5, dtype=torch.float64, generator=generator)
    v = torch.randn(64, 5, dtype=torch.float64, generator=generator)

    frequency = 1e7  # of a ripple so low that only a derivative feels it

    def model(point: Tensor) -> Tensor:
        return point @ jacobian.T + torch.sin(point) + torch.sin(frequency * point) / frequency

    smooth = torch.einsum("bi,ij,bj->b", v, jacobian, v) + (x.cos() * v * v).sum(1)
    exact = smooth + ((frequency * x).cos() * v * v).sum(1)
    value, work = _counted(answer, model, x, v)
    if isinstance(value, Tensor) and value.ndim == 0:
        raise Wrong(_CURVATURE_BATCH)
    named = (
        (_CURVATURE_FIRST, _curvature_without_the_first_v(model, x, v)),
        (_CURVATURE_SIDE, _curvature_of_one_side(model, x, v)),
        (_CURVATURE_UNIT, _curvature_of_unit_v(model, x, v)),
    )
    if not same(value, exact):
        diagnose(value, named)
        if same(value, smooth, tolerance=0.01):
            raise Wrong(_CURVATURE_DIFFERENCES)
        raise Wrong(f"this is not vᵀ(∂ψ/∂x)v: {worst(value, exact)}.")
    if work > 4 * _counted(model, x)[1]:  # forward and backward are 2, forward mode is 3, the Jacobian d + 1
        raise Wrong(_CURVATURE_LOOP)


def _counted(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """What a function returns, and how many multiplications of matrices it took."""
    with FlopCounterMode(display=False) as operations:
        value = function(*arguments)
    return value, operations.get_total_flops()


def _trial(g: torch.Generator) -> Trial:
    weight, x, v = (torch.randn(shape, dtype=torch.float64, generator=g) for shape in ((3, 3), (11, 3), (11, 3)))
    return Trial((lambda point: (point @ weight).tanh(), x, v))


EXERCISE = Exercise(
    id="slice-the-trace",
    chapter="04_score_matching",
    examine=_examine,
    solution=curvature,
    mistakes=(
        Mistake(_curvature_without_the_first_v, _CURVATURE_FIRST),
        Mistake(_curvature_of_one_side, _CURVATURE_SIDE),
        Mistake(_curvature_over_the_batch, _CURVATURE_BATCH),
        Mistake(_curvature_of_unit_v, _CURVATURE_UNIT),
        Mistake(_curvature_of_the_whole_jacobian, _CURVATURE_LOOP),
        Mistake(_curvature_by_differences, _CURVATURE_DIFFERENCES),
    ),
    praise="right: one pull through the derivative, not one a dimension, and v on both sides of the Jacobian.",
    trial=_trial,
)
