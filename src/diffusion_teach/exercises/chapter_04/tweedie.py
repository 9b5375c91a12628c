"""`tweedie`: from the score to the denoised point."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exercises.chapter_04._shared import worst
from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def denoise(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    """E[x₀ | x] for x = x₀ + σε, from the score of x; all shaped (B, d)."""
    return x + sigma**2 * score


def _tweedie_one_sigma(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + sigma * score


def _tweedie_downhill(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x - sigma**2 * score


def _tweedie_step_only(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return sigma**2 * score


def _tweedie_half_a_step(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + sigma**2 / 2 * score


def _tweedie_without_sigma(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + score


_TWEEDIE_SIGMA = "the step is σ·score, and that is no length: a score is one over a length. Check the units."
_TWEEDIE_HALF = "the step has half its length. A factor ½ belongs to Langevin's walk, which adds noise as well."
_TWEEDIE_BARE = (
    "the step is the bare score: the noise level must matter. The noisier the point, the farther it lies off."
)
_TWEEDIE_DOWNHILL = "the step goes downhill, away from the data. The score points to where the density is higher."
_TWEEDIE_STEP = "this is the step alone. The denoised point is where the step ends: add it to x."


def _examine(answer: Answer) -> None:
    mixture = GaussianMixture(
        torch.tensor([0.4, 0.6]), torch.tensor([[-1.0, 0.0], [1.0, 0.5]]), torch.tensor([0.1, 0.2])
    )
    sigma = 0.6
    x = torch.randn(200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    given = x, sigma, mixture.score(x, 1.0, sigma)
    value = answer(*given)
    named = (
        (_TWEEDIE_SIGMA, _tweedie_one_sigma(*given)),
        (_TWEEDIE_DOWNHILL, _tweedie_downhill(*given)),
        (_TWEEDIE_STEP, _tweedie_step_only(*given)),
        (_TWEEDIE_HALF, _tweedie_half_a_step(*given)),
        (_TWEEDIE_BARE, _tweedie_without_sigma(*given)),
    )
    expected = mixture.posterior_mean(x, 1.0, sigma)
    if not same(value, expected):
        diagnose(value, named, f"this is not E[x₀ | x]: {worst(value, expected)}.")


def _trial(g: torch.Generator) -> Trial:
    return Trial((torch.randn(9, 2, generator=g), uniform(g, 0.2, 2), torch.randn(9, 2, generator=g)))


EXERCISE = Exercise(
    id="tweedie",
    chapter="04_score_matching",
    examine=_examine,
    solution=denoise,
    mistakes=(
        Mistake(_tweedie_one_sigma, _TWEEDIE_SIGMA),
        Mistake(_tweedie_downhill, _TWEEDIE_DOWNHILL),
        Mistake(_tweedie_step_only, _TWEEDIE_STEP),
        Mistake(_tweedie_half_a_step, _TWEEDIE_HALF),
        Mistake(_tweedie_without_sigma, _TWEEDIE_BARE),
    ),
    praise="right: a step of σ² along the score ends at the mean of the clean points.",
    trial=_trial,
)
