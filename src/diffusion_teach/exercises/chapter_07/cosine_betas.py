"""`cosine-betas`: the table of betas that belongs to the cosine schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def cosine_betas(steps: int, s: float, largest: float) -> Tensor:
    k = torch.arange(steps + 1, dtype=torch.float64)
    alpha_bar = torch.cos((k / steps + s) / (1 + s) * math.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=largest)


def _betas(
    curve: Callable[[Tensor, float], Tensor],
    *,
    times: Callable[[int], Tensor] = lambda steps: torch.arange(steps + 1, dtype=torch.float64) / steps,
    made: Callable[[Tensor], Tensor] = lambda bar: 1 - bar[1:] / bar[:-1],
    clip: Callable[[Tensor, float], Tensor] = lambda betas, largest: betas.clamp(max=largest),
) -> Answer:
    def answer(steps: int, s: float, largest: float) -> Tensor:
        return clip(made(curve(times(steps), s)), largest)

    return answer


def _bar(t: Tensor, s: float) -> Tensor:
    return torch.cos((t + s) / (1 + s) * math.pi / 2) ** 2


_NO_SQUARE = _betas(lambda t, s: _bar(t, s).clamp(min=0).sqrt())
_NO_SHIFT = _betas(lambda t, s: torch.cos(t * math.pi / 2) ** 2)
_NO_STRETCH = _betas(lambda t, s: torch.cos((t + s) * math.pi / 2) ** 2)
_WHOLE_TURN = _betas(lambda t, s: torch.cos((t + s) / (1 + s) * math.pi) ** 2)
_ONE_LATE = _betas(_bar, times=lambda steps: torch.arange(1, steps + 2, dtype=torch.float64) / steps)
_LEFT_OVER = _betas(_bar, made=lambda bar: bar[1:] / bar[:-1])
_DIFFERENCE = _betas(_bar, made=lambda bar: bar[:-1] - bar[1:])
_UNCLIPPED = _betas(_bar, clip=lambda betas, largest: betas)
_CLIPPED_BELOW = _betas(_bar, clip=lambda betas, largest: betas.clamp(min=1 - largest, max=largest))
_TURNED_OVER = _betas(_bar, made=lambda bar: 1 - bar[:-1] / bar[1:])
_NO_BRACKETS = _betas(lambda t, s: torch.cos((t + s / 1 + s) * math.pi / 2) ** 2)
_OWN_CLIP = _betas(_bar, clip=lambda betas, largest: betas.clamp(max=0.999))
_OF_ALL = _betas(_bar, made=lambda bar: 1 - bar[1:])

_COSINE_MISTAKES = {
    "you left out the square: ᾱ is cos², and α = √ᾱ is cos.": _NO_SQUARE,
    "s does nothing in your curve.": _NO_SHIFT,
    "you shift by s and do not divide by 1 + s: the curve is past its zero before t = T.": _NO_STRETCH,
    "your angle runs to π. A quarter turn, π/2, takes the cosine from 1 to 0.": _WHOLE_TURN,
    "off by one: β₁ belongs to the step from k = 0 to k = 1, so the curve is needed at 0 … T.": _ONE_LATE,
    "that is α_k, the share that a step keeps. β_k is the rest.": _LEFT_OVER,
    "β is no difference of ᾱ but a ratio: ᾱ_k = (1 − β_k)·ᾱ_{k−1}.": _DIFFERENCE,
    "the last β is not clipped: it is 1, and the step keeps nothing.": _UNCLIPPED,
    "small betas are raised: clip from above only.": _CLIPPED_BELOW,
    "the ratio is turned over: ᾱ of the step stands above, that of the one before below.": _TURNED_OVER,
    "you divide by 1 and not by 1 + s: mind the brackets.": _NO_BRACKETS,
    "`largest` does nothing: you clip at .999 whatever is asked for.": _OWN_CLIP,
    "that is 1 − ᾱ_k, the noise of all k steps. β_k is that of one: divide by ᾱ of the step before.": _OF_ALL,
}


def _examine(answer: Answer) -> None:
    given = (10, 0.1, 0.9)
    value, right = answer(*given), cosine_betas(*given)
    if not same(value, right):
        place = int((value.detach() - right).abs().argmax())
        diagnose(
            value,
            ((words, wrong(*given)) for words, wrong in _COSINE_MISTAKES.items()),
            f"of ten betas with s = 0.1 the entry {place} is off most: expected {float(right[place]):.4f}, yours is "
            f"{float(value[place]):.4f}.",
            near=_near,
        )


def _near(value: Tensor, wrong: Tensor) -> bool:
    """Alike, also where the last beta is huge."""
    return same(value[:-1], wrong[:-1]) and same(value[-1:], wrong[-1:])


def _trial(generator: torch.Generator) -> Trial:
    steps = int(torch.randint(5, 20, (), generator=generator))
    return Trial((steps, uniform(generator, 0.02, 0.2), uniform(generator, 0.6, 0.85)))


EXERCISE = Exercise(
    id="cosine-betas",
    chapter="07_noise_schedules",
    examine=_examine,
    solution=cosine_betas,
    mistakes=(
        Mistake(_NO_SQUARE, "left out the square"),
        Mistake(_NO_SHIFT, "s does nothing"),
        Mistake(_NO_STRETCH, "divide by 1 + s"),
        Mistake(_WHOLE_TURN, "runs to π"),
        Mistake(_ONE_LATE, "off by one"),
        Mistake(_LEFT_OVER, "that is α_k"),
        Mistake(_DIFFERENCE, "but a ratio"),
        Mistake(_UNCLIPPED, "not clipped"),
        Mistake(_CLIPPED_BELOW, "from above only"),
        Mistake(_OF_ALL, "noise of all k steps"),
        Mistake(_TURNED_OVER, "turned over"),
        Mistake(_NO_BRACKETS, "mind the brackets"),
        Mistake(_OWN_CLIP, "whatever is asked for"),
    ),
    praise="from the curve to the table, with one beta that has to be clipped.",
    trial=_trial,
)
