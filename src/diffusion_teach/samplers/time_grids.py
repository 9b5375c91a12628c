"""The times that a walk goes through."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules import Schedule, check_schedule

LOGISTIC_MIDDLE, LOGISTIC_WIDTH = -2.0, 1.3
"""Where `time_grid` puts its "logistic" steps: tried on digits in [−1, 1]."""


def time_grid(
    schedule: Schedule, steps: int, *, start: float = 1.0, stop: float = 0.0, spacing: str = "time"
) -> Tensor:
    """steps + 1 falling times from start to stop, shape (steps + 1,), float64.

    `spacing` makes them even

    - in "time";
    - in "log_snr", λ, which must be finite at both ends: with stop = 0 append the 0 yourself;
    - "logistic": in 1/(1 + exp(−(λ − m)/w)), which is finite everywhere. The steps are short around λ = m = −2, where
      a digit's shape is decided, within a few w = 1.3, and long where there is next to nothing or everything to see.
    """
    _checks.integer("steps", steps)
    _checks.number("stop", stop, least=0, below=1)
    _checks.number("start", start, above=stop, most=1)
    if _checks.choice("spacing", spacing, ("time", "log_snr", "logistic")) == "time":
        return torch.linspace(start, stop, steps + 1, dtype=torch.float64)
    first, last = check_schedule(schedule).log_snr(torch.tensor([start, stop], dtype=torch.float64))
    if spacing == "logistic":
        ends = torch.sigmoid((torch.stack([first, last]) - LOGISTIC_MIDDLE) / LOGISTIC_WIDTH)
        even = torch.linspace(float(ends[0]), float(ends[1]), steps + 1, dtype=torch.float64)
        log_snr = LOGISTIC_MIDDLE + LOGISTIC_WIDTH * torch.logit(even)
    elif torch.isfinite(first) and torch.isfinite(last):
        log_snr = torch.linspace(float(first), float(last), steps + 1, dtype=torch.float64)
    else:
        raise ValueError(
            f"the log-SNR is infinite at t = {start:g} or t = {stop:g}. Keep inside (0, 1), or use spacing='time'."
        )
    times = schedule.time_of(log_snr)
    times[0], times[-1] = start, stop
    return times
