"""`change-of-clothes`: a score on VE from a network that was trained on VP."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform

Network = Callable[[Tensor, Tensor], Tensor]


def score_on_ve(
    eps_on_vp: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    sigma: Tensor,
) -> Tensor:
    """The score of x (B, d) on VE at the noise sigma, a number as a tensor."""
    alpha = 1 / (1 + sigma**2).sqrt()
    return -eps_on_vp(alpha * x, alpha) / sigma


def _two_bumps(x: Tensor, alpha: Tensor) -> Tensor:
    """E[ε|x_t] of two narrow bumps at ±(1, .5) on VP, with α told."""
    centre, alpha = torch.tensor([1.0, 0.5], dtype=x.dtype), torch.as_tensor(alpha, dtype=x.dtype)
    variance = 1 - 0.9 * alpha**2  # α²·.1 + σ²
    bump = centre * torch.tanh(
        alpha * (x @ centre).unsqueeze(-1) / variance
    )  # the mean of the two, as likely as they are
    x0 = bump + 0.1 * alpha / variance * (x - alpha * bump)
    return (1 - alpha**2).sqrt() * (x - alpha * x0) / variance


def _examine(answer: Answer) -> None:
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for level in (0.7, 2.5):
        sigma = torch.tensor(level, dtype=torch.float64)
        alpha = 1 / (1 + sigma**2).sqrt()
        value, eps = answer(_two_bumps, x, sigma), _two_bumps(alpha * x, alpha)
        named = {
            "the sign is turned: the noise points away from the data, the score towards it.": eps / sigma,
            "the network is shown x as it is on VE. On VP a picture of this noise is smaller, by α.": -_two_bumps(
                x, alpha
            )
            / sigma,
            "x is divided by α. It has to shrink on its way from VE to VP.": -_two_bumps(x / alpha, alpha) / sigma,
            "you divide by σ of VP. The score that is asked for is that of VE, where the noise deviates by σ.": -eps
            / (alpha * sigma),
            "that is ε̂ with a sign: the score is that over σ.": -eps,
            "α² = 1/(1 + σ²), and you took it for α: the root is missing.": -_two_bumps(alpha**2 * x, alpha**2) / sigma,
            "you divide by σ². The score is −ε̂/σ, as ε̂ is a noise of deviation 1.": -eps / sigma**2,
        }
        expected = score_on_ve(_two_bumps, x, sigma)
        if not same(value, expected):
            worst = int((value.detach().to(x) - expected).abs().sum(1).argmax())
            told = [[round(float(v), 3) for v in part[worst]] for part in (x, value, expected)]
            diagnose(
                value,
                named.items(),
                f"at σ = {level:g} and x = {told[0]} yours is {told[1]}; the score of VE is {told[2]}.",
            )


def _trial(g: torch.Generator) -> Trial:
    tilt = torch.randn(2, 2, generator=g, dtype=torch.float64)

    def network(x: Tensor, alpha: Tensor) -> Tensor:
        return torch.sin(x @ tilt.to(x.dtype)) + torch.as_tensor(alpha, dtype=x.dtype) * x

    x = torch.randn(30, 2, generator=g, dtype=torch.float64)
    return Trial((network, x, torch.tensor(uniform(g, 0.3, 4), dtype=torch.float64)))


def _root_missing(eps: Network, x: Tensor, sigma: Tensor) -> Tensor:
    alpha = 1 / (1 + sigma**2)
    return -eps(alpha * x, alpha) / sigma


def _alpha(sigma: Tensor) -> Tensor:
    return 1 / (1 + sigma**2).sqrt()


EXERCISE = Exercise(
    id="change-of-clothes",
    chapter="08_score_sde",
    examine=_examine,
    solution=score_on_ve,
    mistakes=(
        Mistake(lambda eps, x, s: eps(_alpha(s) * x, _alpha(s)) / s, "sign is turned"),
        Mistake(lambda eps, x, s: -eps(x, _alpha(s)) / s, "as it is on VE"),
        Mistake(lambda eps, x, s: -eps(x / _alpha(s), _alpha(s)) / s, "divided by α"),
        Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)) / (_alpha(s) * s), "σ of VP"),
        Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)), "ε̂ with a sign"),
        Mistake(_root_missing, "root is missing"),
        Mistake(lambda eps, x, s: -eps(_alpha(s) * x, _alpha(s)) / s**2, "divide by σ²"),
    ),
    praise="a network of one family now answers in the other: two names, one function.",
    trial=_trial,
)
