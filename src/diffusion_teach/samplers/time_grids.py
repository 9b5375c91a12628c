"""The times that a walk goes through."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules import Schedule, check_schedule

LOGISTIC_MIDDLE, LOGISTIC_WIDTHS = -2.0, (1.3, 2.2)
"""Where `time_grid` puts its "logistic" steps, and how far they spread towards noise and towards data: tried on digits
in [−1, 1]. As narrow on both sides, the last of fifteen steps began at λ = 1.4, where the mean of all that is possible
is a blur."""


def time_grid(
    schedule: Schedule,
    steps: int,
    *,
    start: float = 1.0,
    stop: float = 0.0,
    spacing: str = "time",
    widths: tuple[float, float] = LOGISTIC_WIDTHS,
) -> Tensor:
    """steps + 1 falling times from start to stop, shape (steps + 1,), float64.

    `spacing` makes them even

    - in "time";
    - in "log_snr", λ, which must be finite at both ends: with stop = 0 append the 0 yourself;
    - "logistic": in 1/(1 + exp(−(λ − m)/w)), which is finite everywhere. The steps are short around λ = m = −2, where
      a digit's shape is decided, and longer by and by towards noise and towards data, with w the first and the second
      of `widths`.
    """
    check_schedule(schedule)
    widths = _checks.pair("widths", widths, above=0)
    steps = _checks.integer("steps", steps)
    stop = _checks.number("stop", stop, least=0, below=1)
    start = _checks.number("start", start, above=stop, most=1)
    if _checks.choice("spacing", spacing, ("time", "log_snr", "logistic")) == "time":
        return torch.linspace(start, stop, steps + 1, dtype=torch.float64)
    first, last = schedule.log_snr(torch.tensor([start, stop], dtype=torch.float64))
    if spacing == "logistic":
        ends = logistic_share(torch.stack([first, last]), widths)
        even = torch.logit(torch.linspace(float(ends[0]), float(ends[1]), steps + 1, dtype=torch.float64))
        below, above = widths
        log_snr = LOGISTIC_MIDDLE + torch.where(even < 0, below * even, above * even)
    elif torch.isfinite(first) and torch.isfinite(last):
        log_snr = torch.linspace(float(first), float(last), steps + 1, dtype=torch.float64)
    else:
        raise ValueError(
            f"the log-SNR is infinite at t = {start:g} or t = {stop:g}. Keep inside (0, 1), or use spacing='time'."
        )
    times = schedule.time_of(log_snr)
    times[0], times[-1] = start, stop
    return times


def logistic_share(log_snr: Tensor, widths: tuple[float, float] = LOGISTIC_WIDTHS) -> Tensor:
    """The share of "logistic" steps, and of training times, below log-SNRs: 0 where all is noise, 1 where none is."""
    _checks.tensor("log_snr", log_snr, finite=False)
    below, above = _checks.pair("widths", widths, above=0)
    off = log_snr - LOGISTIC_MIDDLE
    return torch.sigmoid(torch.where(off < 0, off / below, off / above))
