r"""Noise schedules: the pair α(t), σ(t) of the line x_t = α(t)·x₀ + σ(t)·ε.

Time runs from data, t = 0, to noise, t = 1. A schedule states log α and log σ (σ near t = 0 as √(1 − α²) would lose all
its digits in float32); everything else follows from the two:

    log-SNR       λ(t) = 2 (log α − log σ)
    the SDE       dx = f(t)·x dt + g(t) dw,   f = d log α/dt,   g² = dσ²/dt − 2f·σ² = −σ²·dλ/dt
    its prior     x₁ ~ N(0, σ(1)²·I), as α(1)·x₀ is small beside it

(Kingma et al. 2021, eqs. 2–3; Song et al. 2021, section 3.4.)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from diffusion_teach import _checks, devices


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


def _rest(log_alpha: Tensor) -> Tensor:
    """1 − α², exact to the last digit where it is small, too."""
    return -torch.expm1(2 * log_alpha)


class VP(Schedule):
    """Variance preserving, α² + σ² = 1, with β(t) rising linearly (Song et al. 2021, eq. 32–33).

    log α = −β_min·t/2 − (β_max − β_min)·t²/4.
    """

    def __init__(self, beta_min: float = 0.1, beta_max: float = 20.0) -> None:
        self.beta_min = _checks.number("beta_min", beta_min, above=0)
        self.beta_max = _checks.number("beta_max", beta_max, least=self.beta_min)

    def log_alpha(self, t: Tensor) -> Tensor:
        return -t * (self.beta_min / 2 + (self.beta_max - self.beta_min) * t / 4)

    def log_sigma(self, t: Tensor) -> Tensor:
        return 0.5 * torch.log(_rest(self.log_alpha(t)))

    def _variance(self, t: Tensor) -> Tensor:
        return _rest(self.log_alpha(t))


class SubVP(VP):
    """The sub-VP path: α of VP with the smaller noise σ = 1 − α² (Song et al. 2021, eq. 29)."""

    def log_sigma(self, t: Tensor) -> Tensor:
        return 2 * super().log_sigma(t)

    def _sigma(self, t: Tensor) -> Tensor:
        return _rest(self.log_alpha(t))

    def _variance(self, t: Tensor) -> Tensor:
        return self._sigma(t).square()


class VE(Schedule):
    """Variance exploding, α = 1, with noise growing geometrically (Song et al. 2021, eqs. 29–31; SMLD, NCSN).

    σ(t)² = σ_min²·((σ_max/σ_min)^(2t) − 1): the transition of the VE SDE started on clean data, so σ(0) = 0.
    """

    def __init__(self, sigma_min: float = 0.01, sigma_max: float = 50.0) -> None:
        self.sigma_min = _checks.number("sigma_min", sigma_min, above=0)
        self.sigma_max = _checks.number("sigma_max", sigma_max, above=self.sigma_min)

    def log_alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def log_sigma(self, t: Tensor) -> Tensor:
        return math.log(self.sigma_min) + 0.5 * torch.log(self._growth(t))

    def _growth(self, t: Tensor) -> Tensor:
        return torch.expm1(2 * math.log(self.sigma_max / self.sigma_min) * t)

    def _variance(self, t: Tensor) -> Tensor:
        return self.sigma_min**2 * self._growth(t)


class Cosine(Schedule):
    """The cosine schedule in continuous time, α = cos(π/2·(t + s)/(1 + s)) / cos(π/2·s/(1 + s)), α² + σ² = 1.

    (Nichol & Dhariwal 2021, eq. 17; there with betas clipped at 0.999, see `cosine_betas`.)
    """

    def __init__(self, s: float = 0.008) -> None:
        self.s = _checks.number("s", s, least=0)

    # With a = π/2/(1 + s), α = sin(a(1 − t))/sin(a), and 1 − α² = sin(at)·sin(a(2s + t))/sin²(a): both ends stay exact.
    def _alpha(self, t: Tensor) -> Tensor:
        a = math.pi / 2 / (1 + self.s)
        return torch.sin(a * (1 - t)) / math.sin(a)

    def log_alpha(self, t: Tensor) -> Tensor:
        return torch.log(self._alpha(t))

    def log_sigma(self, t: Tensor) -> Tensor:
        return 0.5 * torch.log(self._variance(t))

    def _variance(self, t: Tensor) -> Tensor:
        a = math.pi / 2 / (1 + self.s)
        return torch.sin(a * (2 * self.s + t)) * torch.sin(a * t) / math.sin(a) ** 2


class FlowMatching(Schedule):
    """The straight path of flow matching, α = 1 − t, σ = t (Lipman et al. 2023; Liu et al. 2023)."""

    def log_alpha(self, t: Tensor) -> Tensor:
        return torch.log1p(-t)

    def log_sigma(self, t: Tensor) -> Tensor:
        return torch.log(t)

    def _alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def _sigma(self, t: Tensor) -> Tensor:
        return t


class Discrete(Schedule):
    """A table of betas, as DDPM has it: ᾱ_k = Π_{i≤k} (1 − β_i), ᾱ₀ = 1, at the times t = k/T, k = 0 … T.

    Between the table's times log α is interpolated linearly, which is the exact VP path with β constant within a step.

    Args:
        betas: (T,) variances β₁ … β_T of the single steps, each in (0, 1).
    """

    def __init__(self, betas: Tensor) -> None:
        _checks.tensor("betas", betas, ("steps",))
        if not ((betas > 0) & (betas < 1)).all():
            raise ValueError(
                f"betas must lie strictly between 0 and 1, got values from {float(betas.min()):g} to "
                f"{float(betas.max()):g}."
            )
        self.betas = betas.double()
        log_alpha_bar = torch.log1p(-self.betas).cumsum(0)
        self._log_alpha = 0.5 * torch.cat([torch.zeros(1, dtype=torch.float64), log_alpha_bar])

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return len(self.betas)

    def _interpolated(self, t: Tensor) -> Tensor:
        """log α(t) in the device's widest precision, float64 but on Apple's GPUs.

        A float32 k/T must find entry k itself: snap what lies within its rounding.
        """
        wide = devices.widest(t.device)
        table = self._log_alpha.to(wide).to(t.device)
        position = t.to(wide) * self.steps
        snap = (position.round() - position).detach()
        position = position + torch.where(snap.abs() <= self.steps * torch.finfo(t.dtype).eps, snap, 0.0)
        below = position.detach().floor().clamp(max=self.steps - 1).long()
        return table[below] + (position - below) * (table[below + 1] - table[below])

    def log_alpha(self, t: Tensor) -> Tensor:
        return self._interpolated(t).to(t.dtype)

    def log_sigma(self, t: Tensor) -> Tensor:
        return (0.5 * torch.log(_rest(self._interpolated(t)))).to(t.dtype)

    def _variance(self, t: Tensor) -> Tensor:
        return _rest(self._interpolated(t)).to(t.dtype)


def linear_betas(steps: int = 1000) -> Tensor:
    """DDPM's betas, rising linearly from 1e-4 to 0.02 at T = 1000 (Ho et al. 2020), scaled by 1000/T for other T.

    Raises:
        ValueError: for T ≤ 20, where the scaled betas reach 1.
    """
    steps = _checks.integer("steps", steps)
    scale = 1000 / steps
    if 0.02 * scale >= 1:
        raise ValueError(
            f"linear betas scaled to {steps} steps reach {0.02 * scale:g}, but must stay below 1: use at least 21 "
            "steps, or cosine_betas."
        )
    return torch.linspace(1e-4 * scale, 0.02 * scale, steps, dtype=torch.float64)


def cosine_betas(steps: int = 1000, s: float = 0.008, largest: float = 0.999) -> Tensor:
    """β_k = 1 − ᾱ_k/ᾱ_{k−1} of the cosine schedule, clipped at 0.999 (Nichol & Dhariwal 2021, section 3.2)."""
    steps = _checks.integer("steps", steps)
    largest = _checks.number("largest", largest, above=0, below=1)
    log_alpha = Cosine(s).log_alpha(torch.arange(steps + 1, dtype=torch.float64) / steps)
    return (-torch.expm1(2 * log_alpha.diff())).clamp(max=largest)


def _linear(steps: int = 1000) -> Discrete:
    return Discrete(linear_betas(steps))


def _cosine(steps: int = 1000) -> Discrete:
    return Discrete(cosine_betas(steps))


SCHEDULES: Mapping[str, Callable[..., Schedule]] = MappingProxyType(
    {
        "linear": _linear,
        "cosine": _cosine,
        "continuous-cosine": Cosine,
        "vp": VP,
        "sub-vp": SubVP,
        "ve": VE,
        "flow-matching": FlowMatching,
    }
)
"""By name: what makes a schedule. "linear" and "cosine" are tables of betas, by default of 1,000 steps."""
