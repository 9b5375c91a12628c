"""`low-rank-weight`: LoRA's weight, of a matrix or of a convolution's kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def low_rank_weight(W: Tensor, A: Tensor, B: Tensor, s: float) -> Tensor:
    """W + s·B·A, shaped like W: (out, in), or a kernel (out, in, k, k).

    A kernel is read as a matrix: a row for each output, the rest in the columns.
    """
    return W + s * (B @ A).reshape(W.shape)


def _draw(g: torch.Generator, shape: tuple[int, ...], rank: int) -> tuple[Tensor, Tensor, Tensor]:
    W = torch.randn(shape, generator=g)
    rows, columns = shape[0], W[0].numel()
    return W, torch.randn(rank, columns, generator=g), torch.randn(rows, rank, generator=g)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(5)
    for shape in ((6, 6), (4, 3, 3, 3)):
        (W, A, B), s = _draw(g, shape, 2), 0.7
        value, change = answer(W, A, B, s), (B @ A).reshape(shape)
        what = "of a matrix" if len(shape) == 2 else "of a convolution"
        if len(shape) == 2 and isinstance(value, Tensor) and value.shape == (2, 2):
            raise Wrong("A·B is r × r, and mixes what must stay apart: the change is B·A, shaped like W.")
        if same(value, W + s * change):
            continue
        named = {
            "the strength s is missing.": W + change,
            "the paper divides by the rank, α/r; here s is the whole factor.": W + s / 2 * change,
            "that is the change alone: add it to W.": s * change,
            "the sign: the change is added.": W - s * change,
            "W is scaled as well: at s = 0 the network shall be the old one.": s * (W + change),
            "that goes from W to the change: W is kept whole, whatever s is.": (1 - s) * W + s * change,
        }
        if len(shape) == 2:
            named["B·A is the other way round: its transpose does not fit a matrix that is not square."] = (
                W + s * change.T
            )
        diagnose(value, named.items(), f"{what}, your weight is not W + s·B·A, shaped like W.")


def _trial(g: torch.Generator) -> Trial:
    rank = int(torch.randint(1, 4, (), generator=g))
    return Trial((*_draw(g, (5, 2, 3, 3), rank), uniform(g, -2.0, 2.0)))


EXERCISE = Exercise(
    id="low-rank-weight",
    chapter="13b_open_weights",
    examine=_examine,
    solution=low_rank_weight,
    mistakes=(
        Mistake(lambda W, A, B, s: W + (B @ A).reshape(W.shape), "strength s is missing"),
        Mistake(lambda W, A, B, s: W + s / len(A) * (B @ A).reshape(W.shape), "divides by the rank"),
        Mistake(lambda W, A, B, s: s * (B @ A).reshape(W.shape), "change alone"),
        Mistake(lambda W, A, B, s: W - s * (B @ A).reshape(W.shape), "the sign"),
        Mistake(lambda W, A, B, s: s * (W + (B @ A).reshape(W.shape)), "W is scaled"),
        Mistake(lambda W, A, B, s: torch.lerp(W, (B @ A).reshape(W.shape), s), "kept whole"),
        Mistake(lambda W, A, B, s: s * (A @ B), "A·B is r × r"),
        Mistake(lambda W, A, B, s: W + s * (B @ A).T.reshape(W.shape), "the other way round"),
    ),
    praise="r·(m + n) numbers move a matrix of m·n; at s = 0 it is the old one.",
    trial=_trial,
)
