"""`heun-step`: one step of second order, which looks twice."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform

Field = Callable[[Tensor, float], Tensor]


def heun_step(x: Tensor, sigma: float, sigma_next: float, eps: Field) -> Tensor:
    """One step of dx/dσ = eps(x, σ) from sigma to sigma_next."""
    first = eps(x, sigma)
    guess = x + (sigma_next - sigma) * first
    return x + (sigma_next - sigma) * (first + eps(guess, sigma_next)) / 2


def _bent(x: Tensor, sigma: float) -> Tensor:
    return torch.sin(2 * x) / (0.3 + sigma) + sigma**2


def _examine(answer: Answer) -> None:
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    sigma, after = 0.9, 0.4
    value = answer(x, sigma, after, _bent)
    expected = heun_step(x, sigma, after, _bent)
    if same(value, expected):
        return
    h, first = after - sigma, _bent(x, sigma)
    guess = x + h * first
    named = {
        "that is Euler's step: one look at the start. Look again where it ends, and take the mean of the two.": guess,
        "the sum of both looks lacks its half.": x + h * (first + _bent(guess, after)),
        "you take the second look alone. The mean of both is of second order.": x + h * _bent(guess, after),
        "your second look is at the old point x. It belongs to the point that the first look leads to.": (
            x + h * (first + _bent(x, after)) / 2
        ),
        "your second look is at the old σ. It belongs to σ_next.": x + h * (first + _bent(guess, sigma)) / 2,
        "you go uphill in σ: the step is σ_next − σ, which is negative.": (
            x - h * (first + _bent(x - h * first, after)) / 2
        ),
        "you begin the second half at Euler's point: both looks start from x.": (
            guess + h * (first + _bent(guess, after)) / 2
        ),
        "that is the midpoint rule, also of second order: Heun looks at both ends.": (
            x + h * _bent(x + h / 2 * first, (sigma + after) / 2)
        ),
    }
    worst = int((value.detach().to(x) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"from x = {float(x[worst]):.2f} your step ends at {float(value[worst]):.4f}; expected "
        f"{float(expected[worst]):.4f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    bend, drift = uniform(g, 1.0, 2.0), uniform(g, 0.5, 1.5)

    def field(x: Tensor, sigma: float) -> Tensor:
        return torch.cos(bend * x) * sigma + drift / (1 + sigma)

    x = torch.randn(7, 2, generator=g, dtype=torch.float64)
    return Trial((x, uniform(g, 1.0, 2.0), uniform(g, 0.2, 0.8), field))


EXERCISE = Exercise(
    id="heun-step",
    chapter="09_fast_sampling",
    examine=_examine,
    solution=heun_step,
    mistakes=(
        Mistake(lambda x, s, n, f: x + (n - s) * f(x, s), "Euler's step"),
        Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), n)), "lacks its half"),
        Mistake(lambda x, s, n, f: x + (n - s) * f(x + (n - s) * f(x, s), n), "second look alone"),
        Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x, n)) / 2, "old point x"),
        Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), s)) / 2, "old σ"),
        Mistake(lambda x, s, n, f: x + (s - n) * (f(x, s) + f(x + (s - n) * f(x, s), n)) / 2, "uphill"),
        Mistake(
            lambda x, s, n, f: x + (n - s) * f(x, s) + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), n)) / 2,
            "both looks start from x",
        ),
        Mistake(lambda x, s, n, f: x + (n - s) * f(x + (n - s) / 2 * f(x, s), (s + n) / 2), "midpoint rule"),
    ),
    praise="two looks a step, and the error falls with the square of the step.",
    trial=_trial,
)
