"""The loss of a noise-aware classifier: it names the label of noisy data, at all noise levels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from diffusion_teach import _checks
from diffusion_teach.objectives.diffusion import sample_times
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.schedules import Schedule, check_schedule, check_time


def noisy_cross_entropy(
    classifier: Callable[[Tensor, Tensor], Tensor],
    schedule: Schedule,
    x0: Tensor,
    labels: Tensor,
    *,
    t: Tensor | None = None,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """−log p(label|x_t, t) of noisy data, x_t = α·x₀ + σ·ε, a mean over the batch.

    Of all classifiers the posterior p(c|x_t) itself has the least. Dhariwal and Nichol (2021), section 4, train so the
    classifiers that guide.

    Args:
        classifier: called as classifier(x_t, t), gives logits (B, K).
        schedule: α(t), σ(t).
        x0: clean data (B, ...).
        labels: (B,) whole numbers in 0 … K − 1.
        t: (B,); drawn by `sample_times` where not given.
        eps: the noise, shaped like x0; drawn from N(0, I) where not given.
    """
    _checks.function("classifier", classifier)
    _checks.tensor("x0", x0, ("...", "d"))
    _checks.generator(generator)
    t = sample_times(check_schedule(schedule), (len(x0),), generator=generator) if t is None else t
    t = check_time(t).to(x0)
    if eps is None:
        eps = torch.randn(x0.shape, dtype=x0.dtype, device=x0.device, generator=generator)
    _checks.same_shape("eps", _checks.tensor("eps", eps), "x0", x0)
    logits = classifier(add_noise(schedule, t, x0, eps), t)
    _checks.tensor("what classifier returns", logits, (len(x0), "K"))
    return F.cross_entropy(logits, _checks.indices("labels", labels, logits.shape[1], (len(x0),)))
