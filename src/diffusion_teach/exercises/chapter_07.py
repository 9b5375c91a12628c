"""The exercises of chapter 07."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Trial, Wrong, diagnose, same, uniform

CHAPTER = "07_noise_schedules"


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
    "that is 1 − ᾱ_k, the noise of all k steps. β_k is that of one: divide by ᾱ of the step before.": _OF_ALL,
}


def _examine_cosine(answer: Answer) -> None:
    given = (10, 0.1, 0.9)
    value, right = answer(*given), cosine_betas(*given)
    if not same(value, right):
        place = int((value.detach() - right).abs().argmax())
        diagnose(
            value,
            ((words, wrong(*given)) for words, wrong in _COSINE_MISTAKES.items()),
            f"of ten betas with s = 0.1 the entry {place} is off most: expected {float(right[place]):.4f}, yours is "
            f"{float(value[place]):.4f}.",
        )


def loss_weight(p: Tensor, q: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    d = alpha * q - sigma * p
    return (alpha / d) ** 2


_WEIGHT_MISTAKES: dict[str, Answer] = {
    "D = α·q − σ·p: yours has a plus.": lambda p, q, alpha, sigma: (alpha / (alpha * q + sigma * p)) ** 2,
    "turned over: an error of the target is D/α times that of ε, so its square has to be weighed by (α/D)².": (
        lambda p, q, alpha, sigma: ((alpha * q - sigma * p) / alpha) ** 2
    ),
    "errors are squared, and so is the factor between them.": lambda p, q, alpha, sigma: (
        alpha / (alpha * q - sigma * p)
    ).abs(),
    "that makes up for the error of x₀, which is −σ/D times the target's. Here ε counts: α/D.": (
        lambda p, q, alpha, sigma: (sigma / (alpha * q - sigma * p)) ** 2
    ),
    "1/D² is the weight of the bare prediction. The error of ε is α times as large.": lambda p, q, alpha, sigma: (
        1 / (alpha * q - sigma * p) ** 2
    ),
    "p and q have changed places: α stands with q.": lambda p, q, alpha, sigma: (alpha / (alpha * p - sigma * q)) ** 2,
    "the length of the row is not its determinant: √(p² + q²) is D for v alone.": lambda p, q, alpha, sigma: (
        alpha**2 / (p**2 + q**2)
    ),
}


def _levels(generator: torch.Generator, n: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    alpha, sigma, p, q = (0.3 + torch.rand(n, generator=generator, dtype=torch.float64) for _ in range(4))
    return -p, q, alpha, 2 * sigma


def _examine_weight(answer: Answer) -> None:
    given = _levels(torch.Generator().manual_seed(1))
    value, right = answer(*given), loss_weight(*given)
    if not same(value, right):
        diagnose(
            value,
            ((words, wrong(*given)) for words, wrong in _WEIGHT_MISTAKES.items()),
            "put an error δ into x₀ = (q·x_t − σ·y)/D and ε = (α·y − p·x_t)/D: by how much does ε move? Your weight is "
            f"{float(value.detach().flatten()[0]):.4g} where {float(right[0]):.4g} is right.",
        )


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
}


def _examine_zero(answer: Answer) -> None:
    bar = torch.tensor([0.8, 0.5, 0.3, 0.1], dtype=torch.float64)
    value, right = answer(bar), zero_terminal(bar)
    if not same(value, right):
        ends = f"from {float(value.detach().flatten()[0]):.3f} to {float(value.detach().flatten()[-1]):.3f}"
        diagnose(
            value,
            ((words, wrong(bar)) for words, wrong in _ZERO_MISTAKES.items()),
            f"ᾱ should run from 0.800 to 0, and its root change by a shift and a factor. Yours runs {ends}.",
        )


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
    "every step is as likely: the moments do nothing.": _times(lambda m: torch.full_like(m, 1 / len(m))),
    "a softmax is no proportion: divide by the sum.": _times(lambda m: m.sqrt().softmax(0)),
}
_W_MISTAKES: dict[str, Answer] = {
    "1/p makes a sum over the steps. A mean over n steps needs 1/(n·p).": _times(_root, lambda p: 1 / p),
    "the weight is turned over: what is drawn more often counts for less.": _times(_root, lambda p: len(p) * p),
    "without a weight the mean is that of other times: what is drawn more often counts for more.": _times(
        _root, torch.ones_like
    ),
}


def _examine_times(answer: Answer) -> None:
    moments = torch.tensor([1.0, 4.0, 9.0, 0.25], dtype=torch.float64)
    value, right = answer(moments), best_times(moments)
    if not same(value, right):
        named = {"probabilities": _P_MISTAKES, "weights": _W_MISTAKES}
        for place, (what, mistakes) in enumerate(named.items()):
            if not same(value[place], right[place]):
                diagnose(
                    value[place],
                    ((words, wrong(moments)[place]) for words, wrong in mistakes.items()),
                    f"for E[h²] = 1, 4, 9, ¼ the first of the {what} is {float(value[place, 0]):.4g}; expected "
                    f"{float(right[place, 0]):.4g}.",
                )
        raise Wrong("probabilities and weights are each nearly right, and not to four digits.")


def _try_times(generator: torch.Generator) -> Trial:
    return Trial((0.1 + 5 * torch.rand(6, generator=generator, dtype=torch.float64),))


def _try_cosine(generator: torch.Generator) -> Trial:
    steps = int(torch.randint(5, 20, (), generator=generator))
    return Trial((steps, uniform(generator, 0.02, 0.2), uniform(generator, 0.6, 0.85)))


def _try_zero(generator: torch.Generator) -> Trial:
    return Trial(((1 - 0.05 - 0.4 * torch.rand(6, generator=generator, dtype=torch.float64)).cumprod(0),))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "cosine-betas",
        CHAPTER,
        _examine_cosine,
        cosine_betas,
        (
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
        ),
        "from the curve to the table, with one beta that has to be clipped.",
        _try_cosine,
    ),
    Exercise(
        "loss-weight",
        CHAPTER,
        _examine_weight,
        loss_weight,
        tuple(Mistake(answer, words[:30]) for words, answer in _WEIGHT_MISTAKES.items()),
        "with this weight a network learns L_simple, whatever it is asked for.",
        lambda generator: Trial(_levels(generator)),
    ),
    Exercise(
        "zero-terminal-snr",
        CHAPTER,
        _examine_zero,
        zero_terminal,
        tuple(Mistake(answer, words[:30]) for words, answer in _ZERO_MISTAKES.items()),
        "the last step is pure noise now, and the first as it was.",
        _try_zero,
    ),
    Exercise(
        "best-times",
        CHAPTER,
        _examine_times,
        best_times,
        tuple(Mistake(answer, words[:30]) for words, answer in {**_P_MISTAKES, **_W_MISTAKES}.items()),
        "the mean stays what it was, and its estimate varies least.",
        _try_times,
    ),
)
