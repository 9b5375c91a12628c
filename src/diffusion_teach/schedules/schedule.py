r"""What a noise schedule is: the pair α(t), σ(t) of the line x_t = α(t)·x₀ + σ(t)·ε.

Time runs from data, t = 0, to noise, t = 1. A schedule states log α and log σ (σ near t = 0 as √(1 − α²) would lose all
its digits in float32); everything else follows from the two:

    log-SNR       λ(t) = 2 (log α − log σ)
    the SDE       dx = f(t)·x dt + g(t) dw,   f = d log α/dt,   g² = dσ²/dt − 2f·σ² = −σ²·dλ/dt
    its prior     x₁ ~ N(0, σ(1)²·I), as α(1)·x₀ is small beside it

(Kingma et al. 2021, eqs. 2–3; Song et al. 2021, section 3.4.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks


def check_time(t: Tensor, name: str = "t") -> Tensor:
    """Check that times lie in [0, 1], data to noise."""
    _checks.tensor(_checks.instance("name", name, str, "a text"), t)
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(
            f"{name} must lie in [0, 1], 0 being data and 1 noise; got values from {float(t.min()):g} to "
            f"{float(t.max()):g}. A step number k of T is the time k / T."
        )
    return t


def _rates(t: Tensor, *functions: Callable[[Tensor], Tensor]) -> tuple[Tensor, ...]:
    """d function/dt of each, elementwise; zero where one does not depend on time. In `torch.inference_mode` too."""
    with torch.inference_mode(False), torch.enable_grad():
        time = t.detach().clone().requires_grad_(True)
        values = [function(time) for function in functions]
        return tuple(
            torch.autograd.grad(value.sum(), time)[0] if value.requires_grad else torch.zeros_like(time)
            for value in values
        )


class Schedule(ABC):
    """α(t) and σ(t), of which every other quantity is made. A new schedule states `log_alpha` and `log_sigma`."""

    @abstractmethod
    def log_alpha(self, t: Tensor) -> Tensor:
        """log α(t); any shape gives the same shape. May be −∞ at t = 1."""

    @abstractmethod
    def log_sigma(self, t: Tensor) -> Tensor:
        """log σ(t); any shape gives the same shape. May be −∞ at t = 0."""

    # α, σ and σ² again: their logarithms have no slope where they are 0, and they themselves may have one.

    def _alpha(self, t: Tensor) -> Tensor:
        return self.log_alpha(t).exp()

    def _sigma(self, t: Tensor) -> Tensor:
        return self.log_sigma(t).exp()

    def _variance(self, t: Tensor) -> Tensor:
        return self._sigma(t).square()

    def alpha(self, t: Tensor) -> Tensor:
        """The share of the data, α(t)."""
        return self._alpha(check_time(t))

    def sigma(self, t: Tensor) -> Tensor:
        """The standard deviation of the noise, σ(t)."""
        return self._sigma(check_time(t))

    def log_snr(self, t: Tensor) -> Tensor:
        """λ(t) = log(α²/σ²), falling in t; +∞ where σ = 0, −∞ where α = 0."""
        check_time(t)
        return 2 * (self.log_alpha(t) - self.log_sigma(t))

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(dα/dt, dσ/dt) by automatic differentiation.

        Raises:
            ValueError: where they are infinite, as dσ/dt is at t = 0 where σ grows like √t.
        """
        alpha_dot, sigma_dot = _rates(check_time(t), self._alpha, self._sigma)
        self._must_be_finite("rates of change", t, alpha_dot, sigma_dot)
        return alpha_dot, sigma_dot

    def f(self, t: Tensor) -> Tensor:
        """The drift coefficient f(t) = d log α/dt of the SDE.

        Raises:
            ValueError: where it is infinite, as at α = 0.
        """
        (drift,) = _rates(check_time(t), self.log_alpha)
        self._must_be_finite("f", t, drift)
        return drift

    def g2(self, t: Tensor) -> Tensor:
        """The squared diffusion coefficient g²(t) = dσ²/dt − 2f·σ² of the SDE.

        Raises:
            ValueError: where it is infinite, as at α = 0.
        """
        variance_dot, f = _rates(check_time(t), self._variance, self.log_alpha)
        diffusion = variance_dot - 2 * f * self._variance(t)
        self._must_be_finite("g²", t, diffusion)
        return diffusion

    def _must_be_finite(self, what: str, t: Tensor, *values: Tensor) -> None:
        if not all(bool(torch.isfinite(value).all()) for value in values):
            raise ValueError(
                f"{type(self).__name__} has no finite {what} at some t in {float(t.min()):g} … {float(t.max()):g}. "
                "Keep away from the ends, for instance t = 1e-3 … 1 − 1e-3."
            )

    def time_of(self, log_snr: Tensor) -> Tensor:
        """The time t with λ(t) = log_snr, by bisection; values out of range, ±∞ too, give the nearer end."""
        _checks.tensor("log_snr", log_snr, finite=False)
        if log_snr.isnan().any():
            raise ValueError("log_snr must be numbers, got NaN among them.")
        low, high = torch.zeros_like(log_snr), torch.ones_like(log_snr)
        for _ in range(60 if log_snr.dtype == torch.float64 else 30):
            middle = (low + high) / 2
            too_clean = self.log_snr(middle) > log_snr
            low, high = torch.where(too_clean, middle, low), torch.where(too_clean, high, middle)
        return (low + high) / 2


def check_schedule(value: object) -> Schedule:
    """Check that a schedule is one, and not its class or its name."""
    return _checks.instance("schedule", value, Schedule, "a Schedule", "Make one, as in VP().")
