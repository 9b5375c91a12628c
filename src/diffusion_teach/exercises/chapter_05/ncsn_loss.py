"""`ncsn-loss`: the denoising loss of one noise level, with its weight."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_05._shared import Score
from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def ncsn_loss(model: Score, x: Tensor, sigma: float, eps: Tensor) -> Tensor:
    """σ²·½‖s − target‖² at x + σε; x, eps (B, d). A sum over d, a mean over B."""
    target = -eps / sigma
    error = model(x + sigma * eps, sigma) - target
    return sigma**2 * 0.5 * error.square().sum(1).mean()


def _examine(answer: Answer) -> None:
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


def _trial(g: torch.Generator) -> Trial:
    weight, x, eps = (torch.randn(shape, dtype=torch.float64, generator=g) for shape in ((3, 3), (12, 3), (12, 3)))
    return Trial((lambda x, sigma: (x @ weight).tanh() / sigma, x, uniform(g, 0.2, 2), eps))


EXERCISE = Exercise(
    id="ncsn-loss",
    chapter="05_ncsn",
    examine=_examine,
    solution=ncsn_loss,
    mistakes=(
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
    praise="this is the error of the noise, ½‖ε − ε̂‖² with ε̂ = −σ·s: remember it for the next chapter.",
    trial=_trial,
)
