"""`predict-x0`: the picture that a guess of the noise stands for."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def predict_x0(x_t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    return (x_t - (1 - alpha_bar).sqrt() * eps) / alpha_bar.sqrt()


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    x0, eps = torch.randn(8, 1, 4, 4, generator=g), torch.randn(8, 1, 4, 4, generator=g)
    bar = torch.tensor(0.3)
    a, s = bar.sqrt(), (1 - bar).sqrt()
    x_t = a * x0 + s * eps
    value = answer(x_t, eps, bar)
    named = {
        "you add the noise a second time. Solve x_t = √ᾱ·x₀ + √(1 − ᾱ)·ε for x₀.": (x_t + s * eps) / a,
        "you take the noise away, but x₀ is still shrunk: divide by √ᾱ.": x_t - s * eps,
        "you divide by ᾱ instead of √ᾱ.": (x_t - s * eps) / bar,
        "you take away (1 − ᾱ)·ε. The noise in x_t has the factor √(1 − ᾱ).": (x_t - (1 - bar) * eps) / a,
        "you take away ε as it is. In x_t it stands with the factor √(1 − ᾱ).": (x_t - eps) / a,
        "you multiply by √ᾱ; to undo the shrinking, divide.": (x_t - s * eps) * a,
    }
    if same(value, x0):
        return
    diagnose(value, named.items(), "put your x₀ back into √ᾱ·x₀ + √(1 − ᾱ)·ε: it must give x_t, and does not.")


def _trial(g: torch.Generator) -> Trial:
    x_t, eps = (torch.randn(6, 1, 2, 2, generator=g) for _ in range(2))
    return Trial((x_t, eps, torch.tensor(uniform(g, 0.1, 0.9))))


EXERCISE = Exercise(
    id="predict-x0",
    chapter="06_ddpm",
    examine=_examine,
    solution=predict_x0,
    mistakes=(
        Mistake(lambda x, e, bar: (x + (1 - bar).sqrt() * e) / bar.sqrt(), "second time"),
        Mistake(lambda x, e, bar: x - (1 - bar).sqrt() * e, "still shrunk"),
        Mistake(lambda x, e, bar: (x - (1 - bar).sqrt() * e) / bar, "ᾱ instead of √ᾱ"),
        Mistake(lambda x, e, bar: (x - (1 - bar) * e) / bar.sqrt(), "take away (1 − ᾱ)·ε"),
        Mistake(lambda x, e, bar: (x - e) / bar.sqrt(), "ε as it is"),
        Mistake(lambda x, e, bar: (x - (1 - bar).sqrt() * e) * bar.sqrt(), "to undo the shrinking"),
    ),
    praise="whoever knows the noise knows the picture: the two guesses are one.",
    trial=_trial,
)
