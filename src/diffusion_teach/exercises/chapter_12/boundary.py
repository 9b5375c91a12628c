"""`boundary`: the jump of a consistency model, which gives back what it sees at the last noise level."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def boundary(
    x: Tensor,
    answer: Tensor,
    sigma: float,
    last: float,
    spread: float,
) -> Tensor:
    """f(x, σ) = c_skip·x + c_out·answer, x at σ = last; data deviate by `spread`."""
    ahead = sigma - last
    skip = spread**2 / (ahead**2 + spread**2)
    out = spread * ahead / (sigma**2 + spread**2) ** 0.5
    return skip * x + out * answer


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(6)
    x, said = torch.randn(2, 6, generator=g)
    sigma, last, spread = 1.3, 0.4, 0.7
    value = answer(x.clone(), said.clone(), sigma, last, spread)
    expected = boundary(x, said, sigma, last, spread)
    if same(value, expected):
        return
    ahead, total = sigma - last, (sigma**2 + spread**2) ** 0.5
    skip, out = spread**2 / (ahead**2 + spread**2), spread * ahead / total
    edm = spread**2 / (sigma**2 + spread**2)
    named = {
        "that is EDM's denoiser, which is not x at the last level. Count σ from there.": (
            edm * x + spread * sigma / total * said
        ),
        "x has the right share, but what the network says does not vanish at the last level.": (
            skip * x + spread * sigma / total * said
        ),
        "what the network says has the right share, but that of x is not 1 at the last level.": edm * x + out * said,
        "the two shares are swapped.": out * x + skip * said,
        "what the network says enters with the other sign.": skip * x - out * said,
        "you leave out x.": out * said,
        "that is for data of deviation 1; here it is another one.": boundary(x, said, sigma, last, 1.0),
        "what the network says is of deviation 1, and goes in without the data's.": skip * x + out / spread * said,
        "the deviation of the data goes in where its square should.": (
            spread / (ahead**2 + spread) * x + spread * ahead / (sigma**2 + spread) ** 0.5 * said
        ),
        "below what the network says σ counts from the last level; there it counts from 0.": (
            skip * x + spread * ahead / (ahead**2 + spread**2) ** 0.5 * said
        ),
        "what the network says is divided by a variance, not by a deviation.": (
            skip * x + spread * ahead / total**2 * said
        ),
        "that is x itself, which is right at the last level only.": x,
    }
    worst = int((value.detach().to(x) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"where x is {float(x[worst]):.3f} and the network says {float(said[worst]):.3f}, yours is "
        f"{float(value[worst]):.3f}; expected {float(expected[worst]):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    last = uniform(g, 0.01, 0.5)
    x, said = torch.randn(2, 5, 2, generator=g)
    return Trial((x, said, last + uniform(g, 0.1, 3.0), last, uniform(g, 0.3, 1.5)))


EXERCISE = Exercise(
    id="boundary",
    chapter="12_hybrids",
    examine=_examine,
    solution=boundary,
    mistakes=(
        Mistake(lambda x, a, s, e, d: boundary(x, a, s, 0.0, d), "EDM's denoiser"),
        Mistake(
            lambda x, a, s, e, d: d**2 / ((s - e) ** 2 + d**2) * x + d * s / (s**2 + d**2) ** 0.5 * a, "does not vanish"
        ),
        Mistake(lambda x, a, s, e, d: d**2 / (s**2 + d**2) * x + d * (s - e) / (s**2 + d**2) ** 0.5 * a, "is not 1"),
        Mistake(
            lambda x, a, s, e, d: d * (s - e) / (s**2 + d**2) ** 0.5 * x + d**2 / ((s - e) ** 2 + d**2) * a, "swapped"
        ),
        Mistake(lambda x, a, s, e, d: boundary(x, -a, s, e, d), "other sign"),
        Mistake(lambda x, a, s, e, d: boundary(0 * x, a, s, e, d), "leave out x"),
        Mistake(lambda x, a, s, e, d: boundary(x, a, s, e, 1.0), "another one"),
        Mistake(lambda x, a, s, e, d: boundary(x, a / d, s, e, d), "without the data's"),
        Mistake(
            lambda x, a, s, e, d: d / ((s - e) ** 2 + d) * x + d * (s - e) / (s**2 + d) ** 0.5 * a, "where its square"
        ),
        Mistake(
            lambda x, a, s, e, d: (
                boundary(x, a, s, e, d) + boundary(0 * x, a, s - e, 0.0, d) - boundary(0 * x, a, s, e, d)
            ),
            "counts from 0",
        ),
        Mistake(lambda x, a, s, e, d: boundary(x, a / (s**2 + d**2) ** 0.5, s, e, d), "by a variance"),
        Mistake(lambda x, a, s, e, d: x, "x itself"),
        Mistake(lambda x, a, s, e, d: boundary(x, a, s, e, d) / 2, "expected"),
    ),
    praise="whatever the network says, at the last level the answer is x: truth enters there, and spreads.",
    trial=_trial,
)
