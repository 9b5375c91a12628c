"""`look-ahead`: the extrapolated x̂₀ of DPM-Solver++ (2M)."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def look_ahead(
    x0: Tensor,
    x0_before: Tensor,
    before: float,
    now: float,
    then: float,
) -> Tensor:
    """x̂₀ in the middle of the step; the times are log-SNRs, before < now < then."""
    slope = (x0 - x0_before) / (now - before)
    return x0 + slope * (then - now) / 2


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(4)
    x0, x0_before = torch.randn(6, generator=g), torch.randn(6, generator=g)
    before, now, then = -1.5, -0.3, 1.7
    value = answer(x0, x0_before, before, now, then)
    change, h, h_before = x0 - x0_before, then - now, now - before
    named = {
        "you look ahead to the end of the step. 2M takes the answer in its middle.": x0 + change * h / h_before,
        "you look back: the change goes on in the direction in which it went.": x0 - change * h / (2 * h_before),
        "you add half of the last change, as if both steps were equally long.": x0 + change / 2,
        "the ratio of the two steps is turned over: a longer step ahead takes more of the change.": (
            x0 + change * h_before / (2 * h)
        ),
        "your line starts at the older answer. It goes through both, and on from x̂₀ of now.": (
            x0_before + change * h / (2 * h_before)
        ),
        "that is the mean of the two answers, which lies behind you.": (x0 + x0_before) / 2,
        "that is the answer of now, which is DDIM: go on along the line, to the middle of the step.": x0,
        "the two answers are swapped: the line goes from the older one to that of now, and on.": (
            x0_before - change * h / (2 * h_before)
        ),
    }
    expected = look_ahead(x0, x0_before, before, now, then)
    if same(value, expected):
        return
    worst = int((value.detach().to(x0) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"where the answers are {float(x0_before[worst]):.3f} and then {float(x0[worst]):.3f}, yours is "
        f"{float(value[worst]):.3f}; expected {float(expected[worst]):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    before = uniform(g, -4.0, -2.0)
    now = before + uniform(g, 0.3, 2.0)
    x0, x0_before = (torch.randn(5, 2, generator=g) for _ in range(2))
    return Trial((x0, x0_before, before, now, now + uniform(g, 0.3, 2.0)))


EXERCISE = Exercise(
    id="look-ahead",
    chapter="09_fast_sampling",
    examine=_examine,
    solution=look_ahead,
    mistakes=(
        Mistake(lambda a, b, p, n, t: a + (a - b) * (t - n) / (n - p), "to the end"),
        Mistake(lambda a, b, p, n, t: a - (a - b) * (t - n) / (2 * (n - p)), "you look back"),
        Mistake(lambda a, b, p, n, t: a + (a - b) / 2, "equally long"),
        Mistake(lambda a, b, p, n, t: a + (a - b) * (n - p) / (2 * (t - n)), "turned over"),
        Mistake(lambda a, b, p, n, t: b + (a - b) * (t - n) / (2 * (n - p)), "older answer"),
        Mistake(lambda a, b, p, n, t: (a + b) / 2, "behind you"),
        Mistake(lambda a, b, p, n, t: a, "which is DDIM"),
        Mistake(lambda a, b, p, n, t: look_ahead(b, a, p, n, t), "are swapped"),
        Mistake(lambda a, b, p, n, t: a + (a - b) * (t - n) / (n - p) / 3, "expected"),
    ),
    praise="an answer that was paid for before makes this step one of second order, for nothing.",
    trial=_trial,
)
