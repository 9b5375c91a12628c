"""`guided-noise`: classifier-free guidance with a scale, in an interval of log-SNRs."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def guided_noise(
    eps_cond: Tensor,
    eps_none: Tensor,
    scale: float,
    log_snr: Tensor,
    low: float,
    high: float,
) -> Tensor:
    """Guided noise, of `scale` where low ≤ log_snr (B,) ≤ high, and 1 elsewhere."""
    guides = (low <= log_snr) & (log_snr <= high)
    g = torch.where(guides, scale, 1.0).to(eps_cond)
    g = g.reshape(-1, *[1] * (eps_cond.ndim - 1))
    return eps_none + g * (eps_cond - eps_none)


def _mix(cond: Tensor, none: Tensor, g: Tensor) -> Tensor:
    """What a scale g (B,) a row makes of both."""
    return none + g.to(cond).reshape(-1, *[1] * (cond.ndim - 1)) * (cond - none)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    cond, none = (torch.randn(5, 2, 3, generator=g, dtype=torch.float64) for _ in range(2))
    level = torch.tensor([-5.0, -1.0, 0.3, 2.0, 6.0], dtype=torch.float64)
    scale, low, high = 3.0, -2.0, 3.0
    value = answer(cond, none, scale, level, low, high)
    inside = (low <= level) & (level <= high)
    expected = guided_noise(cond, none, scale, level, low, high)
    if same(value, expected):
        return
    ones = torch.ones(5, dtype=torch.float64)
    named = {
        "that is the paper's w: you guide by 1 + g. With a scale of 1 nothing but the condition should be left.": (
            _mix(cond, none, torch.where(inside, 1 + scale, 1.0))
        ),
        "you guide at every noise level. Between low and high only.": _mix(cond, none, scale * ones),
        "you guide outside of the interval, and not in it.": _mix(cond, none, torch.where(inside, 1.0, scale)),
        "outside of the interval the label is lost: there the scale is 1, the honest condition, and not 0.": (
            _mix(cond, none, torch.where(inside, scale, 0.0))
        ),
        "the two are swapped: you go away from the label.": _mix(none, cond, torch.where(inside, scale, 1.0)),
        "outside of the interval there should be the noise with the label; yours is 0.": (
            expected * inside[:, None, None]
        ),
    }
    worst = int((value.detach().to(cond) - expected).abs().flatten(1).amax(1).argmax())
    place = (value.detach().to(cond) - expected).abs()[worst].flatten().argmax()
    found, wanted = (float(each[worst].flatten()[place]) for each in (value, expected))
    diagnose(
        value,
        named.items(),
        f"at a log-SNR of {float(level[worst]):g}, {'in' if inside[worst] else 'outside'} the interval from {low:g} to "
        f"{high:g}, a number is {found:.4f}; expected {wanted:.4f}.",
    )


def _trial(g: Generator) -> Trial:
    cond, none = (torch.randn(6, 3, 2, generator=g, dtype=torch.float64) for _ in range(2))
    low, high = uniform(g, -3.0, -1.0), uniform(g, 0.5, 3.0)
    level = torch.tensor([low - 1, low + 0.2, 0.0, high - 0.2, high + 0.7, high + 2], dtype=torch.float64)
    level = level[torch.randperm(6, generator=g)]
    return Trial((cond, none, uniform(g, 1.5, 6.0), level, low, high))


EXERCISE = Exercise(
    id="guided-noise",
    chapter="10_guidance",
    examine=_examine,
    solution=guided_noise,
    mistakes=(
        Mistake(
            lambda c, n, s, x, a, b: _mix(c, n, torch.where((a <= x) & (x <= b), 1 + s, 1.0)), "that is the paper's w"
        ),
        Mistake(lambda c, n, s, x, a, b: n + s * (c - n), "at every noise level"),
        Mistake(lambda c, n, s, x, a, b: _mix(c, n, torch.where((a <= x) & (x <= b), 1.0, s)), "and not in it"),
        Mistake(lambda c, n, s, x, a, b: _mix(c, n, torch.where((a <= x) & (x <= b), s, 0.0)), "the label is lost"),
        Mistake(lambda c, n, s, x, a, b: _mix(n, c, torch.where((a <= x) & (x <= b), s, 1.0)), "the two are swapped"),
        Mistake(lambda c, n, s, x, a, b: ((a <= x) & (x <= b))[:, None, None] * (n + s * (c - n)), "yours is 0"),
        Mistake(lambda c, n, s, x, a, b: _mix(c, n, torch.where(a <= x, s, 1.0)), "outside the interval from -2 to 3"),
    ),
    praise="one line, two conventions, and a part of the walk.",
    trial=_trial,
)
