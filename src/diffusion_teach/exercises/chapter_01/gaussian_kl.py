"""`gaussian-kl`: the divergence of a Gaussian from the prior, in closed form."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)) of each row: (B, J) and (B, J) in, (B,) out."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


Term = Callable[[Tensor, Tensor], Tensor]
_KL_MISTAKES: dict[str, Term] = {
    "the factor ½ is missing.": lambda m, v: (m**2 + v.exp() - 1 - v).sum(1),
    "the sign is turned: a divergence is never negative. The paper's formula is that of −KL.": (
        lambda m, v: -0.5 * (m**2 + v.exp() - 1 - v).sum(1)
    ),
    "you read the logarithm of the variance as that of the deviation: exp(2·log_variance) is σ⁴.": (
        lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 1 - 2 * v).sum(1)
    ),
    "you take the deviation exp(log_variance/2) where the formula has the variance.": (
        lambda m, v: 0.5 * (m**2 + (v / 2).exp() - 1 - v).sum(1)
    ),
    "the variance is its own logarithm in your sum: take exp(log_variance).": (
        lambda m, v: 0.5 * (m**2 + v - 1 - v).sum(1)
    ),
    "you average over the latents. The divergences of independent latents add up.": (
        lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).mean(1)
    ),
    "the −1 is missing: at mean 0 and variance 1 the divergence is 0.": lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1),
    "you add log σ². It is subtracted: a narrow q costs more.": lambda m, v: 0.5 * (m**2 + v.exp() - 1 + v).sum(1),
    "you subtract 1 once. Each latent has a −1 of its own: it stands inside the sum.": (
        lambda m, v: 0.5 * ((m**2 + v.exp() - v).sum(1) - 1)
    ),
    "that is KL(N(0, I) ‖ q), the divergence the other way round.": (
        lambda m, v: 0.5 * ((m**2 + 1) / v.exp() - 1 + v).sum(1)
    ),
    "the mean is not squared: a mean of −1 costs as much as one of 1.": lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(1),
    "the mean plays no part: a q far from 0 costs nothing in your sum.": lambda m, v: 0.5 * (v.exp() - 1 - v).sum(1),
}


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    mean, log_variance = torch.randn(2, 6, 5, generator=g, dtype=torch.float64)
    value = answer(mean, log_variance)
    expected = gaussian_kl(mean, log_variance)
    if isinstance(value, Tensor) and value.shape == ():
        if same(value, expected.sum()) or same(value, expected.mean()):
            raise Wrong("you reduce over the batch too. The answer has one number for each row, (B,).")
        raise Wrong("you return one number. The answer has one for each row, (B,): sum over the latents, dim=1, alone.")
    if same(value, expected):
        return
    row = int((value - expected).abs().argmax())
    diagnose(
        value,
        ((diagnosis, wrong(mean, log_variance)) for diagnosis, wrong in _KL_MISTAKES.items()),
        f"the divergence of row {row} should be {float(expected[row]):.4f}, yours is {float(value[row]):.4f}. Try one "
        "latent: with mean 0 and variance 1 it is 0, with mean 1 and variance 1 it is ½.",
    )


def _trial(g: torch.Generator) -> Trial:
    return Trial((torch.randn(7, 3, generator=g), torch.randn(7, 3, generator=g)))


EXERCISE = Exercise(
    id="gaussian-kl",
    chapter="01_vae",
    examine=_examine,
    solution=gaussian_kl,
    mistakes=(
        *(Mistake(wrong, diagnosis) for diagnosis, wrong in _KL_MISTAKES.items()),
        Mistake(lambda m, v: gaussian_kl(m, v).mean(), "over the batch too"),
    ),
    praise="it is zero where q is the prior, and each latent pays for itself.",
    trial=_trial,
)
