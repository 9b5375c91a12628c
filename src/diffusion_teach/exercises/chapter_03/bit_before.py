"""`bit-before`: the posterior of a bit one step before, by Bayes' rule."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def bit_before(x_0: Tensor, x_t: Tensor, beta: float, kept_before: float) -> Tensor:
    """q(x_{t−1} = 1|x_t, x_0) of bits: beta is β_t, and kept_before is ᾱ_{t−1}."""
    prior = kept_before * x_0 + (1 - kept_before) / 2  # q(x_{t−1} = 1|x_0)
    forward = (1 - beta) * x_t + beta / 2  # q(x_t|x_{t−1} = 1)
    one, zero = prior * forward, (1 - prior) * (1 - forward)
    return one / (one + zero)


def _examine(answer: Answer) -> None:
    x_0, x_t = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    beta, before = 0.3, 0.6
    value = answer(x_0, x_t, beta, before)
    right = bit_before(x_0, x_t, beta, before)
    if same(value, right):
        return
    prior, forward = before * x_0 + (1 - before) / 2, (1 - beta) * x_t + beta / 2
    now = (1 - beta) * before * x_0 + (1 - (1 - beta) * before) / 2
    flips = (1 - beta) * x_t + beta * (1 - x_t)
    named = {
        "you have q(x_{t−1}|x_0), the prior. What x_t says is missing: multiply by q(x_t|x_{t−1}).": prior,
        "you have what x_t says alone. What x_0 says is missing: multiply by q(x_{t−1}|x_0).": forward,
        "the product is right, but it is not a probability yet: divide by the sum over both values of x_{t−1}.": (
            prior * forward
        ),
        "the weight of x_{t−1} = 0 lacks the forward factor, 1 − q(x_t|x_{t−1} = 1).": (
            prior * forward / (prior * forward + 1 - prior)
        ),
        "that is the probability of x_{t−1} = 0. Asked is that of 1.": 1 - right,
        "your prior is that of step t. The bit before has seen one step less: ᾱ_{t−1}, as given.": (
            now * forward / (now * forward + (1 - now) * (1 - forward))
        ),
        "you average the two rates. Evidence multiplies: Bayes' rule.": (prior + forward) / 2,
        "your step flips a bit with probability β. It replaces it with a coin, which agrees half of the time.": (
            prior * flips / (prior * flips + (1 - prior) * (1 - flips))
        ),
        "β_t and ᾱ_{t−1} are exchanged: one is what a step forgets, the other what all steps before it keep.": (
            bit_before(x_0, x_t, before, beta)
        ),
    }
    worst = int((value - right).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"for β = {beta}, ᾱ = {before}, x_0 = {x_0[worst]:g} and x_t = {x_t[worst]:g} the rate is "
        f"{float(right[worst]):.3f}; yours is {float(value[worst]):.3f}.",
    )


def _odds(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> tuple[Tensor, Tensor]:
    return before * x_0 + (1 - before) / 2, (1 - beta) * x_t + beta / 2


def _without_zero_factor(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> Tensor:
    prior, forward = _odds(x_0, x_t, beta, before)
    return prior * forward / (prior * forward + 1 - prior)


def _with_flips(x_0: Tensor, x_t: Tensor, beta: float, before: float) -> Tensor:
    prior, forward = _odds(x_0, x_t, beta, before)[0], (1 - beta) * x_t + beta * (1 - x_t)
    return prior * forward / (prior * forward + (1 - prior) * (1 - forward))


def _trial(g: torch.Generator) -> Trial:
    x_0, x_t = ((torch.rand(12, generator=g) < 0.5).float() for _ in range(2))
    return Trial((x_0, x_t, uniform(g, 0.1, 0.7), uniform(g, 0.2, 0.9)))


EXERCISE = Exercise(
    id="bit-before",
    chapter="03_nonequilibrium",
    examine=_examine,
    solution=bit_before,
    mistakes=(
        Mistake(lambda x_0, x_t, b, k: _odds(x_0, x_t, b, k)[0], "the prior"),
        Mistake(lambda x_0, x_t, b, k: _odds(x_0, x_t, b, k)[1], "what x_t says alone"),
        Mistake(lambda x_0, x_t, b, k: math.prod(_odds(x_0, x_t, b, k), start=torch.ones(4)), "not a probability"),
        Mistake(_without_zero_factor, "lacks the forward factor"),
        Mistake(lambda x_0, x_t, b, k: 1 - bit_before(x_0, x_t, b, k), "probability of x_{t−1} = 0"),
        Mistake(lambda x_0, x_t, b, k: bit_before(x_0, x_t, b, (1 - b) * k), "that of step t"),
        Mistake(lambda x_0, x_t, b, k: sum(_odds(x_0, x_t, b, k), torch.zeros(4)) / 2, "Evidence multiplies"),
        Mistake(_with_flips, "flips a bit with probability β"),
        Mistake(lambda x_0, x_t, b, k: bit_before(x_0, x_t, k, b), "are exchanged: one is"),
    ),
    praise="this posterior is all that the bound compares the network with.",
    trial=_trial,
)
