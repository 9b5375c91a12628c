r"""Noise schedules: the pair α(t), σ(t) of the line x_t = α(t)·x₀ + σ(t)·ε.

Time runs from data, t = 0, to noise, t = 1. `schedule` says what follows from the pair; `paths` are written in closed
form, `tables` step by step, and `changed` are made of other ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from diffusion_teach.schedules.changed import Cut, Shifted, resolution_shift
from diffusion_teach.schedules.paths import EDM, VE, VP, Cosine, FlowMatching, LinearLogSNR, Sigmoid, SubVP
from diffusion_teach.schedules.schedule import Schedule, check_schedule, check_time
from diffusion_teach.schedules.tables import (
    Discrete,
    cosine_betas,
    linear_betas,
    stable_diffusion_betas,
    zero_terminal_snr,
)


def _linear(steps: int = 1000) -> Discrete:
    return Discrete(linear_betas(steps))


def _cosine(steps: int = 1000) -> Discrete:
    return Discrete(cosine_betas(steps))


def _stable_diffusion(steps: int = 1000) -> Discrete:
    return Discrete(stable_diffusion_betas(steps))


def _stable_diffusion_zero(steps: int = 1000) -> Discrete:
    return Discrete(zero_terminal_snr(stable_diffusion_betas(steps)))


def _shifted_cosine(shift: float) -> Shifted:
    return Shifted(Cosine(), shift)


SCHEDULES: Mapping[str, Callable[..., Schedule]] = MappingProxyType(
    {
        "linear": _linear,
        "cosine": _cosine,
        "stable-diffusion": _stable_diffusion,
        "stable-diffusion-zero": _stable_diffusion_zero,
        "continuous-cosine": Cosine,
        "shifted-cosine": _shifted_cosine,
        "sigmoid": Sigmoid,
        "vp": VP,
        "sub-vp": SubVP,
        "ve": VE,
        "edm": EDM,
        "flow-matching": FlowMatching,
    }
)
"""By name: what makes a schedule. "linear", "cosine" and "stable-diffusion" are tables of betas, by default of 1,000
steps; "stable-diffusion-zero" is rescaled to zero terminal SNR."""
