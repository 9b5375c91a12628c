r"""Labelled data whose every density is known: which label a noisy point has, and what lies where a label is certain.

The data of label c have the density p(x|c), a mixture of Gaussians, and labels come with the prior p(c). Then

    p(c|x_t) = p(c)·q_t(x_t|c) / Σ_k p(k)·q_t(x_t|k)

is the best possible noise-aware classifier, at every noise level.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact.distributions import GaussianMixture


def log_posterior(
    parts: Sequence[GaussianMixture], prior: Tensor, x: Tensor, alpha: Tensor | float = 1.0, sigma: Tensor | float = 0.0
) -> Tensor:
    """log p(c|x_t) of every label c, for x_t = α·x₀ + σ·ε; x (..., d) gives (..., K). It has a derivative in x.

    Args:
        parts: p(x|c) of each of the K labels.
        prior: p(c), (K,), positive; normalised to sum to one.
        x: (..., d).
        alpha, sigma: as of `GaussianMixture`; clean data by default.

    Raises:
        ValueError: for labels without a part, and priors that are not positive.
    """
    log_prior = _log_prior(parts, prior)
    joint = torch.stack([part.log_prob(x, alpha, sigma) for part in parts], -1) + log_prior.to(x)
    return joint.log_softmax(-1)


def log_tilted(parts: Sequence[GaussianMixture], prior: Tensor, x: Tensor, label: int, w: float) -> Tensor:
    """log p(x) + (1 + w)·log p(label|x) + const., what guidance is often said to sample; x (..., d) gives (...).

    By Bayes' rule it is log p(x|label) + w·log p(label|x): w = 0 is the label's own density.

    Args:
        parts, prior: as of `log_posterior`.
        x: (..., d), clean data.
        label: 0 … K − 1.
        w: as of `denoisers.Guided`, at least 0.
    """
    _log_prior(parts, prior)
    label = _checks.integer("label", label, least=0, most=len(parts) - 1)
    w = _checks.number("w", w, least=0)
    return parts[label].log_prob(x) + w * log_posterior(parts, prior, x)[..., label]


def _log_prior(parts: Sequence[GaussianMixture], prior: Tensor) -> Tensor:
    if not isinstance(parts, (list, tuple)) or not parts:
        raise TypeError(f"parts must be a list of mixtures, one a label, got {_checks.describe(parts)}.")
    for part in parts:
        _checks.instance("parts", part, GaussianMixture, "a list of GaussianMixture, one a label")
    _checks.tensor("prior", prior, (len(parts),))
    if not (prior > 0).all():
        raise ValueError(f"prior must be positive, got {float(prior.min()):g} as the least of it.")
    return (prior.double() / prior.double().sum()).log()
