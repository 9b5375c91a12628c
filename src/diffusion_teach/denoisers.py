r"""Denoisers: what a sampler needs of a model.

A denoiser takes x_t and t and says which x₀ and which ε it sees there. A trained network, a closed form, and later a
guided or distilled model all look the same to a sampler.

Regression on any target of `parameterizations` learns E[x₀|x_t], and Tweedie's formula turns that into the score:
∇ log q_t(x) = (α·E[x₀|x_t] − x)/σ² = −E[ε|x_t]/σ. A model that returns something else than a posterior mean (a GAN's
generator, a guided model) says so by `is_posterior_mean = False`, and `score` refuses it.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.exact import Distribution
from diffusion_teach.parameterizations import TARGETS, Prediction, expand, row, solve
from diffusion_teach.schedules import Schedule, check_schedule, check_time


class Denoiser(Protocol):
    """Anything that names x₀ and ε in x_t."""

    schedule: Schedule
    is_posterior_mean: bool

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        """x_t (B, ...) and t, 0-dimensional or (B,), to x₀ and ε shaped like x_t."""


class Learned(nn.Module):
    """A network with the schedule and the target that it is trained for.

    Args:
        network: called as network(x_t, t, cond), returns the target, shaped like x_t.
        schedule: α(t), σ(t).
        target: one of `parameterizations.TARGETS`.
        unit_variance: let the network see and answer numbers of unit variance, for data of unit variance: it is fed
            x_t/√(α² + σ²) and asked for y/√(p² + q²). A schedule that lets the noise grow, as VE, needs it; VP has it
            of itself for eps, x0 and v.
    """

    is_posterior_mean = True

    def __init__(
        self, network: nn.Module, schedule: Schedule, target: str = "eps", *, unit_variance: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(network, nn.Module):
            raise TypeError(f"network must be a torch.nn.Module, got {_checks.describe(network)}.")
        self.network = network
        self.schedule = check_schedule(schedule)
        self.target = _checks.choice("target", target, TARGETS)
        self.unit_variance = unit_variance

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        y = self.answer(x_t, t, cond)
        return solve(self.target, self.schedule, t, x_t, expand(self.unit(t), x_t) * y if self.unit_variance else y)

    def answer(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the network says, in the unit of `unit`: the target is `unit` times this."""
        if self.unit_variance:
            spread = torch.hypot(self.schedule.alpha(t), self.schedule.sigma(t))
            x_t = x_t / expand(spread, x_t)
        answer: Tensor = self.network(x_t, t, cond)
        return answer

    def unit(self, t: Tensor) -> Tensor:
        """The unit that the network answers in, shaped like t: √(p² + q²) with `unit_variance`, else 1."""
        return torch.hypot(*row(self.target, self.schedule, t)) if self.unit_variance else torch.ones_like(t)


class Exact:
    """The best possible denoiser, E[x₀|x_t] and E[ε|x_t] in closed form, for a distribution of `exact`."""

    is_posterior_mean = True

    def __init__(self, distribution: Distribution, schedule: Schedule) -> None:
        self.distribution = distribution
        self.schedule = check_schedule(schedule)

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        if cond is not None:
            raise ValueError("an exact denoiser takes no condition: pass cond=None.")
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        if not (sigma > 0).all():
            raise ValueError("there is no noise to tell from the data where sigma = 0. Use t > 0.")
        x0 = self.distribution.posterior_mean(x_t, alpha, sigma)
        return Prediction(x0, (x_t - expand(alpha, x_t) * x0) / expand(sigma, x_t))


class Guided:
    """Classifier-free guidance: away from what the model says without a label, past what it says with one.

    ε = (1 + w)·ε(x_t, label) − w·ε(x_t, no label), and the same of x₀, so that x_t = α·x₀ + σ·ε still holds. Both
    answers come from one call with twice the rows. Samples grow more typical of their label and less diverse: for
    w ≠ 0 the answer is no posterior mean, and its samples are not those of p(x)·p(label|x)^(1+w) either.

    Source: Ho and Salimans (2022), eq. 6. w = 0 is no guidance; elsewhere 1 + w is called the scale.

    Args:
        denoiser: trained with labels, of which some were dropped.
        guidance: w, at least 0.
        no_label: the label that stands for none; by default the `classes` of the denoiser's network, as in `UNet`.
    """

    def __init__(self, denoiser: Denoiser, guidance: float, *, no_label: int | None = None) -> None:
        self.denoiser = denoiser
        self.schedule = check_schedule(denoiser.schedule)
        self.guidance = _checks.number("guidance", guidance, least=0)
        if no_label is None and not classes(denoiser):
            raise ValueError(
                "the denoiser takes no labels, and guidance needs a model that was trained with and without them. Use "
                "the checkpoint 'ddpm-mnist-conditional', or say which label stands for none: no_label=10."
            )
        self.no_label = _checks.integer("no_label", classes(denoiser) if no_label is None else no_label, least=0)
        self.is_posterior_mean = self.guidance == 0 and denoiser.is_posterior_mean

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        """x_t (B, ...), t 0-dimensional or (B,), and labels cond (B,), which guidance cannot do without."""
        if cond is None:
            raise ValueError("guidance pulls towards a label: pass cond, one label for each row, or use the denoiser.")
        _checks.tensor("cond", cond, (len(x_t),), floating=False)
        if self.guidance == 0:
            return self.denoiser(x_t, t, cond)
        labels = torch.cat([cond, torch.full_like(cond, self.no_label)])
        times = t if t.ndim == 0 else torch.cat([t, t])
        both = self.denoiser(torch.cat([x_t, x_t]), times, labels)
        # lerp(none, label, 1 + w) = none + (1 + w)·(label − none), the same sum
        x0, eps = (torch.lerp(none, label, 1 + self.guidance) for label, none in (part.chunk(2) for part in both))
        return Prediction(x0, eps)


def classes(denoiser: Denoiser) -> int:
    """How many labels a denoiser's network knows, 0 where it takes none."""
    return int(getattr(getattr(denoiser, "network", None), "classes", 0))


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
