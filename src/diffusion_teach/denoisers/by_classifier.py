r"""Guidance by a classifier: a denoiser of everything, and somebody who reads labels off noisy data.

Bayes' rule, in logarithms and differentiated, has no constant left:

    ∇ log q_t(x_t|c) = ∇ log q_t(x_t) + ∇ log p(c|x_t).

So a classifier of noisy data turns a model of all data into one of those with a label.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser, check_denoiser
from diffusion_teach.parameterizations import Prediction, expand


class ClassifierGuided(Denoiser):
    """A denoiser that is pulled to where a classifier sees the label:

        ε = ε(x_t) − scale·σ·∇ log p(label|x_t),      x₀ = (x_t − σ·ε)/α.

    With scale 1, the exact ε and the exact p(label|x_t) this is the denoiser of the label's own data. A larger scale,
    which is 1 + w of `Guided`, makes the classifier surer, and is no posterior mean.

    Source: Dhariwal and Nichol (2021), algorithm 2; Sohl-Dickstein et al. (2015), section 2.5.

    Args:
        denoiser: of all data, without a label.
        log_p: called as log_p(x_t, t) with x_t (B, ...) and returns log p(label|x_t), (B,), of the label that each row
            shall have. It has a derivative in x_t.
        scale: at least 0; 0 is no guidance.
    """

    def __init__(self, denoiser: Denoiser, log_p: Callable[[Tensor, Tensor], Tensor], scale: float = 1.0) -> None:
        check_denoiser("denoiser", denoiser)
        self.denoiser, self.schedule, self.shape = denoiser, denoiser.schedule, denoiser.shape
        self.log_p = _checks.function("log_p", log_p)
        self.scale = _checks.number("scale", scale, least=0)
        self.is_posterior_mean = self.scale == 0 and denoiser.is_posterior_mean

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the denoiser computes."""
        return self.denoiser.device

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        _checks.tensor("x_t", x_t, ("...", "d"), finite=False)
        alpha, sigma = (expand(level(t), x_t) for level in (self.schedule.alpha, self.schedule.sigma))
        if not (alpha > 0).all():
            raise ValueError("t must lie where there is data left, α > 0: in pure noise no classifier reads a label.")
        x0, eps = self.denoiser(x_t, t)
        pull = self.scale * sigma * self._slope(x_t, t).to(x_t)
        return Prediction(x0 + sigma / alpha * pull, eps - pull)

    def pictures(self, x: Tensor) -> Tensor:
        """What samples show, see `Denoiser.pictures`."""
        return self.denoiser.pictures(x)

    def _slope(self, x_t: Tensor, t: Tensor) -> Tensor:
        """∇ log p(label|x_t), shaped like x_t."""
        with torch.inference_mode(False), torch.enable_grad():
            x = x_t.detach().clone().requires_grad_(True)
            log_p = _checks.tensor("what log_p returns", self.log_p(x, t), (len(x_t),), finite=False)
            if not log_p.requires_grad:
                raise ValueError("log_p must have a derivative in x: leave out torch.no_grad() and detach() in it.")
            (slope,) = torch.autograd.grad(log_p.sum(), x)
        return slope
