"""`best-times`: the importance sampling of times that varies least, and its weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def best_times(second_moment: Tensor) -> Tensor:
    root = second_moment.sqrt()
    p = root / root.sum()
    return torch.stack([p, 1 / (len(p) * p)])


def _times(law: Callable[[Tensor], Tensor], weight: Callable[[Tensor], Tensor] | None = None) -> Answer:
    def answer(second_moment: Tensor) -> Tensor:
        p = law(second_moment)
        return torch.stack([p, 1 / (len(p) * p) if weight is None else weight(p)])

    return answer


def _normal(value: Tensor) -> Tensor:
    return value / value.sum()


def _root(second_moment: Tensor) -> Tensor:
    return _normal(second_moment.sqrt())


_P_MISTAKES: dict[str, Answer] = {
    "p is in proportion to E[h²]: you left out the root.": _times(_normal),
    "p falls where h is large. Look more often where a draw can be large.": _times(lambda m: _normal(m.rsqrt())),
    "p does not sum to one.": _times(lambda m: m.sqrt()),
    "the root is of the numerator too: p is √E[h²] over the sum of the roots.": _times(lambda m: m / m.sqrt().sum()),
    "every step is as likely: the moments do nothing.": _times(lambda m: torch.full_like(m, 1 / len(m))),
    "a softmax is no proportion: divide by the sum.": _times(lambda m: m.sqrt().softmax(0)),
}
_W_MISTAKES: dict[str, Answer] = {
    "1/p makes a sum over the steps. A mean over n steps needs 1/(n·p).": _times(_root, lambda p: 1 / p),
    "the weight is turned over: what is drawn more often counts for less.": _times(_root, lambda p: len(p) * p),
    "without a weight the mean is that of other times: what is drawn more often counts for more.": _times(
        _root, torch.ones_like
    ),
    "that is one over the number of steps, whatever was drawn. The weight undoes p: 1/(n·p).": _times(
        _root, lambda p: torch.full_like(p, 1 / len(p))
    ),
}


def _examine(answer: Answer) -> None:
    moments = torch.tensor([2.0, 4.0, 9.0, 0.25], dtype=torch.float64)
    value, right = answer(moments), best_times(moments)
    if not same(value, right):
        named = {"probabilities": _P_MISTAKES, "weights": _W_MISTAKES}
        for place, (what, mistakes) in enumerate(named.items()):
            if not same(value[place], right[place]):
                worst = int((value[place].detach() - right[place]).abs().argmax())
                diagnose(
                    value[place],
                    ((words, wrong(moments)[place]) for words, wrong in mistakes.items()),
                    f"for E[h²] = 2, 4, 9, ¼ entry {worst} of the {what} is {float(value[place, worst]):.4g}; expected "
                    f"{float(right[place, worst]):.4g}.",
                )
        raise Wrong("probabilities and weights are each nearly right, and not to four digits.")


def _trial(generator: torch.Generator) -> Trial:
    return Trial((0.1 + 5 * torch.rand(6, generator=generator, dtype=torch.float64),))


EXERCISE = Exercise(
    id="best-times",
    chapter="07_noise_schedules",
    examine=_examine,
    solution=best_times,
    mistakes=tuple(Mistake(answer, words[:30]) for words, answer in {**_P_MISTAKES, **_W_MISTAKES}.items()),
    praise="the mean stays what it was, and its estimate varies least.",
    trial=_trial,
)
