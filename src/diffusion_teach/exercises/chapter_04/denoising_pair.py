"""`denoising-pair`: what a denoising score matcher is trained on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_04._shared import worst
from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def noisy_pair(
    x: Tensor,
    sigma: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """A noisy copy of x and the score target that belongs to it, both shaped like x."""
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma


def _pair_uniform(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.rand(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma


def _pair_variance(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma**2 * eps, -eps / sigma


def _pair_sign(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, eps / sigma


def _pair_undivided(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps


def _pair_displacement(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    noisy = x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return noisy, x - noisy


def _pair_clean(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator), x


def _pair_twice_divided(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma**2


def _pair_of_two_draws(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    noisy = x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return noisy, -torch.randn(x.shape, dtype=x.dtype, generator=generator) / sigma


def _pair_without_noise(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return x, -torch.randn(x.shape, dtype=x.dtype, generator=generator) / sigma


def _pair_one_eps_a_row(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(len(x), 1, dtype=x.dtype, generator=generator).expand_as(x)
    return x + sigma * eps, -eps / sigma


_PAIR_UNIFORM = (
    "the noise never points backwards: `rand` is uniform on [0, 1), the text says N(0, I), which is `randn`."
)
_PAIR_VARIANCE = "the noise has standard deviation σ². σ is a standard deviation here: multiply eps by σ."
_PAIR_SIGN = (
    "the target points away from the clean point. A score points to where the density is higher: mind the minus."
)
_PAIR_NOISE = "the target is the noise ε, up to its sign. A score is one over a length, so it must depend on σ."
_PAIR_SHIFT = "the target is the displacement between the points. A score is one over a length: check the units."
_PAIR_CLEAN = "the target is the clean point. A score is an arrow: it leads there from the noisy point."
_PAIR_SQUARE = "the target is too long by a factor 1/σ: σ² divides the displacement, which is σε and not ε."
_PAIR_OTHER = "the target knows nothing of the noise that you added: use the same eps in both."
_PAIR_NONE = "the noisy point is the clean one: nothing was added."
_PAIR_ROWS = "both coordinates get the same noise. Draw eps of the shape of x."


def _examine(answer: Answer) -> None:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(5000, 2, dtype=torch.float64, generator=generator)
    sigma = 0.4
    result = answer(x, sigma, generator)
    if not isinstance(result, tuple) or len(result) != 2:
        raise Wrong("return two tensors, the noisy point and its target: `return noisy, target`.")
    noisy, wanted = result
    same(noisy, x)
    same(wanted, x)
    noise = noisy - x
    spread = float(noise.std())
    if spread < 1e-9:
        raise Wrong(_PAIR_NONE)
    if float(noise.min()) >= 0 and float(noise.max()) <= sigma:
        raise Wrong(_PAIR_UNIFORM)
    if math.isclose(spread, sigma**2, rel_tol=0.05):
        raise Wrong(_PAIR_VARIANCE)
    if not math.isclose(spread, sigma, rel_tol=0.05) or abs(float(noise.mean())) > 0.05:
        raise Wrong(
            f"the noise should have mean 0 and standard deviation {sigma}; yours has mean {float(noise.mean()):.2f} "
            f"and standard deviation {spread:.2f}."
        )
    if abs(float(torch.corrcoef(noise.T)[0, 1])) > 0.1:
        raise Wrong(_PAIR_ROWS)
    expected = -noise / sigma**2
    named = (
        (_PAIR_SIGN, -expected),
        (_PAIR_NOISE, sigma * expected),
        (_PAIR_NOISE, -sigma * expected),
        (_PAIR_SHIFT, noise),
        (_PAIR_SHIFT, -noise),
        (_PAIR_CLEAN, x),
        (_PAIR_SQUARE, expected / sigma),
    )
    if not same(wanted, expected):
        diagnose(wanted, named)
        if abs(float(torch.corrcoef(torch.stack([wanted.flatten(), noise.flatten()]))[0, 1])) < 0.05:
            raise Wrong(_PAIR_OTHER)
        raise Wrong(f"the target is not the score of N(x, σ²I) at the noisy point: {worst(wanted, expected)}.")


def _trial(g: torch.Generator) -> Trial:
    x, sigma = 5 * torch.randn(10_000, 2, dtype=torch.float64, generator=g), uniform(g, 0.2, 1.5)

    def noisy(pair: tuple[Tensor, Tensor]) -> Tensor:
        if not same(pair[1], (x - pair[0]) / sigma**2):
            raise Wrong(f"right for σ = 0.4; for σ = {sigma:.2f} the target is not −ε/σ.")
        return pair[0]

    return Trial((x, sigma), Law(x, torch.tensor(sigma)), noisy)


EXERCISE = Exercise(
    id="denoising-pair",
    chapter="04_score_matching",
    examine=_examine,
    solution=noisy_pair,
    mistakes=(
        Mistake(_pair_uniform, _PAIR_UNIFORM),
        Mistake(_pair_variance, _PAIR_VARIANCE),
        Mistake(_pair_sign, _PAIR_SIGN),
        Mistake(_pair_undivided, _PAIR_NOISE),
        Mistake(_pair_displacement, _PAIR_SHIFT),
        Mistake(_pair_clean, _PAIR_CLEAN),
        Mistake(_pair_twice_divided, _PAIR_SQUARE),
        Mistake(_pair_of_two_draws, _PAIR_OTHER),
        Mistake(_pair_without_noise, _PAIR_NONE),
        Mistake(_pair_one_eps_a_row, _PAIR_ROWS),
    ),
    praise="right: Gaussian noise of standard deviation σ, and the arrow −ε/σ that leads back.",
    trial=_trial,
)
