r"""What a sampler needs of a model: which x₀ and which ε it sees in x_t.

Regression on any target of `parameterizations` learns E[x₀|x_t], and Tweedie's formula turns that into the score:
∇ log q_t(x) = (α·E[x₀|x_t] − x)/σ² = −E[ε|x_t]/σ. A model that returns something else than a posterior mean, as a
guided one, says so by `is_posterior_mean = False`, and `score` refuses it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.schedules import Schedule, check_time


class Denoiser(ABC):
    """Anything that names x₀ and ε in x_t; a condition is bound to it beforehand, by `given`.

    Attributes:
        schedule: α(t), σ(t).
        shape: of one sample, where it has one.
        classes: how many labels `given` takes, 0 … classes − 1; 0 for a denoiser that takes none.
        condition: shape of what `given` takes for one sample: () for a label, (L,) for a caption of L words.
        device: where it computes.
        is_posterior_mean: whether the answer is E[x₀|x_t], so that it has a score and a likelihood.
    """

    schedule: Schedule
    shape: tuple[int, ...] | None = None
    classes: int = 0
    condition: tuple[int, ...] = ()
    device = torch.device("cpu")
    is_posterior_mean: bool = True

    @abstractmethod
    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        """x_t (B, ...) and t, 0-dimensional or (B,), to x₀ and ε shaped like x_t."""

    def given(self, cond: Tensor) -> Denoiser:
        """This denoiser with a condition bound to it, such as a label (B,) for each row.

        Raises:
            ValueError: for a denoiser that takes none, or has one bound.
        """
        raise ValueError(f"{type(self).__name__} takes no condition. Use it as it is.")

    def pictures(self, x: Tensor) -> Tensor:
        """What samples x (B, ...) show: themselves, but of a denoiser of latents the decoded pictures."""
        return _checks.tensor("x", x, finite=False)


def check_denoiser(name: str, value: object) -> None:
    """Check that something is a denoiser: not a network, a distribution or a name."""
    mend = "Make one with Learned(network, schedule) or Exact(distribution, schedule)."
    _checks.instance(name, value, Denoiser, "a denoiser", mend)


def score(denoiser: Denoiser, x_t: Tensor, t: Tensor) -> Tensor:
    """∇ log q_t(x_t) = −E[ε|x_t]/σ(t), shaped like x_t; of the condition's distribution where one is bound.

    Raises:
        ValueError: for a model whose answer is not a posterior mean, and where σ = 0.
    """
    check_denoiser("denoiser", denoiser)
    _checks.tensor("x_t", x_t)
    if not denoiser.is_posterior_mean:
        raise ValueError(
            f"{type(denoiser).__name__} does not return E[x0 | x_t], so its answer is not a score. Use the denoiser "
            "that it was made from."
        )
    sigma = denoiser.schedule.sigma(check_time(t))
    if not (sigma > 0).all():
        raise ValueError("the score is infinite where sigma = 0. Use t > 0.")
    return -denoiser(x_t, t).eps / expand(sigma, x_t)
