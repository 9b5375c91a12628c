"""`spectral-norm`: the largest singular value of a matrix, by power iteration."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import normalize

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def largest_singular_value(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    """σ₁ of a matrix (o, i) by power iteration from u (o,)."""
    for _ in range(steps):
        v = torch.nn.functional.normalize(weight.T @ u, dim=0)
        u = torch.nn.functional.normalize(weight @ v, dim=0)
    return u @ weight @ v


# Singular values 3.83 and 0.78 for the first, eigenvalues 2 and 1.5, largest entry 3: no two wrong answers coincide.
_SQUARE = torch.tensor([[2.0, 3.0], [0.0, 1.5]], dtype=torch.float64)
_WIDE = torch.tensor([[3.0, 0.0, 4.0], [0.0, 1.0, 0.0]], dtype=torch.float64)  # σ = 5 and 1


def _examine(answer: Answer) -> None:
    start = torch.tensor([0.6, 0.8], dtype=torch.float64)
    value = answer(_SQUARE, start, 60)
    top = torch.linalg.svdvals(_SQUARE)[0]
    if isinstance(value, Tensor) and not (value.abs() < 1e6).all():
        raise Wrong(
            "the number explodes. Divide u and v by their length in each iteration; only their directions matter."
        )
    named = {
        "you found an eigenvalue. Without the transpose the iteration multiplies by W again and again; alternate Wᵀ "
        "and W.": torch.tensor(2.0, dtype=torch.float64),
        "you return σ², the eigenvalue of WᵀW. Take uᵀWv, or the root.": top.square(),
        "that is the Frobenius norm, the root of the sum of all σ². The spectral norm is the largest σ alone.": (
            _SQUARE.norm()
        ),
        "that is the length of one product from the first u: nothing is iterated.": (_SQUARE.T @ start).norm(),
        "that is the smallest singular value.": torch.linalg.svdvals(_SQUARE)[-1],
        "that is the largest entry of W.": _SQUARE.max(),
        "that is the length of the longest row of W.": _SQUARE.norm(dim=1).max(),
        "that is what one iteration finds. Take `steps` of them.": (largest_singular_value(_SQUARE, start, 1)),
    }
    near = functools.partial(same, tolerance=1e-5)
    if not near(value, top):
        diagnose(
            value,
            named.items(),
            f"after 60 iterations σ₁ of [[2, 3], [0, 1.5]] is {float(top):.4f}, yours is {float(value):.4f}.",
            near=near,
        )
    if not near(answer(_WIDE, start, 60), torch.tensor(5.0, dtype=torch.float64)):
        raise Wrong("right for a square matrix; of [[3, 0, 4], [0, 1, 0]] it is 5, and you find another number.")


def _without_transpose(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        v = normalize(weight @ u, dim=0)
        u = normalize(weight @ v, dim=0)
    return u @ weight @ v


def _without_normalising(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        v = weight.T @ u
        u = weight @ v
    return u @ weight @ v


def _trial(g: torch.Generator) -> Trial:
    rotation, other = (torch.linalg.qr(torch.randn(n, n, generator=g, dtype=torch.float64))[0] for n in (3, 4))
    sizes = torch.tensor([1.0, 0.4, 0.2], dtype=torch.float64) * uniform(g, 1, 9)
    u = normalize(torch.randn(3, generator=g, dtype=torch.float64), dim=0)
    return Trial((rotation @ torch.diag(sizes) @ other[:3], u, 80))


EXERCISE = Exercise(
    id="spectral-norm",
    chapter="02_gan",
    examine=_examine,
    solution=largest_singular_value,
    mistakes=(
        Mistake(_without_transpose, "an eigenvalue. Without the transpose"),
        Mistake(_without_normalising, "explodes"),
        Mistake(lambda w, u, n: largest_singular_value(w, u, n).square(), "you return σ²"),
        Mistake(lambda w, u, n: w.norm(), "Frobenius"),
        Mistake(lambda w, u, n: (w.T @ u).norm(), "nothing is iterated"),
        Mistake(lambda w, u, n: largest_singular_value(w, u, 1), "one iteration"),
        Mistake(lambda w, u, n: w.max(), "largest entry"),
        Mistake(lambda w, u, n: w.norm(dim=1).max(), "longest row"),
    ),
    praise="two products an iteration, and training needs one iteration a step, because weights change slowly.",
    trial=_trial,
)
