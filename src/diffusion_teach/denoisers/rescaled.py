r"""One denoiser, another schedule: the change of variables between VE, VP and every other path.

What a denoiser knows of a noisy picture depends on the ratio of data and noise alone. So what is trained on one
schedule answers on any other: find the time t′ of the same log-SNR, and bring x_t to the size that it has there,

    λ′(t′) = λ(t),      x′ = x_t·√(α′² + σ′²)/√(α² + σ²).

x̂₀ and ε̂ are the same on both. From VP to VE, x′ = x_t/α and σ′ = σ/α (Song et al. 2021, appendix B; Karras et al. 2022,
section 2 and appendix C, do all of their work in these coordinates).
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks, devices
from diffusion_teach.denoisers.denoiser import Denoiser, check_denoiser
from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.schedules import Schedule, check_schedule, check_time


class Rescaled(Denoiser):
    """A denoiser of one schedule as one of another, exact up to rounding.

    Args:
        denoiser: what answers.
        schedule: on which it is asked.

    Raises:
        ValueError: when it is asked at a noise level that its own schedule does not have.
    """

    def __init__(self, denoiser: Denoiser, schedule: Schedule) -> None:
        check_denoiser("denoiser", denoiser)
        self.denoiser = denoiser
        self.schedule = check_schedule(schedule)
        self.shape, self.classes, self.condition = denoiser.shape, denoiser.classes, denoiser.condition
        self.is_posterior_mean = denoiser.is_posterior_mean

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the denoiser computes."""
        return self.denoiser.device

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        _checks.tensor("x_t", x_t, finite=False)
        own, clock = self.denoiser.schedule, check_time(t).to(devices.widest(t.device))
        log_snr = self.schedule.log_snr(clock)
        time = own.time_of(log_snr)
        found = own.log_snr(time)
        if not torch.isclose(found, log_snr, rtol=1e-6, atol=1e-6).all():
            raise ValueError(
                f"t must lie where the denoiser's own schedule has the same noise; asked for a log-SNR of "
                f"{float(log_snr.min()):g}, and its least is {float(own.log_snr(torch.ones_like(clock)).min()):g}."
            )
        size = torch.hypot(own.alpha(time), own.sigma(time)) / torch.hypot(
            self.schedule.alpha(clock), self.schedule.sigma(clock)
        )
        return self.denoiser(expand(size, x_t).to(x_t) * x_t, time.to(t.dtype))

    def pictures(self, x: Tensor) -> Tensor:
        """What samples show, see `Denoiser.pictures`."""
        return self.denoiser.pictures(x)

    def given(self, cond: Tensor) -> Denoiser:
        """The same with a condition bound to the denoiser."""
        return Rescaled(self.denoiser.given(cond), self.schedule)
