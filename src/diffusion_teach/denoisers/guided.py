"""Guidance: a step past what one denoiser says, away from what another says."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser, check_denoiser
from diffusion_teach.denoisers.learned import Conditioned, Learned
from diffusion_teach.parameterizations import Prediction, expand

EVERYWHERE = (-math.inf, math.inf)
"""All log-SNRs."""


class Guided(Denoiser):
    """Past what one denoiser says, away from what the other says:

        ε = (1 + w)·ε_towards(x_t) − w·ε_away(x_t),

    and the same of x₀, so that x_t = α·x₀ + σ·ε still holds. What the two are decides what this is:

    | towards           | away                        |                                                    |
    |-------------------|-----------------------------|----------------------------------------------------|
    | given a label     | given none                  | classifier-free guidance (Ho and Salimans 2022)    |
    | given a label     | given what is not wanted    | a negative prompt                                  |
    | a good model      | a worse one                 | autoguidance (Karras et al. 2024)                  |

    Samples grow more typical and less diverse: for w ≠ 0 the answer is no posterior mean, and its samples are not those
    of p(x)·p(label|x)^(1+w) either.

    Source: Ho and Salimans (2022), eq. 6. w = 0 is no guidance; elsewhere 1 + w is called the scale. Kynkäänniemi et
    al. (2024) guide in an interval of noise levels: early guidance costs diversity, and late guidance nothing but time.

    Args:
        towards, away: of the same schedule. Where both are one network with other labels, it is called once, with twice
            the rows.
        guidance: w, at least 0.
        between: the log-SNRs from and to which it guides; at all others `towards` answers alone, and `away` is not
            asked.
    """

    def __init__(
        self,
        towards: Denoiser,
        away: Denoiser,
        guidance: float,
        *,
        between: tuple[float, float] = EVERYWHERE,
    ) -> None:
        check_denoiser("towards", towards)
        check_denoiser("away", away)
        self.towards, self.away = towards, away
        self.guidance = _checks.number("guidance", guidance, least=0)
        self.between = check_between(between)
        self.schedule, self.shape = towards.schedule, towards.shape
        self.is_posterior_mean = self.guidance == 0 and towards.is_posterior_mean
        middle = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
        if not torch.allclose(self.schedule.log_snr(middle), away.schedule.log_snr(middle)):
            raise ValueError(
                f"towards and away must share a schedule, got a {type(self.schedule).__name__} and a "
                f"{type(away.schedule).__name__} that differ: x_t is not as noisy for the one as for the other."
            )

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the first of the two computes."""
        return self.towards.device

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        _checks.tensor("x_t", x_t, ("...", "d"), finite=False)
        guides = self.guides(t)
        if not guides.any():
            return self.towards(x_t, t)
        # lerp(away, towards, 1 + w) = away + (1 + w)·(towards − away), the same sum
        scale = expand(1 + self.guidance * guides.to(x_t), x_t)
        pairs = zip(*_both(self.towards, self.away, x_t, t), strict=True)
        return Prediction(*(torch.lerp(away.to(towards), towards, scale.to(towards)) for towards, away in pairs))

    def pictures(self, x: Tensor) -> Tensor:
        """What samples show, see `Denoiser.pictures`."""
        return self.towards.pictures(x)

    def guides(self, t: Tensor) -> Tensor:
        """Whether it guides at times t, which costs an evaluation more; shaped like t."""
        return inside(self.schedule.log_snr(t), self.between) & (self.guidance > 0)


def inside(log_snr: Tensor, between: tuple[float, float]) -> Tensor:
    """Whether log-SNRs lie in an interval, its ends included."""
    least, most = check_between(between)
    _checks.tensor("log_snr", log_snr, finite=False)
    return (least <= log_snr) & (log_snr <= most)


def check_between(between: tuple[float, float]) -> tuple[float, float]:
    """Check an interval of log-SNRs, and return it as two floats; its ends may be infinite."""
    two = isinstance(between, (tuple, list)) and len(between) == 2
    ends = [float(end) for end in between if isinstance(end, (int, float, np.number))] if two else []
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(f"between must be two log-SNRs, the smaller first, such as (-4, 0); got {between!r}.")
    return ends[0], ends[1]


def _both(towards: Denoiser, away: Denoiser, x_t: Tensor, t: Tensor) -> tuple[Prediction, Prediction]:
    """Both predictions, by one call with twice the rows where one network makes both."""
    (one, cond), (other, other_cond) = _labelled(towards, len(x_t)), _labelled(away, len(x_t))
    if one is None or one is not other or cond is None or other_cond is None:
        return towards(x_t, t), away(x_t, t)
    times = t if t.ndim == 0 else torch.cat([t, t])
    x0, eps = one(torch.cat([x_t, x_t]), times, torch.cat([cond, other_cond]))
    (x0_towards, x0_away), (eps_towards, eps_away) = x0.chunk(2), eps.chunk(2)
    return Prediction(x0_towards, eps_towards), Prediction(x0_away, eps_away)


def _labelled(denoiser: Denoiser, count: int) -> tuple[Learned | None, Tensor | None]:
    """The network that answers, and the label of each row: where none is bound, the one that stands for none."""
    if isinstance(denoiser, Conditioned):
        return denoiser.source, denoiser.labels(count)
    if isinstance(denoiser, Learned) and denoiser.classes:
        return denoiser, torch.full((count, *denoiser.condition), denoiser.classes, device=denoiser.device)
    return None, None
