r"""Paths in continuous time: each states log α(t) and log σ(t) in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from diffusion_teach import _checks
from diffusion_teach.schedules._arithmetic import rest
from diffusion_teach.schedules.schedule import Schedule


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
        return 0.5 * torch.log(rest(self.log_alpha(t)))

    def _variance(self, t: Tensor) -> Tensor:
        return rest(self.log_alpha(t))


class SubVP(VP):
    """The sub-VP path: α of VP with the smaller noise σ = 1 − α² (Song et al. 2021, eq. 29)."""

    def log_sigma(self, t: Tensor) -> Tensor:
        return 2 * super().log_sigma(t)

    def _sigma(self, t: Tensor) -> Tensor:
        return rest(self.log_alpha(t))

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


class Sigmoid(Schedule):
    """The sigmoid schedule, α² from 1 to 0 as a logistic curve runs from `start` to `end`; α² + σ² = 1.

    With S the logistic function, z = (start + t·(end − start))/τ, and z₀ and z₁ its values at t = 0 and 1,
    α² = (S(z₁) − S(z))/(S(z₁) − S(z₀)). (Jabri et al. 2023, appendix; Chen 2023, algorithm 1, with these defaults.)
    """

    def __init__(self, start: float = -3.0, end: float = 3.0, tau: float = 1.0) -> None:
        self.start = _checks.number("start", start)
        self.end = _checks.number("end", end, above=self.start)
        self.tau = _checks.number("tau", tau, above=0)
        furthest = max(abs(self.start), abs(self.end), self.end - self.start) / self.tau
        if furthest > 160:
            raise ValueError(
                f"tau must be at least {furthest * self.tau / 160:g} for a curve from {self.start:g} to {self.end:g}, "
                f"got {self.tau:g}: a step so sudden has no slopes in float32."
            )

    # S(a) − S(b) = sinh((a − b)/2) / (2 cosh(a/2) cosh(b/2)): no difference of near numbers is left, at neither end.
    def _share(self, of: Tensor, t: Tensor, far: float) -> Tensor:
        """sinh of the share `of` of half the way, over that of all of it, times cosh(far/2τ)/cosh(z/2)."""
        half = (self.end - self.start) / self.tau / 2
        z = (self.start + t * (self.end - self.start)) / self.tau
        return torch.sinh(half * of) * (math.cosh(far / self.tau / 2) / math.sinh(half)) / torch.cosh(z / 2)

    def log_alpha(self, t: Tensor) -> Tensor:
        return 0.5 * torch.log(self._share(1 - t, t, self.start))

    def log_sigma(self, t: Tensor) -> Tensor:
        return 0.5 * torch.log(self._variance(t))

    def _variance(self, t: Tensor) -> Tensor:
        return self._share(t, t, self.end)


class LinearLogSNR(Schedule):
    """λ falling at an even pace from `most` at t = 0 to `least` at t = 1; α² + σ² = 1 (Kingma et al. 2021, appendix).

    At t = 0 there is a little noise, σ² = 1/(1 + exp(most)).
    """

    def __init__(self, most: float = 10.0, least: float = -10.0) -> None:
        self.least = _checks.number("least", least, least=-80, below=80)
        self.most = _checks.number("most", most, above=self.least, most=80)

    def log_alpha(self, t: Tensor) -> Tensor:
        return 0.5 * logsigmoid(self.most + t * (self.least - self.most))

    def log_sigma(self, t: Tensor) -> Tensor:
        return 0.5 * logsigmoid(-(self.most + t * (self.least - self.most)))


class EDM(Schedule):
    """EDM's ladder, α = 1 and σ(t) = (σ_min^(1/ρ) + t·(σ_max^(1/ρ) − σ_min^(1/ρ)))^ρ (Karras et al. 2022, eq. 5).

    Even times are its rungs: N of them, t = 1 … 0, are the paper's σ₀ … σ_{N−1}, of which the last is σ_min. At t = 0
    there is still that little noise.
    """

    def __init__(self, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> None:
        self.sigma_min = _checks.number("sigma_min", sigma_min, above=0)
        self.sigma_max = _checks.number("sigma_max", sigma_max, above=self.sigma_min)
        self.rho = _checks.number("rho", rho, above=0)

    def log_alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def log_sigma(self, t: Tensor) -> Tensor:
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return self.rho * torch.log(low + t * (high - low))


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
