"""`reverse-sde-step`: one step back by the reverse SDE, the probability flow, or what lies between."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform

SHAPE = (20_000, 2)


def reverse_step(
    x: Tensor,
    score: Tensor,
    f: float,
    g2: float,
    h: float,
    k: float,
    generator: torch.Generator,
) -> Tensor:
    """x at t − h from x at t; score like x, and f, g2 (that is g²), h, k numbers."""
    drift = f * x - 0.5 * (1 + k**2) * g2 * score
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x - h * drift + k * (g2 * h) ** 0.5 * z


def _reverse(
    x_share: Callable[[float, float], float],
    pull: Callable[[float, float, float], float],
    kick: Callable[[float, float, float], float],
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    """An answer x_share(f, h)·x + pull(g², h, k)·score + kick(g², h, k)·z."""

    def answer(x: Tensor, score: Tensor, f: float, g2: float, h: float, k: float, generator: torch.Generator) -> Tensor:
        z = draw(x.shape, dtype=x.dtype, generator=generator)
        return x_share(f, h) * x + pull(g2, h, k) * score + kick(g2, h, k) * z

    return answer


def _share(f: float, h: float) -> float:
    return 1 - f * h


def _pull(g2: float, h: float, k: float) -> float:
    return 0.5 * (1 + k**2) * g2 * h


def _kick(g2: float, h: float, k: float) -> float:
    return k * (g2 * h) ** 0.5


def _uniform_noise(shape: torch.Size, *, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, dtype=dtype, generator=generator)


def _centred_noise(shape: torch.Size, *, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    return 12**0.5 * (torch.rand(shape, dtype=dtype, generator=generator) - 0.5)


F, G2, H, K = -1.5, 4.0, 0.1, 0.6
_all_near = within(0.009, 0.009, 0.009)


def _step_mistakes(k: float) -> dict[str, tuple[float, float, float]]:
    """The shares of x and of the score, and the deviation of the noise, that each known mistake gives."""
    x, s, z = _share(F, H), _pull(G2, H, k), _kick(G2, H, k)
    return {
        "the drift f·x is added. Time runs back: x_s = x_t − (drift)·h.": (1 + F * H, s, z),
        "you follow the score downhill: the drift has −½(1 + k²)g²·score, and the step subtracts the drift.": (
            x,
            -s,
            z,
        ),
        "the whole drift has the wrong sign: that is a step forward in time. The step back subtracts it.": (
            1 + F * H,
            -s,
            z,
        ),
        "the score has the factor g², as for k = 1. For other k it is ½(1 + k²)·g².": (x, G2 * H, z),
        "the score has the factor ½g², as for k = 0. With noise it has to pull harder: ½(1 + k²)·g².": (
            x,
            0.5 * G2 * H,
            z,
        ),
        "½ is missing: the score has the factor ½(1 + k²)·g².": (x, (1 + k**2) * G2 * H, z),
        "h is missing from the pull of the score: all of the drift is multiplied by h.": (x, s / H, z),
        "that is Langevin's noise, √(2h). Brownian motion moves by √h: √(g²·h).": (x, s, z * 2**0.5),
        "the pull has k·g² where ½(1 + k²)·g² belongs.": (x, k * G2 * H, z),
        "(1 + k)² or (1 + k) stands where 1 + k² belongs: variances add, deviations do not.": (
            x,
            0.5 * (1 + k) * G2 * H,
            z,
        ),
        "the noise grows with h. A draw of Brownian motion over a time h deviates by √h.": (x, s, k * G2**0.5 * H),
        "the noise is scaled by its variance k²g²h. A draw is scaled by the deviation.": (x, s, k**2 * G2 * H),
        "the noise has g² where g belongs: √(g²·h).": (x, s, k * G2 * H**0.5),
        "the noise is g·√h·z whatever k is: it should be k·g·√h·z.": (x, s, _kick(G2, H, 1.0)),
        "there is no noise in your step.": (x, s, 0.0),
    }


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    x, score = torch.randn(SHAPE, generator=g), 3 * torch.randn(SHAPE, generator=g)
    for k in (K, 1.0, 0.0):
        value = answer(x, score, F, G2, H, k, torch.Generator().manual_seed(2))
        same(value, x)  # a tensor of the right shape, and finite
        columns = torch.stack([x.flatten(), score.flatten()], dim=1)
        flat = value.detach().to(x).flatten().unsqueeze(1)
        shares = torch.linalg.lstsq(columns, flat).solution
        noise = flat - columns @ shares
        found = (float(shares[0]), float(shares[1]), float(noise.std()))
        right = (_share(F, H), _pull(G2, H, k), _kick(G2, H, k))
        if abs(float(noise.mean())) > 0.02:
            raise Wrong("your noise has a mean beside 0: use `randn`, and not `rand`.")
        if float(noise.std()) > 0.02 and float((noise / noise.std()).pow(4).mean()) < 2.5:  # 3 for a Gaussian
            raise Wrong("your noise is no Gaussian's: use `randn`.")
        if not _all_near(found, right):
            diagnose(
                found,
                _step_mistakes(k).items() if k == K else (),
                f"at k = {k:g} your step holds {found[0]:.3f} of x, {found[1]:.3f} of the score, and noise that "
                f"deviates by {found[2]:.3f}; one of the three is not what the equation says.",
                near=_all_near,
            )


def _trial(g: torch.Generator) -> Trial:
    f, g2, h, k = uniform(g, -3, 0), uniform(g, 0.5, 4), uniform(g, 0.01, 0.1), uniform(g, 0.3, 2)
    x, score = (30 * torch.randn(10_000, 2, generator=g) for _ in range(2))
    mean = x - h * (f * x - 0.5 * (1 + k**2) * g2 * score)
    return Trial((x, score, f, g2, h, k), Law(mean, torch.full(mean.shape, k * (g2 * h) ** 0.5)))


EXERCISE = Exercise(
    id="reverse-sde-step",
    chapter="08_score_sde",
    examine=_examine,
    solution=reverse_step,
    mistakes=(
        Mistake(_reverse(lambda f, h: 1 + f * h, _pull, _kick), "f·x is added"),
        Mistake(_reverse(_share, lambda *a: -_pull(*a), _kick), "downhill"),
        Mistake(_reverse(lambda f, h: 1 + f * h, lambda *a: -_pull(*a), _kick), "whole drift"),
        Mistake(_reverse(_share, lambda g2, h, k: g2 * h, _kick), "as for k = 1"),
        Mistake(_reverse(_share, lambda g2, h, k: 0.5 * g2 * h, _kick), "as for k = 0"),
        Mistake(_reverse(_share, lambda g2, h, k: 0.5 * (1 + k) * g2 * h, _kick), "where 1 + k² belongs"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: k * g2**0.5 * h), "grows with h"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: k**2 * g2 * h), "by its variance"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: k * g2 * h**0.5), "g² where g belongs"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: (g2 * h) ** 0.5), "whatever k is"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: 0.0), "no noise"),
        Mistake(_reverse(_share, _pull, _kick, _uniform_noise), "a mean beside 0"),
        Mistake(_reverse(_share, _pull, _kick, _centred_noise), "no Gaussian's"),
        Mistake(_reverse(_share, lambda g2, h, k: (1 + k**2) * g2 * h, _kick), "½ is missing"),
        Mistake(_reverse(_share, lambda g2, h, k: 0.5 * (1 + k**2) * g2, _kick), "h is missing"),
        Mistake(_reverse(_share, lambda g2, h, k: k * g2 * h, _kick), "k·g² where"),
        Mistake(_reverse(_share, _pull, lambda g2, h, k: k * (2 * g2 * h) ** 0.5), "Langevin's noise"),
    ),
    praise="one line holds Anderson's walk, the probability flow, and all between.",
    trial=_trial,
)
