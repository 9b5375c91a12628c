"""How many modes a model covers, and how well: the protocol of VEEGAN and PacGAN on 2-D mixtures.

A sample is of high quality when it lies within three standard deviations of the nearest mode's centre; a mode is
covered when at least one high-quality sample is nearest to it. The reverse KL compares the shares of the modes among
the samples, each assigned to its nearest centre, with equal shares: KL(samples ‖ uniform), in nats.

Real data do not score perfectly either: `high_quality_ceiling` and `kl_floor` say what they score.

Source: Srivastava et al. (2017), "VEEGAN", section 5 (2,500 samples); Lin et al. (2018), "PacGAN", section 4.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks

SAMPLES = 2500
RADIUS = 3.0


class Modes(NamedTuple):
    """One value for each member: modes covered (int64), share of high quality, reverse KL in nats (float64)."""

    covered: Tensor
    high_quality: Tensor
    reverse_kl: Tensor


def mode_coverage(samples: Tensor, centres: Tensor, std: float) -> Modes:
    """Modes covered, high-quality share and reverse KL of the modes' histogram.

    Args:
        samples: (N, d), or (M, N, d) for M members at once. The protocol takes N = 2,500. Points that ran away to
            infinity count as samples of low quality; NaN is an error.
        centres: (K, d), the modes' centres, of equal weight in the data.
        std: standard deviation of each mode, in the units of the samples.

    Returns:
        Three tensors of shape (), or (M,).
    """
    _checks.tensor("centres", centres, ("K", "d"))
    _checks.tensor("samples", samples, ("...", "N", centres.shape[1]), finite=False)
    if samples.ndim not in (2, 3):
        raise ValueError(f"samples must have shape (N, d) or (M, N, d), got {_checks.describe(samples)}.")
    if torch.isnan(samples).any():
        raise ValueError(f"samples must hold no NaN, got {int(torch.isnan(samples).sum())} of {samples.numel()}.")
    _checks.number("std", std, above=0)
    points = samples.detach().double().nan_to_num(posinf=1e150, neginf=-1e150)
    squared = (points.unsqueeze(-2) - centres.detach().double()).square().sum(dim=-1)
    least, nearest = squared.min(dim=-1)
    good = least <= (RADIUS * std) ** 2
    modes = len(centres)
    one_hot = torch.nn.functional.one_hot(nearest, modes)
    covered = ((one_hot * good.unsqueeze(-1)).sum(dim=-2) > 0).sum(dim=-1)
    share = one_hot.double().mean(dim=-2)
    return Modes(covered, good.double().mean(dim=-1), math.log(modes) + torch.xlogy(share, share).sum(dim=-1))


def high_quality_ceiling(dimensions: int = 2) -> float:
    """The high-quality share of the data themselves: the mass of N(0, I_d) within three standard deviations.

    In two dimensions 1 − e^{−9/2} = 98.89 %; in general the chi-squared distribution of d degrees of freedom at 9.
    """
    _checks.integer("dimensions", dimensions)
    half = torch.tensor([dimensions / 2, RADIUS**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))


def kl_floor(modes: int, samples: int = SAMPLES) -> float:
    """The reverse KL that the data themselves score on average, to leading order: (K − 1) / (2 N) nats.

    Two N times the divergence of a histogram of N draws is chi-squared distributed with K − 1 degrees of freedom.

    Args:
        modes: K, of equal weight.
        samples: N.
    """
    _checks.integer("modes", modes)
    _checks.integer("samples", samples)
    return (modes - 1) / (2 * samples)
