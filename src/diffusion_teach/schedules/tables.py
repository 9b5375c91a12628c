"""Tables of betas, the variances of single steps, and the schedules that they make."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks, devices
from diffusion_teach.schedules._arithmetic import rest
from diffusion_teach.schedules.paths import Cosine
from diffusion_teach.schedules.schedule import Schedule


class Discrete(Schedule):
    """A table of betas, as DDPM has it: ᾱ_k = Π_{i≤k} (1 − β_i), ᾱ₀ = 1, at the times t = k/T, k = 0 … T.

    Between the table's times log α is interpolated linearly, which is the exact VP path with β constant within a step.
    A last β of 1 leaves no data, α(1) = 0, see `zero_terminal_snr`; within that step α falls linearly.

    Args:
        betas: (T,) variances β₁ … β_T of the single steps, each in (0, 1), the last one in (0, 1].
    """

    def __init__(self, betas: Tensor) -> None:
        _checks.tensor("betas", betas, ("steps",))
        if not ((betas > 0).all() and (betas[:-1] < 1).all() and betas[-1] <= 1):
            raise ValueError(
                f"betas must lie strictly between 0 and 1, of which only the last may be 1; got values from "
                f"{float(betas.min()):g} to {float(betas.max()):g}."
            )
        self.betas = betas.double()
        steps = torch.log1p(-self.betas)
        self.ends_in_noise = bool(self.betas[-1] == 1)
        if self.ends_in_noise:
            steps[-1] = 0  # of log α, which has no slope there: that step is told by `fallen`
        self._log_alpha = 0.5 * torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)])

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return len(self.betas)

    def _interpolated(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """log α(t) but for the factor 1 − fallen of a last β of 1, and fallen, the share of that step which is done.

        In the device's widest precision, float64 but on Apple's GPUs. A float32 k/T must find entry k itself: snap
        what lies within its rounding.
        """
        wide = devices.widest(t.device)
        table = self._log_alpha.to(wide).to(t.device)
        position = t.to(wide) * self.steps
        snap = (position.round() - position).detach()
        position = position + torch.where(snap.abs() <= self.steps * torch.finfo(t.dtype).eps, snap, 0.0)
        below = position.detach().floor().clamp(max=self.steps - 1).long()
        within = position - below
        fallen = within * (below == self.steps - 1) if self.ends_in_noise else torch.zeros_like(within)
        return table[below] + within * (table[below + 1] - table[below]), fallen

    def log_alpha(self, t: Tensor) -> Tensor:
        log_alpha, fallen = self._interpolated(t)
        return (log_alpha + torch.log1p(-fallen)).to(t.dtype)

    def log_sigma(self, t: Tensor) -> Tensor:
        return (0.5 * torch.log(self._wide_variance(t))).to(t.dtype)

    def _alpha(self, t: Tensor) -> Tensor:
        log_alpha, fallen = self._interpolated(t)
        return log_alpha.to(t.dtype).exp() * (1 - fallen.to(t.dtype))

    def _variance(self, t: Tensor) -> Tensor:
        return self._wide_variance(t).to(t.dtype)

    def _wide_variance(self, t: Tensor) -> Tensor:
        log_alpha, fallen = self._interpolated(t)
        return rest(log_alpha) + torch.exp(2 * log_alpha) * fallen * (2 - fallen)


def linear_betas(steps: int = 1000) -> Tensor:
    """DDPM's betas, rising linearly from 1e-4 to 0.02 at T = 1000 (Ho et al. 2020), scaled by 1000/T for other T.

    Raises:
        ValueError: for T ≤ 20, where the scaled betas reach 1.
    """
    first, last = _scaled(steps, 1e-4, 0.02)
    return torch.linspace(first, last, steps, dtype=torch.float64)


def stable_diffusion_betas(steps: int = 1000) -> Tensor:
    """Stable Diffusion's betas, whose roots rise linearly from √0.00085 to √0.012 at T = 1000, scaled for other T.

    They stop at ᾱ_T = 0.0047. (Rombach et al. 2022, configuration of the released models; elsewhere "scaled linear".)

    Raises:
        ValueError: for T ≤ 12, where the scaled betas reach 1.
    """
    first, last = _scaled(steps, 0.00085, 0.012)
    return torch.linspace(first**0.5, last**0.5, steps, dtype=torch.float64).square()


def _scaled(steps: int, first: float, last: float) -> tuple[float, float]:
    """The ends of a table of 1,000 betas, times 1000/T, so that T of them add up to as much noise."""
    scale = 1000 / _checks.integer("steps", steps)
    if last * scale >= 1:
        raise ValueError(
            f"linear betas scaled to {steps} steps reach {last * scale:g}, but must stay below 1: use at least "
            f"{int(1000 * last) + 1} steps, or cosine_betas."
        )
    return first * scale, last * scale


def cosine_betas(steps: int = 1000, s: float = 0.008, largest: float = 0.999) -> Tensor:
    """β_k = 1 − ᾱ_k/ᾱ_{k−1} of the cosine schedule, clipped at 0.999 (Nichol & Dhariwal 2021, section 3.2)."""
    steps = _checks.integer("steps", steps)
    largest = _checks.number("largest", largest, above=0, below=1)
    log_alpha = Cosine(s).log_alpha(torch.arange(steps + 1, dtype=torch.float64) / steps)
    return (-torch.expm1(2 * log_alpha.diff())).clamp(max=largest)


def zero_terminal_snr(betas: Tensor) -> Tensor:
    """Betas (T,) changed so that x_T is pure noise: √ᾱ shifted to end at 0, and scaled to begin as before.

    √ᾱ'_k = √ᾱ₁·(√ᾱ_k − √ᾱ_T)/(√ᾱ₁ − √ᾱ_T), so β'_T = 1. At the end the noise says nothing of the data, so a network
    has to be asked for v or x₀. (Lin et al. 2024, algorithm 1.)

    Raises:
        ValueError: for a table of one step, or one that `Discrete` refuses.
    """
    table = Discrete(betas)
    if table.steps < 2:
        raise ValueError(f"betas must hold at least 2 steps to be rescaled, got {_checks.describe(betas)}.")
    root = table.alpha(torch.arange(1, table.steps + 1, dtype=torch.float64) / table.steps)
    root = root[0] * (root - root[-1]) / (root[0] - root[-1])
    return torch.cat([table.betas[:1], 1 - (root[1:] / root[:-1]).square()])
