"""The times that a walk goes through."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules import Discrete, Schedule, check_schedule

SPACINGS = ("time", "log_snr", "rho", "logistic", "trailing", "leading")
RHO = 7.0
"""EDM's ρ."""
TABLE = 1000
"""Steps of the table that "trailing" and "leading" pick from where the schedule has none."""
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
    rho: float = RHO,
) -> Tensor:
    """steps + 1 falling times from start to stop, shape (steps + 1,), float64.

    `spacing` makes them even

    - in "time";
    - in "log_snr", λ, which must be finite at both ends: with stop = 0 append the 0 yourself;
    - in "rho", the power (σ/α)^(1/ρ), for which the same holds. ρ = 7 is EDM's (Karras et al. 2022, eq. 5), ρ = 1 is
      even in σ/α, and ρ → ∞ in log-SNR;
    - "logistic": in 1/(1 + exp(−(λ − m)/w)), which is finite everywhere. The steps are short around λ = m = −2, where
      a digit's shape is decided, and longer by and by towards noise and towards data, with w the first and the second
      of `widths`;

    or picks whole steps k/T of a table, the schedule's own or one of a thousand, and then 0 (Lin et al. 2024, table 2):

    - "trailing": k = T, T − T/steps, …, rounded: "time" but for the rounding;
    - "leading": k = 1, 1 + ⌊T/steps⌋, … as many codes of DDIM do. It does not begin at noise, t = 1, but below.
    """
    check_schedule(schedule)
    widths = _checks.pair("widths", widths, above=0)
    rho = _checks.number("rho", rho, least=1)
    steps = _checks.integer("steps", steps)
    stop = _checks.number("stop", stop, least=0, below=1)
    start = _checks.number("start", start, above=stop, most=1)
    if _checks.choice("spacing", spacing, SPACINGS) == "time":
        return torch.linspace(start, stop, steps + 1, dtype=torch.float64)
    if spacing in ("trailing", "leading"):
        return _of_a_table(schedule, steps, spacing, start, stop)
    ends = torch.tensor([start, stop], dtype=torch.float64)
    first, last = schedule.log_snr(ends)
    if spacing == "logistic":
        shares = logistic_share(torch.stack([first, last]), widths)
        even = torch.logit(torch.linspace(float(shares[0]), float(shares[1]), steps + 1, dtype=torch.float64))
        below, above = widths
        log_snr = LOGISTIC_MIDDLE + torch.where(even < 0, below * even, above * even)
    elif torch.isfinite(first) and torch.isfinite(last):
        power = 1 / (2 * rho) if spacing == "rho" else 0.0
        log_snr = _even(float(first), float(last), steps, power)
    else:
        raise ValueError(
            f"the log-SNR is infinite at t = {start:g} or t = {stop:g}. Keep inside (0, 1), or use spacing='time'."
        )
    times = schedule.time_of(log_snr)
    times[0], times[-1] = start, stop
    return times


def _even(first: float, last: float, steps: int, power: float) -> Tensor:
    """Log-SNRs λ from first to last, even in e^(−power·λ), or for power = 0 in λ; less λ_first, which may be large."""
    shares = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    if power == 0:
        return first + (last - first) * shares
    return first - torch.log1p(shares * math.expm1(-power * (last - first))) / power


def _of_a_table(schedule: Schedule, steps: int, spacing: str, start: float, stop: float) -> Tensor:
    table = schedule.steps if isinstance(schedule, Discrete) else TABLE
    if (start, stop) != (1, 0):
        raise ValueError(f"spacing={spacing!r} decides its ends itself: leave out start and stop.")
    if steps > table:
        raise ValueError(f"steps must be at most {table}, the steps of the table, got {steps}.")
    order = torch.arange(steps, dtype=torch.float64)
    picked = (table - order * table / steps).round() if spacing == "trailing" else 1 + (table // steps) * order.flip(0)
    return torch.cat([picked / table, picked.new_zeros(1)])


def logistic_share(log_snr: Tensor, widths: tuple[float, float] = LOGISTIC_WIDTHS) -> Tensor:
    """The share of "logistic" steps, and of training times, below log-SNRs: 0 where all is noise, 1 where none is."""
    _checks.tensor("log_snr", log_snr, finite=False)
    below, above = _checks.pair("widths", widths, above=0)
    off = log_snr - LOGISTIC_MIDDLE
    return torch.sigmoid(torch.where(off < 0, off / below, off / above))
