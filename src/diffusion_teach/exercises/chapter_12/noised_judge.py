"""`noised-judge`: the loss of a discriminator that sees real and generated points through noise (Diffusion-GAN)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform

Judge = Callable[[Tensor, Tensor], Tensor]


def noised_judge(
    judge: Judge,
    real: Tensor,
    made: Tensor,
    t: Tensor,
    alpha: Tensor,
    sigma: Tensor,
    eps: Tensor,
    eps_made: Tensor,
) -> Tensor:
    """−E log σ(D(real_t, t)) − E log σ(−D(made_t, t)).

    Points are (n, d); t, alpha, sigma and the judge's logits (n,).
    """
    a, s = alpha[:, None], sigma[:, None]
    on_real = judge(a * real + s * eps, t)
    on_made = judge(a * made + s * eps_made, t)
    return softplus(-on_real).mean() + softplus(on_made).mean()


def _judge(x: Tensor, t: Tensor) -> Tensor:
    """Logits that depend on the points and on the time."""
    if x.ndim != 2 or t.shape != x.shape[:1]:
        raise Wrong(
            f"your judge is asked with points {tuple(x.shape)} and times {tuple(t.shape)}; "
            "it takes points (n, d) and a time for each, (n,)."
        )
    return 1.5 * x[:, 0] - x[:, 1:].square().sum(1) + t


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(12)
    real, made, eps, eps_made = torch.randn(4, 6, 3, generator=g)
    t = torch.linspace(0.1, 0.9, 6)
    alpha, sigma = (1 - t**2).sqrt(), t
    told = real, made, t, alpha, sigma, eps, eps_made
    value = answer(_judge, *(part.clone() for part in told))
    expected = noised_judge(_judge, *told)
    if same(value, expected):
        _far(answer, told)
        return
    a, s = alpha[:, None], sigma[:, None]
    of_real, of_made = _judge(a * real + s * eps, t), _judge(a * made + s * eps_made, t)
    named = {
        "only the real points are noised. The judge sees from the noise alone who made them.": noised_judge(
            _judge, real, (made - sigma[:, None] * eps_made) / alpha[:, None], t, alpha, sigma, eps, eps_made
        ),
        "only the generated points are noised. The judge sees from the noise alone who made them.": noised_judge(
            _judge, (real - sigma[:, None] * eps) / alpha[:, None], made, t, alpha, sigma, eps, eps_made
        ),
        "no point is noised: that is the game of 2014.": noised_judge(
            _judge, real, made, t, 1 + 0 * t, 0 * t, eps, eps
        ),
        "noise is added, and the points are not shrunk by α.": noised_judge(
            _judge, real, made, t, 1 + 0 * t, sigma, eps, eps_made
        ),
        "the judge's two labels are swapped: its logit is to be high on real points.": noised_judge(
            lambda x, s: -_judge(x, s), *told
        ),
        "both get the same noise; each has its own.": noised_judge(_judge, *told[:-1], eps),
        "that is the term of the real points alone. The judge is to be low on made ones, too.": softplus(
            -of_real
        ).mean(),
        "that is the term of the made points alone. The judge is to be high on real ones, too.": softplus(
            of_made
        ).mean(),
        "that is what the generator would like: the judge high on its points.": softplus(-of_made).mean(),
        "that is the relativistic game, with pairs; asked is the game of 2014.": softplus(of_made - of_real).mean(),
        "the points are added up; each term is a mean.": len(real) * expected,
        "that is half of it: each of the two terms is a mean of its own.": expected / 2,
        "the sign of the whole is turned: a loss is what the judge makes small.": -expected,
        "the noise comes in with a variance for its deviation.": noised_judge(
            _judge, real, made, t, alpha, sigma**2, eps, eps_made
        ),
        "the judge is not told the time.": noised_judge(lambda x, s: _judge(x, 0 * s), *told),
        "the roles of the two noises are swapped.": noised_judge(_judge, *told[:-2], eps_made, eps),
    }
    diagnose(value, named.items(), f"your loss is {float(value):.4f}; expected {float(expected):.4f}.")


def _far(answer: Answer, told: tuple[Tensor, ...]) -> None:
    """Raise `Wrong` where logits far from 0 are lost: 1 + e^v and σ(v) have no room for them."""

    def sure(x: Tensor, t: Tensor) -> Tensor:
        return 200 * _judge(x, t)

    value, expected = answer(sure, *(part.clone() for part in told)), noised_judge(sure, *told)
    if not (torch.isfinite(value).all() and same(value, expected)):
        raise Wrong(
            f"right where the judge doubts. Where it is sure, with logits 200 times as large, your loss is "
            f"{float(value):.4g} instead of {float(expected):.4g}. A probability rounds to 0 or 1 there, and e^v "
            "overflows: compute from the logit."
        )


def _trial(g: torch.Generator) -> Trial:
    real, made, eps, eps_made = torch.randn(4, 5, 3, generator=g)
    t = torch.rand(5, generator=g).mul(0.8).add(0.1)
    slope = uniform(g, 0.5, 2.0)
    return Trial((lambda x, s: slope * x.sum(1) + s, real, made, t, (1 - t**2).sqrt(), t, eps, eps_made))


EXERCISE = Exercise(
    id="noised-judge",
    chapter="12_hybrids",
    examine=_examine,
    solution=noised_judge,
    mistakes=(
        Mistake(
            lambda d, x, y, t, a, s, e, f: (
                softplus(-d(a[:, None] * x + s[:, None] * e, t)).mean() + softplus(d(y, t)).mean()
            ),
            "only the real points are noised",
        ),
        Mistake(
            lambda d, x, y, t, a, s, e, f: (
                softplus(-d(x, t)).mean() + softplus(d(a[:, None] * y + s[:, None] * f, t)).mean()
            ),
            "only the generated points are noised",
        ),
        Mistake(
            lambda d, x, y, t, a, s, e, f: softplus(-d(x, t)).mean() + softplus(d(y, t)).mean(), "no point is noised"
        ),
        Mistake(lambda d, x, y, t, a, s, e, f: noised_judge(d, x, y, t, 1 + 0 * a, s, e, f), "not shrunk"),
        Mistake(
            lambda d, x, y, t, a, s, e, f: noised_judge(lambda p, q: -d(p, q), x, y, t, a, s, e, f),
            "labels are swapped",
        ),
        Mistake(lambda d, x, y, t, a, s, e, f: noised_judge(d, x, y, t, a, s, e, e), "each has its own"),
        Mistake(lambda d, x, y, t, a, s, e, f: noised_judge(d, x, y, t, a, s, f, e), "two noises are swapped"),
        Mistake(
            lambda d, x, y, t, a, s, e, f: softplus(-d(a[:, None] * x + s[:, None] * e, t)).mean(), "real points alone"
        ),
        Mistake(
            lambda d, x, y, t, a, s, e, f: softplus(d(a[:, None] * y + s[:, None] * f, t)).mean(), "made points alone"
        ),
        Mistake(lambda d, x, y, t, a, s, e, f: softplus(-d(a[:, None] * y + s[:, None] * f, t)).mean(), "would like"),
        Mistake(
            lambda d, x, y, t, a, s, e, f: softplus(
                d(a[:, None] * y + s[:, None] * f, t) - d(a[:, None] * x + s[:, None] * e, t)
            ).mean(),
            "relativistic",
        ),
        Mistake(lambda d, x, y, t, a, s, e, f: len(x) * noised_judge(d, x, y, t, a, s, e, f), "added up"),
        Mistake(lambda d, x, y, t, a, s, e, f: noised_judge(d, x, y, t, a, s, e, f) / 2, "half of it"),
        Mistake(lambda d, x, y, t, a, s, e, f: -noised_judge(d, x, y, t, a, s, e, f), "sign of the whole"),
        Mistake(lambda d, x, y, t, a, s, e, f: noised_judge(d, x, y, t, a, s**2, e, f), "a variance for"),
        Mistake(
            lambda d, x, y, t, a, s, e, f: noised_judge(lambda p, q: d(p, 0 * q), x, y, t, a, s, e, f),
            "not told the time",
        ),
        Mistake(
            lambda d, x, y, t, a, s, e, f: (
                -(torch.sigmoid(d(a[:, None] * x + s[:, None] * e, t)) + 1e-8).log().mean()
                - (torch.sigmoid(-d(a[:, None] * y + s[:, None] * f, t)) + 1e-8).log().mean()
            ),
            "compute from the logit",
        ),
        Mistake(lambda d, x, y, t, a, s, e, f: 2 * noised_judge(d, x, y, t, a, s, e, f), "expected"),
    ),
    praise="through the same noise real and generated points overlap, at any time, so the judge always has a slope.",
    trial=_trial,
)
