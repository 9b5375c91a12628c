"""How many modes a model covers, and how well: the protocol of VEEGAN and PacGAN on 2-D mixtures.

A sample is of high quality when it lies within three standard deviations of the nearest mode's centre; a mode is
covered when at least one high-quality sample is nearest to it. The reverse KL compares the shares of the modes among
the samples, each assigned to its nearest centre, with equal shares: KL(samples ‖ uniform), in nats.

Where a classifier names the modes (digits, stacked digits) `label_coverage` counts its labels instead.

Real data do not score perfectly either: `high_quality_ceiling`, `kl_floor`, `expected_kl` and `expected_covered` say
what they score.

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


class LabelCoverage(NamedTuple):
    """One value for each member: labels that occur (int64), reverse KL of their histogram in nats (float64)."""

    covered: Tensor
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
    std = _checks.number("std", std, above=0)
    points = samples.detach().double().nan_to_num(posinf=1e150, neginf=-1e150)
    squared = (points.unsqueeze(-2) - centres.detach().double()).square().sum(dim=-1)
    least, nearest = squared.min(dim=-1)
    good = least <= (RADIUS * std) ** 2
    modes = len(centres)
    one_hot = torch.nn.functional.one_hot(nearest, modes)
    covered = ((one_hot * good.unsqueeze(-1)).sum(dim=-2) > 0).sum(dim=-1)
    share = one_hot.double().mean(dim=-2)
    return Modes(covered, good.double().mean(dim=-1), _kl(share, _uniform(modes)))


def label_coverage(labels: Tensor, shares: Tensor | int) -> LabelCoverage:
    """How many labels occur, and the reverse KL of their histogram: Σ_k p̂_k ln(p̂_k / q_k), in nats.

    Args:
        labels: (N,) whole numbers in 0 … K − 1, or (M, N) for M members at once.
        shares: (K,) the reference q, such as the labels' shares among the data, normalised here; or K for equal shares.
            Which of the two is meant belongs beside the value. A label that occurs where q is 0 makes it infinite.

    Returns:
        Two tensors of shape (), or (M,). What the data themselves score is `expected_covered` and `expected_kl`.
    """
    reference = _reference(shares)
    index = _checks.indices("labels", labels, len(reference))
    if index.ndim not in (1, 2):
        raise ValueError(f"labels must have shape (N,) or (M, N), got {_checks.describe(labels)}.")
    counts = torch.zeros(*index.shape[:-1], len(reference), dtype=torch.float64)
    counts.scatter_add_(-1, index, torch.ones(index.shape, dtype=torch.float64))
    return LabelCoverage((counts > 0).sum(dim=-1), _kl(counts / index.shape[-1], reference))


def high_quality_ceiling() -> float:
    """The high-quality share of the data themselves: the mass of N(0, I) within three standard deviations.

    In the plane it is 1 − e^{−9/2} = 98.89 %.
    """
    return -math.expm1(-(RADIUS**2) / 2)


def kl_floor(modes: int, samples: int = SAMPLES) -> float:
    """The reverse KL that the data themselves score on average, to leading order: (K − 1) / (2 N) nats.

    Two N times the divergence of a histogram of N draws is chi-squared distributed with K − 1 degrees of freedom.

    Args:
        modes: K, of equal weight.
        samples: N.
    """
    modes = _checks.integer("modes", modes)
    samples = _checks.integer("samples", samples)
    return (modes - 1) / (2 * samples)


def expected_covered(shares: Tensor | int, samples: int) -> float:
    """The labels that N samples of the data reach on average: Σ_k 1 − (1 − p_k)^N.

    Args:
        shares: (K,) how often each label occurs in the data, p up to a factor; or K for equal shares.
        samples: N.
    """
    samples = _checks.integer("samples", samples)
    # log1p and expm1: p_k is small, N is large
    return float(-torch.expm1(samples * torch.log1p(-_reference(shares))).sum())


def expected_kl(shares: Tensor | int, samples: int, reference: Tensor | int | None = None) -> float:
    """The reverse KL that N samples of the data score on average, exactly: E Σ_k p̂_k ln(p̂_k / q_k), in nats.

    N p̂_k is binomial, so this is a sum over its values; `kl_floor` is its leading order for q = p. Where the reference
    q differs from the data's p it is near KL(p ‖ q) + (K − 1) / (2 N).

    Args:
        shares: (K,) how often each label occurs in the data, p up to a factor; or K for equal shares.
        samples: N.
        reference: (K,) the shares q that the histogram is compared with, or K for equal ones; p where not given.

    Returns:
        Nats; infinite where q is 0 and p is not.
    """
    p = _reference(shares)
    q = p if reference is None else _reference(reference, "reference")
    _checks.same_shape("shares", p, "reference", q)
    n = _checks.integer("samples", samples)
    total = 0.0
    for share, times in zip(*p.unique(return_counts=True), strict=True):
        chance = float(share)
        if chance > 0:
            # E[X ln X] / N over the values within 40 and 12 standard deviations of the mean: beyond them is rounding
            width = 40 + 12 * math.sqrt(n * chance * (1 - chance))
            x = torch.arange(max(1, int(n * chance - width)), min(n, int(n * chance + width)) + 1, dtype=torch.float64)
            mass = torch.distributions.Binomial(n, share).log_prob(x).exp()
            total += int(times) * float((mass * x / n * (x / n).log()).sum())
    return total - float(torch.xlogy(p, q).sum())


def _kl(share: Tensor, reference: Tensor) -> Tensor:
    return (torch.xlogy(share, share) - torch.xlogy(share, reference)).sum(dim=-1)


def _uniform(modes: int) -> Tensor:
    return torch.full((modes,), 1 / modes, dtype=torch.float64)


def _reference(shares: Tensor | int, name: str = "shares") -> Tensor:
    """Shares (K,) that sum to one, float64, from weights or a number of labels."""
    if not isinstance(shares, Tensor):
        return _uniform(_checks.integer(name, shares))
    _checks.tensor(name, shares, ("K",), floating=False)
    weights = shares.detach().double()
    if float(weights.min()) < 0 or float(weights.sum()) <= 0:
        raise ValueError(f"{name} must not be negative nor all zero, got a least of {float(weights.min()):.3g}.")
    return weights / weights.sum()
