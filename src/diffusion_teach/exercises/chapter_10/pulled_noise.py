"""`pulled-noise`: classifier guidance, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform

Reader = Callable[[Tensor], Tensor]


def pulled_noise(
    eps: Tensor,
    x_t: Tensor,
    label: Tensor,
    logits: Reader,
    sigma: float,
    scale: float,
) -> Tensor:
    """ε less scale·σ·∇log p(label|x_t); logits(x_t) is (B, K), label (B,)."""
    x = x_t.detach().clone().requires_grad_(True)
    log_p = logits(x).log_softmax(1)[torch.arange(len(x)), label]
    (slope,) = torch.autograd.grad(log_p.sum(), x)
    return eps - scale * sigma * slope


def _slope(x_t: Tensor, label: Tensor, logits: Reader, of: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient of a function of the logits, read at the label and summed over rows."""
    x = x_t.detach().clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(of(logits(x))[torch.arange(len(x)), label].sum(), x)
    return slope


def _log_p(logits: Tensor) -> Tensor:
    return logits.log_softmax(1)


def _reader(x: Tensor) -> Tensor:
    first, second = x[:, 0], x[:, 1]
    return torch.stack([first * second, first - second**2, torch.sin(2 * second) + 0.5 * first], 1)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    eps, x = (torch.randn(6, 2, generator=g, dtype=torch.float64) for _ in range(2))
    label, sigma, scale = torch.tensor([0, 1, 2, 2, 0, 1]), 0.6, 2.5
    value = answer(eps, x, label, _reader, sigma, scale)
    expected = pulled_noise(eps, x, label, _reader, sigma, scale)
    if same(value, expected):
        return
    slope = _slope(x, label, _reader, _log_p)
    named = {
        "you push away from the label: noise points away from the data, so the slope is subtracted.": (
            eps + scale * sigma * slope
        ),
        "σ is missing: a slope is a score, and ε = −σ·score.": eps - scale * slope,
        "that is σ², which belongs to x̂₀; the noise has the factor σ.": eps - scale * sigma**2 * slope,
        "the scale is missing.": eps - sigma * slope,
        "you take the slope of the logit. What pulls is log p(label|x_t), and the logits of the others are in it.": (
            eps - scale * sigma * _slope(x, label, _reader, lambda value: value)
        ),
        "you take the slope of the probability, not of its logarithm.": (
            eps - scale * sigma * _slope(x, label, _reader, lambda value: value.softmax(1))
        ),
        "the slope is that of the mean over the rows, smaller by the number of rows: take the sum.": (
            eps - scale * sigma * slope / len(x)
        ),
        "that is the pull alone; the noise eps itself is missing.": -scale * sigma * slope,
        "every row is pulled to the first row's label.": (
            eps - scale * sigma * _slope(x, label[:1].expand(6), _reader, _log_p)
        ),
    }
    worst = int((value.detach().to(eps) - expected).abs().amax(1).argmax())
    diagnose(
        value,
        named.items(),
        f"row {worst}, of label {int(label[worst])}: your noise is {[round(v, 3) for v in value[worst].tolist()]}; "
        f"expected {[round(v, 3) for v in expected[worst].tolist()]}.",
    )


def _trial(g: Generator) -> Trial:
    matrix = torch.randn(3, 4, generator=g, dtype=torch.float64)
    bend = uniform(g, 0.5, 1.5)

    def reader(x: Tensor) -> Tensor:
        return torch.sin(bend * x) @ matrix.to(x) + x[:, :1] ** 2 * torch.arange(4).to(x)

    eps, x = (torch.randn(7, 3, generator=g, dtype=torch.float64) for _ in range(2))
    label = torch.randint(4, (7,), generator=g)
    return Trial((eps, x, label, reader, uniform(g, 0.3, 0.9), uniform(g, 1.5, 4.0)))


EXERCISE = Exercise(
    id="pulled-noise",
    chapter="10_guidance",
    examine=_examine,
    solution=pulled_noise,
    mistakes=(
        Mistake(lambda e, x, c, f, s, k: e + k * s * _slope(x, c, f, _log_p), "away from the label"),
        Mistake(lambda e, x, c, f, s, k: e - k * _slope(x, c, f, _log_p), "σ is missing"),
        Mistake(lambda e, x, c, f, s, k: e - k * s**2 * _slope(x, c, f, _log_p), "belongs to x̂₀"),
        Mistake(lambda e, x, c, f, s, k: e - s * _slope(x, c, f, _log_p), "the scale is missing"),
        Mistake(lambda e, x, c, f, s, k: e - k * s * _slope(x, c, f, lambda v: v), "slope of the logit"),
        Mistake(lambda e, x, c, f, s, k: e - k * s * _slope(x, c, f, lambda v: v.softmax(1)), "not of its logarithm"),
        Mistake(lambda e, x, c, f, s, k: e - k * s * _slope(x, c, f, _log_p) / len(x), "take the sum"),
        Mistake(lambda e, x, c, f, s, k: -k * s * _slope(x, c, f, _log_p), "eps itself is missing"),
        Mistake(
            lambda e, x, c, f, s, k: e - k * s * _slope(x, c[:1].expand(len(x)), f, _log_p), "the first row's label"
        ),
        Mistake(lambda e, x, c, f, s, k: e - k * s * _slope(x, c, f, _log_p).sign(), "your noise is"),
    ),
    praise="a classifier that was never asked to draw, drawing.",
    trial=_trial,
)
