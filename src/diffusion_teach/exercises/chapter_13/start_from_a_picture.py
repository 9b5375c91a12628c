"""`start-from-a-picture`: image to image begins in the middle of the walk."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def start_from_a_picture(
    z0: Tensor,
    eps: Tensor,
    alpha: Tensor,
    sigma: Tensor,
    strength: float,
) -> Tensor:
    """z_t where the walk begins: of N steps the last strength·N, rounded, are left.

    alpha and sigma (N + 1,) are those of the times, from noise (0) to data (N).
    """
    steps = len(alpha) - 1
    at = steps - round(float(strength) * steps)
    return alpha[at] * z0 + sigma[at] * eps


def _grid(steps: int = 10) -> tuple[Tensor, Tensor]:
    angle = torch.linspace(1.5, 0.05, steps + 1, dtype=torch.float64)
    return angle.cos(), angle.sin()


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(4)
    z0, eps = torch.randn(2, 3, 2, 2, 2, generator=g, dtype=torch.float64)
    alpha, sigma = _grid()
    value, expected = answer(z0, eps, alpha, sigma, 0.3), start_from_a_picture(z0, eps, alpha, sigma, 0.3)
    if same(value, expected):
        return
    named = {
        "that is place 3 of 10, where seven steps are left: strength is how much is walked anew.": alpha[3] * z0
        + sigma[3] * eps,
        "the picture is not scaled by α.": z0 + sigma[7] * eps,
        "you blend picture and noise by the strength; the schedule says how much of each there is.": 0.7 * z0
        + 0.3 * eps,
        "α and σ are swapped.": sigma[7] * z0 + alpha[7] * eps,
        "there is no noise in it: the network would take that for a finished picture.": alpha[7] * z0,
        "there is no picture in it: that is how one begins without any.": sigma[7] * eps,
        "that is a step too noisy: place N − k, and not one before.": alpha[6] * z0 + sigma[6] * eps,
        "that is a step too late: place N − k, and not one after.": alpha[8] * z0 + sigma[8] * eps,
    }
    first, wanted = float(value.flatten()[0]), float(expected.flatten()[0])
    diagnose(value, named.items(), f"the first number should be {wanted:.4f}; yours is {first:.4f}.")


def _trial(g: torch.Generator) -> Trial:
    z0, eps = torch.randn(2, 3, 2, 4, generator=g)
    alpha, sigma = (part.float() for part in _grid(int(torch.randint(8, 30, (), generator=g))))
    return Trial((z0, eps, alpha, sigma, uniform(g, 0.1, 0.95)))


def _at(place: int) -> Answer:
    return lambda z, e, a, s, w: a[place] * z + s[place] * e


EXERCISE = Exercise(
    id="start-from-a-picture",
    chapter="13_latent_diffusion",
    examine=_examine,
    solution=start_from_a_picture,
    mistakes=(
        Mistake(_at(3), "seven steps are left"),
        Mistake(lambda z, e, a, s, w: z + s[7] * e, "not scaled by α"),
        Mistake(lambda z, e, a, s, w: (1 - w) * z + w * e, "blend picture and noise"),
        Mistake(lambda z, e, a, s, w: s[7] * z + a[7] * e, "α and σ are swapped"),
        Mistake(lambda z, e, a, s, w: a[7] * z, "no noise in it"),
        Mistake(lambda z, e, a, s, w: s[7] * e, "no picture in it"),
        Mistake(_at(6), "a step too noisy"),
        Mistake(_at(8), "a step too late"),
    ),
    praise="the picture decides what the noise leaves of it, and the caption the rest.",
    trial=_trial,
)
