"""`fit-a-gaussian`: Hyvärinen's closed form for one parameter."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def fit_theta(x: Tensor) -> Tensor:
    """θ of p ∝ exp(θx²) from data x (B,)."""
    first = 2 * x  # ψ = θ·F′ with F = x², so F′ = 2x and F″ = 2
    return -2 / (first * first).mean()


def _theta_wrong_sign(x: Tensor) -> Tensor:
    return 2 / (4 * x * x).mean()


def _theta_of_the_feature(x: Tensor) -> Tensor:
    return -2 / (x * x).mean()


def _theta_without_the_half(x: Tensor) -> Tensor:
    return -1 / (x * x).mean()


def _theta_about_the_mean(x: Tensor) -> Tensor:
    return -1 / (2 * x.var())


def _theta_is_the_variance(x: Tensor) -> Tensor:
    return x.var()


def _theta_of_a_sum(x: Tensor) -> Tensor:
    return -2 / (4 * x * x).sum()


_THETA_SIGN = "θ is positive, so exp(θx²) grows without bound. The minimum of ½aθ² + bθ is at −b/a: mind the minus."
_THETA_FEATURE = "four times too large: ψ is θ·F′, so the square under the mean is that of F′ = 2x, not of x."
_THETA_TWICE = "twice too large: the 2 of F″ and the 4 of F′² do not cancel."
_THETA_MEAN = "you subtracted the mean. This model has none, its peak is at 0: use x.square().mean()."
_THETA_VARIANCE = (
    "this is the spread of the data, a mean square. θ multiplies x²: it is negative, and near 0 for a wide Gaussian."
)
_THETA_SUM = "too small by the number of the data: an expectation is a mean, not a sum."


def _examine(answer: Answer) -> None:
    # A mean that is not 0 tells the second moment from the variance.
    x = 0.1 + 0.7 * torch.randn(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    expected = -1 / (2 * x.square().mean())
    value = torch.as_tensor(answer(x)).to(expected)
    if same(value, expected):
        return
    if same(value, -1 / (2 * x.var()), tolerance=1e-3):
        raise Wrong(_THETA_MEAN)
    if same(value, -expected, tolerance=0.05):
        raise Wrong(_THETA_SIGN)
    if same(value, 2 * expected, tolerance=0.05):
        raise Wrong(_THETA_TWICE)
    if same(value, 4 * expected):
        raise Wrong(_THETA_FEATURE)
    if same(value * len(x), expected, tolerance=0.05):
        raise Wrong(_THETA_SUM)
    if same(value, x.var(), tolerance=0.01) or same(value, x.square().mean()):
        raise Wrong(_THETA_VARIANCE)
    raise Wrong(f"on data of standard deviation {x.std():.2f} the answer is {expected:.5g}, yours is {value:.5g}.")


def _trial(g: torch.Generator) -> Trial:
    return Trial((0.3 + uniform(g, 0.5, 2) * torch.randn(50, dtype=torch.float64, generator=g),))


EXERCISE = Exercise(
    id="fit-a-gaussian",
    chapter="04_score_matching",
    examine=_examine,
    solution=fit_theta,
    mistakes=(
        Mistake(_theta_wrong_sign, _THETA_SIGN),
        Mistake(_theta_of_the_feature, _THETA_FEATURE),
        Mistake(_theta_without_the_half, _THETA_TWICE),
        Mistake(_theta_about_the_mean, _THETA_MEAN),
        Mistake(_theta_is_the_variance, _THETA_VARIANCE),
        Mistake(_theta_of_a_sum, _THETA_SUM),
    ),
    praise="right: θ = −1/(2E[x²]), a Gaussian fitted without its normalising constant.",
    trial=_trial,
)
