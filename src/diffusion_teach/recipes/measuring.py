"""How a model of digits is measured for its card, whichever family made it."""

from __future__ import annotations

from typing import Any

from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics import evaluation, stacked_modes
from diffusion_teach.networks.network import OneStepGenerator

COUNT, REPEATS = 2000, 5


def measured(
    model: Denoiser | OneStepGenerator, sampling: Sampling, count: int | None = None, repeats: int | None = None
) -> dict[str, Any]:
    """The table of `metrics.evaluation`, means over sets of samples; of a model of stacked digits, their modes."""
    if model.shape is not None and model.shape[0] > 1:
        return stacked_modes.evaluate(model, sampling, count=count, repeats=repeats)
    n = COUNT if count is None else count
    return evaluation.averaged(
        lambda how: evaluation.evaluate(model, how, count=n), sampling, repeats=REPEATS if repeats is None else repeats
    )
