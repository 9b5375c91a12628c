r"""What a sampler needs of a model: which x₀ and which ε it sees in x_t.

Regression on any target of `parameterizations` learns E[x₀|x_t], and Tweedie's formula turns that into the score:
∇ log q_t(x) = (α·E[x₀|x_t] − x)/σ² = −E[ε|x_t]/σ. A model that returns something else than a posterior mean (a GAN's
generator, a guided model) says so by `is_posterior_mean = False`, and `score` refuses it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.schedules import Schedule, check_time


class Denoiser(Protocol):
    """Anything that names x₀ and ε in x_t; a condition is bound to it beforehand, by `given`."""

    @property
    def schedule(self) -> Schedule:
        """α(t), σ(t)."""

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of one sample, where it has one."""

    @property
    def classes(self) -> int:
        """How many labels `given` takes, 0 … classes − 1; 0 for a denoiser that takes none."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def is_posterior_mean(self) -> bool:
        """Whether the answer is E[x₀|x_t], so that it has a score and a likelihood."""

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        """x_t (B, ...) and t, 0-dimensional or (B,), to x₀ and ε shaped like x_t."""

    def given(self, cond: Tensor) -> Denoiser:
        """This denoiser with a condition bound to it, such as a label (B,) for each row. Raises ValueError for one
        that takes none."""


class Unconditional(ABC):
    """What a denoiser is where it says nothing else: of samples of any shape, without labels, on the CPU."""

    shape: tuple[int, ...] | None = None
    classes = 0
    device = torch.device("cpu")
    is_posterior_mean = True

    @abstractmethod
    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        """See `Denoiser`."""

    def given(self, cond: Tensor) -> Denoiser:
        """Refuse a condition."""
        raise ValueError(f"{type(self).__name__} takes no condition. Use it as it is.")


def score(denoiser: Denoiser, x_t: Tensor, t: Tensor) -> Tensor:
    """∇ log q_t(x_t) = −E[ε|x_t]/σ(t), shaped like x_t; of the condition's distribution where one is bound.

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
    return -denoiser(x_t, t).eps / expand(sigma, x_t)
