"""Guidance: two denoisers, and a step past the one, away from the other."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser, classes
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.schedules import check_schedule


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
