"""Schedules made of other ones: a part of one, and one whose log-SNR is shifted."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.schedules.schedule import Schedule, check_schedule


class Cut(Schedule):
    """The part of a schedule between two log-SNRs, walked at its own pace: λ(0) = most, λ(1) = least.

    At t = 0 there is a little noise, and at t = 1 a little data.

    Args:
        schedule: the whole.
        most, least: λ at the two ends, within what the whole reaches.
    """

    def __init__(self, schedule: Schedule, most: float = 10.0, least: float = -10.0) -> None:
        self.schedule = check_schedule(schedule)
        self.least = _checks.number("least", least)
        self.most = _checks.number("most", most, above=self.least)
        ends = torch.tensor([self.most, self.least], dtype=torch.float64)
        reached = schedule.log_snr(torch.tensor([0.0, 1.0], dtype=torch.float64))
        if ends[0] > reached[0] or ends[1] < reached[1]:
            raise ValueError(
                f"most and least must lie within the log-SNRs that the schedule reaches, {float(reached[1]):g} to "
                f"{float(reached[0]):g}; got {self.least:g} to {self.most:g}."
            )
        self.first, self.last = (float(time) for time in schedule.time_of(ends))

    def _time(self, t: Tensor) -> Tensor:
        """The time of the whole."""
        return self.first + t * (self.last - self.first)

    def log_alpha(self, t: Tensor) -> Tensor:
        return self.schedule.log_alpha(self._time(t))

    def log_sigma(self, t: Tensor) -> Tensor:
        return self.schedule.log_sigma(self._time(t))

    def _alpha(self, t: Tensor) -> Tensor:
        return self.schedule._alpha(self._time(t))

    def _sigma(self, t: Tensor) -> Tensor:
        return self.schedule._sigma(self._time(t))

    def _variance(self, t: Tensor) -> Tensor:
        return self.schedule._variance(self._time(t))


class Shifted(Schedule):
    """A schedule with another log-SNR, λ(t) + shift, and α² + σ² = 1 (Hoogeboom et al. 2023, section 3.1).

    A negative shift is more noise at every time, see `resolution_shift`.
    """

    def __init__(self, schedule: Schedule, shift: float) -> None:
        self.schedule = check_schedule(schedule)
        self.shift = _checks.number("shift", shift, least=-40, most=40)

    # α'² = α²/N² and σ'² = e^(−shift)·σ²/N² with N² = α² + e^(−shift)·σ²: no difference, and no end that is infinite.
    def _norm2(self, t: Tensor) -> Tensor:
        return self.schedule._alpha(t).square() + math.exp(-self.shift) * self.schedule._variance(t)

    def log_alpha(self, t: Tensor) -> Tensor:
        return self.schedule.log_alpha(t) - 0.5 * torch.log(self._norm2(t))

    def log_sigma(self, t: Tensor) -> Tensor:
        return self.schedule.log_sigma(t) - self.shift / 2 - 0.5 * torch.log(self._norm2(t))

    def _alpha(self, t: Tensor) -> Tensor:
        return self.schedule._alpha(t) / self._norm2(t).sqrt()

    def _sigma(self, t: Tensor) -> Tensor:
        return math.exp(-self.shift / 2) * self.schedule._sigma(t) / self._norm2(t).sqrt()

    def _variance(self, t: Tensor) -> Tensor:
        return math.exp(-self.shift) * self.schedule._variance(t) / self._norm2(t)


def resolution_shift(side: int, base: int = 64) -> float:
    """2·log(base/side): the shift of log-SNR with which images of `side` pixels lose their coarse parts as fast as
    those of `base` pixels do (Hoogeboom et al. 2023, section 3.1).

    The mean of k × k pixels of noise has a k-th of their deviation: it takes k times the noise to hide what it shows.
    """
    return 2 * math.log(_checks.integer("base", base) / _checks.integer("side", side))
