"""`zero-terminal-snr`: a table of ᾱ changed so that it ends in noise alone."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def zero_terminal(alpha_bar: Tensor) -> Tensor:
    root = alpha_bar.sqrt()
    root = root[0] * (root - root[-1]) / (root[0] - root[-1])
    return root**2


_ZERO_MISTAKES: dict[str, Answer] = {
    "you shift ᾱ. It is √ᾱ, the share of the picture itself, that is shifted and scaled.": lambda bar: (
        bar[0] * (bar - bar[-1]) / (bar[0] - bar[-1])
    ),
    "it ends at 0, but the first entry has changed: scale so that it is what it was.": lambda bar: (
        (bar.sqrt() - bar[-1].sqrt()) ** 2
    ),
    "that is √ᾱ: square it to give ᾱ back.": lambda bar: zero_terminal(bar).sqrt(),
    "the first entry has become 1. It was ᾱ₁, with one step's noise, and stays so.": lambda bar: (
        ((bar.sqrt() - bar[-1].sqrt()) / (bar[0].sqrt() - bar[-1].sqrt())) ** 2
    ),
    "only the last entry is 0, and the one before it as far from it as ever: shift them all.": lambda bar: torch.cat(
        [bar[:-1], torch.zeros_like(bar[-1:])]
    ),
    "you scale by √ᾱ₁ and forget to divide by what is left of it after the shift.": lambda bar: (
        (bar[0].sqrt() * (bar.sqrt() - bar[-1].sqrt())) ** 2
    ),
    "you divide by 1 − √ᾱ_T. What is left of the first entry after the shift is √ᾱ₁ − √ᾱ_T.": lambda bar: (
        ((bar.sqrt() - bar[-1].sqrt()) / (1 - bar[-1].sqrt())) ** 2
    ),
    "you scale by ᾱ₁ where √ᾱ₁ belongs.": lambda bar: (
        (bar[0] * (bar.sqrt() - bar[-1].sqrt()) / (bar[0].sqrt() - bar[-1].sqrt())) ** 2
    ),
}


def _examine(answer: Answer) -> None:
    bar = torch.tensor([0.8, 0.5, 0.3, 0.1], dtype=torch.float64)
    value, right = answer(bar), zero_terminal(bar)
    if not same(value, right):
        worst = int((value.detach() - right).abs().argmax())
        diagnose(
            value,
            ((words, wrong(bar)) for words, wrong in _ZERO_MISTAKES.items()),
            f"of ᾱ = 0.8, 0.5, 0.3, 0.1 entry {worst} should become {float(right[worst]):.3f}; yours is "
            f"{float(value[worst]):.3f}. The root changes by a shift and a factor.",
        )


def _trial(generator: torch.Generator) -> Trial:
    return Trial(((1 - 0.05 - 0.4 * torch.rand(6, generator=generator, dtype=torch.float64)).cumprod(0),))


EXERCISE = Exercise(
    id="zero-terminal-snr",
    chapter="07_noise_schedules",
    examine=_examine,
    solution=zero_terminal,
    mistakes=tuple(Mistake(answer, words[:30]) for words, answer in _ZERO_MISTAKES.items()),
    praise="the last step is pure noise now, and the first as it was.",
    trial=_trial,
)
