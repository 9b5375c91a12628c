"""The best possible denoiser of a distribution whose posterior mean is known in closed form."""

from __future__ import annotations

from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser
from diffusion_teach.exact import Distribution
from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.schedules import Schedule, check_schedule


class Exact(Denoiser):
    """The best possible denoiser, E[x₀|x_t] and E[ε|x_t] in closed form, for a distribution of `exact`.

    It computes where x_t lies. For a condition take the distribution given that condition.
    """

    def __init__(self, distribution: Distribution, schedule: Schedule) -> None:
        if isinstance(distribution, type) or not hasattr(distribution, "posterior_mean"):
            raise TypeError(f"distribution must be one of `exact`, got {_checks.describe(distribution)}.")
        self.distribution = distribution
        self.schedule = check_schedule(schedule)
        self.shape = distribution.shape

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        if not (sigma > 0).all():
            raise ValueError("there is no noise to tell from the data where sigma = 0. Use t > 0.")
        x0 = self.distribution.posterior_mean(x_t, alpha, sigma)
        return Prediction(x0, (x_t - expand(alpha, x_t) * x0) / expand(sigma, x_t))
