"""`loss-weight`: the weight that makes L_simple of any target's squared error."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def loss_weight(p: Tensor, q: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    d = alpha * q - sigma * p
    return (alpha / d) ** 2


_WEIGHT_MISTAKES: dict[str, Answer] = {
    "D = α·q − σ·p: yours has a plus.": lambda p, q, alpha, sigma: (alpha / (alpha * q + sigma * p)) ** 2,
    "turned over: an error of the target is D/α times that of ε, so its square has to be weighed by (α/D)².": (
        lambda p, q, alpha, sigma: ((alpha * q - sigma * p) / alpha) ** 2
    ),
    "errors are squared, and so is the factor between them.": lambda p, q, alpha, sigma: (
        alpha / (alpha * q - sigma * p)
    ).abs(),
    "that makes up for the error of x₀, which is −σ/D times the target's. Here ε counts: α/D.": (
        lambda p, q, alpha, sigma: (sigma / (alpha * q - sigma * p)) ** 2
    ),
    "1/D² is the weight of the bare prediction. The error of ε is α times as large.": lambda p, q, alpha, sigma: (
        1 / (alpha * q - sigma * p) ** 2
    ),
    "that is D² itself. The error of ε is α/D times that of the target: weigh by (α/D)².": lambda p, q, alpha, sigma: (
        (alpha * q - sigma * p) ** 2
    ),
    "you multiply by D where you should divide: (α/D)².": lambda p, q, alpha, sigma: (
        (alpha * (alpha * q - sigma * p)) ** 2
    ),
    "p counts, too: D is α·q − σ·p, not α·q.": lambda p, q, alpha, sigma: 1 / q**2,
    "p and q have changed places: α stands with q.": lambda p, q, alpha, sigma: (alpha / (alpha * p - sigma * q)) ** 2,
    "the length of the row is not its determinant: √(p² + q²) is D for v alone.": lambda p, q, alpha, sigma: (
        alpha**2 / (p**2 + q**2)
    ),
}


def _levels(generator: torch.Generator, n: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    alpha, sigma, p, q = (0.3 + torch.rand(n, generator=generator, dtype=torch.float64) for _ in range(4))
    return -p, q, alpha, 2 * sigma


def _examine(answer: Answer) -> None:
    given = _levels(torch.Generator().manual_seed(1))
    value, right = answer(*given), loss_weight(*given)
    if not same(value, right):
        diagnose(
            value,
            ((words, wrong(*given)) for words, wrong in _WEIGHT_MISTAKES.items()),
            "put an error δ into x₀ = (q·x_t − σ·y)/D and ε = (α·y − p·x_t)/D: by how much does ε move? Your weight is "
            f"{float(value.detach().flatten()[0]):.4g} where {float(right[0]):.4g} is right.",
        )


EXERCISE = Exercise(
    id="loss-weight",
    chapter="07_noise_schedules",
    examine=_examine,
    solution=loss_weight,
    mistakes=tuple(Mistake(answer, words[:30]) for words, answer in _WEIGHT_MISTAKES.items()),
    praise="with this weight a network learns L_simple, whatever it is asked for.",
    trial=lambda generator: Trial(_levels(generator)),
)
