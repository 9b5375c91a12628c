r"""A denoiser that knows a measurement: y = A·x₀ + s·η, linear, of a part of the picture, its sum, or its blur.

Given x_t, the clean picture lies around x̂₀ with the covariance C = (σ²/α)·∂x̂₀/∂x_t, the second of Tweedie's formulas
(Efron 2011, section 2). Take it for Gaussian, and the measurement moves it to

    E[x₀|x_t, y] ≈ x̂₀ + C·Aᵀ(A·C·Aᵀ + s²I)⁻¹(y − A·x̂₀).

So a condition is one more denoiser, and every sampler walks with it. For Gaussian data this is exact, at every noise
level; else it is a guess, which is best where little noise is left. (Finzi et al. 2023, "User-defined event sampling";
Boys et al. 2023, "Tweedie moment projected diffusions"; Rozet et al. 2024, "Learning diffusion priors from
observations", who solve the system by conjugate gradients, as is done here, and never form C.)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser, check_denoiser
from diffusion_teach.parameterizations import Prediction, expand


class Observed(Denoiser):
    """A denoiser of x₀ given y = A·x₀ + s·η, see above. It is no posterior mean but for Gaussian data.

    Args:
        denoiser: of x₀ alone, with a derivative in x_t.
        see: A, a linear function of pictures (B, ...) to measurements (B, ...). Its
            transpose comes from automatic differentiation.
        y: (B, ...) what was seen, of as many pictures as are drawn.
        std: s, above 0.
        solves: steps of conjugate gradients, a backward pass each; as many as numbers in
            y solve the system, few do for pictures.
    """

    is_posterior_mean = False

    def __init__(
        self, denoiser: Denoiser, see: Callable[[Tensor], Tensor], y: Tensor, std: float, *, solves: int = 5
    ) -> None:
        check_denoiser("denoiser", denoiser)
        self.denoiser, self.schedule, self.shape = denoiser, denoiser.schedule, denoiser.shape
        self.see = _checks.function("see", see)
        self.y = _checks.tensor("y", y)
        self.std = _checks.number("std", std, above=0)
        self.solves = _checks.integer("solves", solves)

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the denoiser computes."""
        return self.denoiser.device

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        _checks.tensor("x_t", x_t, ("...", "d"), finite=False)
        alpha, sigma = (expand(level(t), x_t) for level in (self.schedule.alpha, self.schedule.sigma))
        if not ((alpha > 0) & (sigma > 0)).all():
            raise ValueError("t must lie where there is both data and noise: inside (0, 1).")
        with torch.inference_mode(False), torch.enable_grad():
            x_t = x_t.detach().clone().requires_grad_(True)
            x0 = self.denoiser(x_t, t).x0
            if not x0.requires_grad:
                raise ValueError("denoiser must have a derivative in x: leave out torch.no_grad() and detach() in it.")
            seen = self.see(x0)
            _checks.same_shape("y", self.y, "what see returns", _checks.tensor("what see returns", seen, finite=False))

            def spread(v: Tensor) -> Tensor:
                """C·Aᵀv, shaped like x_t."""
                (back,) = torch.autograd.grad(seen, x_t, v.to(seen), retain_graph=True)
                return sigma**2 / alpha * back

            missing = self.y.to(seen) - seen.detach()
            weights = _conjugate_gradients(
                lambda v: self.see(spread(v)).detach() + self.std**2 * v, missing, self.solves
            )
            x0 = x0.detach() + spread(weights)
        return Prediction(x0, (x_t.detach() - alpha * x0) / sigma)


def _conjugate_gradients(apply: Callable[[Tensor], Tensor], b: Tensor, steps: int) -> Tensor:
    """u with apply(u) = b in every row, b (B, ...), for apply symmetric and positive definite."""

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return expand((a * b).flatten(1).sum(1), a)

    u, residual, direction, length = torch.zeros_like(b), b, b, dot(b, b)
    for _ in range(steps):
        image = apply(direction)
        curvature = dot(direction, image)  # of a network, whose Jacobian is not symmetric, it may come out negative
        share = torch.where(curvature > 0, length / curvature, 0.0)
        u, residual = u + share * direction, residual - share * image
        before, length = length, dot(residual, residual)
        direction = residual + torch.where(before > 0, length / before, 0.0) * direction
    return u
