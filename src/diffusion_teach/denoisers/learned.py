r"""Denoisers: what a sampler needs of a model.

A denoiser takes x_t and t and says which x₀ and which ε it sees there. A trained network, a closed form, and later a
guided or distilled model all look the same to a sampler.

Regression on any target of `parameterizations` learns E[x₀|x_t], and Tweedie's formula turns that into the score:
∇ log q_t(x) = (α·E[x₀|x_t] − x)/σ² = −E[ε|x_t]/σ. A model that returns something else than a posterior mean (a GAN's
generator, a guided model) says so by `is_posterior_mean = False`, and `score` refuses it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.parameterizations import TARGETS, Prediction, expand, row, solve
from diffusion_teach.schedules import Schedule, check_schedule


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
