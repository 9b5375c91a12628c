"""`best-gaussian`: the variance of the Gaussian that is nearest to a law with several humps."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def best_variance(weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """The variances (n,) of mixtures: weights and means (n, K), variances (K,)."""
    mean = (weights * means).sum(1, keepdim=True)
    return (weights * (variances + (means - mean) ** 2)).sum(1)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(3)
    weights = torch.rand(4, 3, generator=g).add(0.1)
    weights = weights / weights.sum(1, keepdim=True)
    means, variances = 2 * torch.randn(4, 3, generator=g) + 0.5, torch.tensor([0.2, 0.7, 1.5])
    value = answer(weights.clone(), means.clone(), variances.clone())
    expected = best_variance(weights, means, variances)
    if same(value, expected):
        return
    within, squares = (weights * variances).sum(1), (weights * means**2).sum(1)
    alike, mean = torch.full_like(weights, 1 / 3), (weights * means).sum(1)
    middle = means.mean(1, keepdim=True)
    named = {
        "that is how wide the humps are. They also lie apart.": within,
        "that is how far the humps lie apart. They also have a width of their own.": squares - mean**2,
        "that is the mean square, from 0. A variance is counted from the mean.": within + squares,
        "all humps count alike in yours; each has its weight.": best_variance(alike, means, variances),
        "the humps' widths add up to their sum in yours; they count by their weights.": (
            variances.sum() + squares - mean**2
        ),
        "you count from the plain mean of the means; the law's own mean weighs them.": within
        + (weights * (means - middle) ** 2).sum(1),
        "the widths weigh alike in yours; each has its hump's weight.": variances.mean() + squares - mean**2,
        "you average the humps' deviations and square; variances are what adds up.": (
            (weights * variances.sqrt()).sum(1) ** 2 + squares - mean**2
        ),
        "that is a deviation; a variance is asked for.": expected.sqrt(),
    }
    worst = int((value.detach().to(expected) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"for weights {[round(float(w), 3) for w in weights[worst]]} and means "
        f"{[round(float(m), 3) for m in means[worst]]} yours is {float(value[worst]):.4f}; "
        f"expected {float(expected[worst]):.4f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    weights = torch.rand(5, 4, generator=g).add(0.1)
    means, variances = torch.randn(5, 4, generator=g), torch.rand(4, generator=g).add(0.1)
    return Trial((weights / weights.sum(1, keepdim=True), means, variances))


EXERCISE = Exercise(
    id="best-gaussian",
    chapter="12_hybrids",
    examine=_examine,
    solution=best_variance,
    mistakes=(
        Mistake(lambda w, m, v: (w * v).sum(1), "They also lie apart"),
        Mistake(lambda w, m, v: best_variance(w, m, 0 * v), "a width of their own"),
        Mistake(lambda w, m, v: (w * (v + m**2)).sum(1), "from the mean"),
        Mistake(lambda w, m, v: best_variance(torch.full_like(w, 1 / w.shape[1]), m, v), "all humps count alike"),
        Mistake(lambda w, m, v: v.sum() + best_variance(w, m, 0 * v), "by their weights"),
        Mistake(lambda w, m, v: (w * (v + (m - m.mean(1, keepdim=True)) ** 2)).sum(1), "plain mean of the means"),
        Mistake(lambda w, m, v: v.mean() + best_variance(w, m, 0 * v), "widths weigh alike"),
        Mistake(lambda w, m, v: (w * v.sqrt()).sum(1) ** 2 + best_variance(w, m, 0 * v), "variances are what adds up"),
        Mistake(lambda w, m, v: best_variance(w, m, v).sqrt(), "a variance is asked for"),
        Mistake(lambda w, m, v: 2 * best_variance(w, m, v), "expected"),
    ),
    praise="within and between: where the humps lie apart, it is wide, and most of it is where nothing is.",
    trial=_trial,
)
