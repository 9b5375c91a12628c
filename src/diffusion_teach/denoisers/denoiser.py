r"""What a sampler needs of a model: which x₀ and which ε it sees in x_t.

Regression on any target of `parameterizations` learns E[x₀|x_t], and Tweedie's formula turns that into the score:
∇ log q_t(x) = (α·E[x₀|x_t] − x)/σ² = −E[ε|x_t]/σ. A model that returns something else than a posterior mean (a GAN's
generator, a guided model) says so by `is_posterior_mean = False`, and `score` refuses it.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.schedules import Schedule, check_time


class Denoiser(Protocol):
    """Anything that names x₀ and ε in x_t."""

    schedule: Schedule
    is_posterior_mean: bool

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        """x_t (B, ...) and t, 0-dimensional or (B,), to x₀ and ε shaped like x_t."""


def score(denoiser: Denoiser, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
    """∇ log q_t(x_t) = −E[ε|x_t]/σ(t), shaped like x_t; of the condition's distribution where one is given.

    Raises:
        ValueError: for a model whose answer is not a posterior mean, and where σ = 0.
    """
    if not denoiser.is_posterior_mean:
        raise ValueError(
            f"{type(denoiser).__name__} does not return E[x0 | x_t], so its answer is not a score. Use the denoiser "
            "that it was made from."
        )
    sigma = denoiser.schedule.sigma(check_time(t))
    if not (sigma > 0).all():
        raise ValueError("the score is infinite where sigma = 0. Use t > 0.")
    return -denoiser(x_t, t, cond).eps / expand(sigma, x_t)


def as_time(t: float | Tensor, like: Tensor) -> Tensor:
    """A time given as a number or a tensor, as a tensor of the dtype and device of `like`."""
    return check_time(torch.as_tensor(t, dtype=like.dtype, device=like.device))


def classes(denoiser: Denoiser) -> int:
    """How many labels a denoiser's network knows, 0 where it takes none."""
    return int(getattr(getattr(denoiser, "network", None), "classes", 0))
