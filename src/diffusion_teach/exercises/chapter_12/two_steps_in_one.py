"""`two-steps-in-one`: what a student of progressive distillation is asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def two_steps_in_one(
    x_t: Tensor,
    x_s: Tensor,
    alpha_t: float,
    sigma_t: float,
    alpha_s: float,
    sigma_s: float,
) -> Tensor:
    """The x₀ by which one DDIM step leads from x_t to x_s."""
    ratio = sigma_s / sigma_t
    return (x_s - ratio * x_t) / (alpha_s - ratio * alpha_t)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(9)
    x_t, x_s = torch.randn(2, 6, generator=g)
    alpha_t, sigma_t, alpha_s, sigma_s = 0.3, 0.9, 0.8, 0.5
    value = answer(x_t.clone(), x_s.clone(), alpha_t, sigma_t, alpha_s, sigma_s)
    expected = two_steps_in_one(x_t, x_s, alpha_t, sigma_t, alpha_s, sigma_s)
    if same(value, expected):
        return
    ratio = sigma_s / sigma_t
    noise = two_steps_in_one(x_t, x_s, sigma_t, alpha_t, sigma_s, alpha_s)
    named = {
        "the ratio of the deviations is turned over: the noise that is left is σ_s of the σ_t that there was.": (
            (x_s - x_t / ratio) / (alpha_s - alpha_t / ratio)
        ),
        "you divide by α_s. A share of the data is in x_t, too, and goes away with the noise.": (
            (x_s - ratio * x_t) / alpha_s
        ),
        "that is the data part of the step, not yet x₀: it still has its factor.": x_s - ratio * x_t,
        "that takes all of x_s for data: its noise is left in.": x_s / alpha_s,
        "that is the noise the step believes in. Solve for the data.": noise,
        "both signs have turned: what x_t brings along is taken off, above as below.": (
            (x_s + ratio * x_t) / (alpha_s + ratio * alpha_t)
        ),
        "the sign below has turned: x_t brings data along, too, and they are taken off.": (
            (x_s - ratio * x_t) / (alpha_s + ratio * alpha_t)
        ),
        "that is where the step ends, x_s itself; asked is for the answer that leads there.": x_s,
        "the two ends are swapped.": two_steps_in_one(x_s, x_t, alpha_t, sigma_t, alpha_s, sigma_s),
    }
    worst = int((value.detach().to(x_t) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"from {float(x_t[worst]):.3f} to {float(x_s[worst]):.3f} you ask for {float(value[worst]):.3f}; "
        f"expected {float(expected[worst]):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    x_t, x_s = torch.randn(2, 5, 2, generator=g)
    alpha_t, alpha_s = uniform(g, 0.1, 0.4), uniform(g, 0.6, 0.95)
    return Trial((x_t, x_s, alpha_t, (1 - alpha_t**2) ** 0.5, alpha_s, (1 - alpha_s**2) ** 0.5))


EXERCISE = Exercise(
    id="two-steps-in-one",
    chapter="12_hybrids",
    examine=_examine,
    solution=two_steps_in_one,
    mistakes=(
        Mistake(lambda x, y, a, s, b, r: (y - s / r * x) / (b - s / r * a), "turned over"),
        Mistake(lambda x, y, a, s, b, r: (y - r / s * x) / b, "divide by"),
        Mistake(lambda x, y, a, s, b, r: y - r / s * x, "its factor"),
        Mistake(lambda x, y, a, s, b, r: y / b, "left in"),
        Mistake(lambda x, y, a, s, b, r: two_steps_in_one(x, y, s, a, r, b), "the noise the step believes in"),
        Mistake(lambda x, y, a, s, b, r: (y + r / s * x) / (b + r / s * a), "above as below"),
        Mistake(lambda x, y, a, s, b, r: (y - r / s * x) / (b + r / s * a), "the sign below"),
        Mistake(lambda x, y, a, s, b, r: y, "x_s itself"),
        Mistake(lambda x, y, a, s, b, r: two_steps_in_one(y, x, a, s, b, r), "swapped"),
        Mistake(lambda x, y, a, s, b, r: 2 * two_steps_in_one(x, y, a, s, b, r), "expected"),
    ),
    praise="one step of the student now ends where two of its teacher's do; do it again, and the steps halve again.",
    trial=_trial,
)
