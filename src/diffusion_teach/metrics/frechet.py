"""Fréchet distance of Gaussian fits, on the features of a judge of digits (see `features`), with its floor.

d² = |μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a^½ Σ_b Σ_a^½)^½), the squared 2-Wasserstein distance of two Gaussians.

It is biased: two samples of one distribution are not at distance 0. And MNIST's training and test digits were written
by different people: all 60,000 are not at distance 0 either. Hence the floor beside every value: real training images
of the same number against the test set, which is what a perfect generator of training digits would score. Values
compare only for the same network, layer and n.

Source: Dowson and Landau (1982); Heusel et al. (2017), "GANs trained by a two time-scale update rule", eq. 6.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.features import JUDGES, of_training_images, seen_by


class Gaussian(NamedTuple):
    """A Gaussian fit: mean (d,) and covariance (d, d), float64."""

    mean: Tensor
    covariance: Tensor


class Floor(NamedTuple):
    """What real data score: mean and standard deviation over the draws."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Floor:
        """The floor of what the draws scored."""
        scores = torch.tensor(values, dtype=torch.float64)
        return cls(float(scores.mean()), float(scores.std()))


def gaussian_fit(features: Tensor) -> Gaussian:
    """The mean and the unbiased covariance (divisor n − 1) of features (n, d), n ≥ 2, in float64."""
    _checks.tensor("features", features, ("n", "d"))
    if len(features) < 2:
        raise ValueError(f"features must hold at least 2 rows to have a covariance, got {_checks.describe(features)}.")
    x = features.detach().double()
    mean = x.mean(dim=0)
    centred = x - mean
    return Gaussian(mean, centred.T @ centred / (len(x) - 1))


def frechet_distance(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """The squared Fréchet distance of two Gaussians, in float64.

    The trace of the root is the sum of the singular values of Σ_a^½ Σ_b^½ (its nuclear norm): symmetric in a and b, and
    no root of a nearly singular product is taken.

    Args:
        mean_a, mean_b: (d,).
        cov_a, cov_b: (d, d), symmetric, positive semi-definite up to rounding.

    Returns:
        d² ≥ 0, in squared units of the features.

    Raises:
        ValueError: shapes differ, or a covariance is not symmetric or not positive semi-definite.
    """
    for name, value in (("mean_a", mean_a), ("mean_b", mean_b)):
        _checks.tensor(name, value, ("d",))
    _checks.same_shape("mean_a", mean_a, "mean_b", mean_b)
    d = len(mean_a)
    root_a, root_b = _root("cov_a", cov_a, d), _root("cov_b", cov_b, d)
    gap = mean_a.detach().double() - mean_b.detach().double()
    overlap = torch.linalg.svdvals(root_a @ root_b).sum()
    spread = root_a.square().sum() + root_b.square().sum() - 2 * overlap
    return max(0.0, float(gap.square().sum() + spread))


def _root(name: str, covariance: Tensor, d: int) -> Tensor:
    """The symmetric root of a covariance, float64; rounding below zero is cut off, more is an error."""
    _checks.tensor(name, covariance, (d, d))
    matrix = covariance.detach().double()
    scale = float(matrix.abs().max())
    tolerance = scale * d * max(torch.finfo(covariance.dtype).eps, 1e-12)
    skew = float((matrix - matrix.T).abs().max())
    if skew > tolerance:
        raise ValueError(f"{name} must be symmetric, got entries that differ by {skew:.3g} from their transposed ones.")
    eigenvalues, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    least = float(eigenvalues[0])
    if least < -tolerance:
        raise ValueError(f"{name} must be positive semi-definite, got the eigenvalue {least:.3g}.")
    return (vectors * eigenvalues.clamp_min(0).sqrt()) @ vectors.T


def frechet_to_test(images: Tensor, judge: str = "classifier") -> float:
    """The Fréchet distance of images to all of MNIST's 10,000 test images, by a judge's features.

    Args:
        images: (n, 1, 28, 28) in [−1, 1], n ≥ 2; values outside are clamped. Print the distance beside `floor(n)`.
        judge: one of `features.JUDGES`.
    """
    return frechet_distance(*gaussian_fit(seen_by(judge, images)), *_reference(judge))


def floor(n: int, draws: int = 10, *, judge: str = "classifier", generator: torch.Generator | None = None) -> Floor:
    """The Fréchet distance that real images score: n training images against the test set, over some draws.

    Args:
        n: images a draw, without replacement; 2 to 60,000.
        draws: how many draws, at least 2. Of 2,000 images one varies by a fifth by the classifier, by a tenth by the
            encoder.
        judge: one of `features.JUDGES`.
        generator: chooses the images.
    """
    n = _checks.integer("n", n, least=2, most=60_000)
    draws = _checks.integer("draws", draws, least=2)
    _checks.generator(generator)
    judge = _checks.choice("judge", judge, JUDGES)
    total, reference = len(mnist.load("train")[1]), _reference(judge)
    values = []
    for _ in range(draws):
        features = of_training_images(judge, torch.randperm(total, generator=generator)[:n])
        values.append(frechet_distance(*gaussian_fit(features), *reference))
    return Floor.of(values)


def leading_order_bias(eigenvalues: Tensor, n: int) -> float:
    """How far apart two samples of one Gaussian appear, to leading order in 1/n.

    E d² ≈ (2 Σ_i λ_i + Σ_ij (1 + δ_ij) λ_i λ_j / (λ_i + λ_j)) / n for two samples of n each; halve it for one sample
    against the distribution itself. It does not depend on the mean, and large eigenvalues carry it.

    Args:
        eigenvalues: (d,) of the covariance, not negative.
        n: rows of each sample.
    """
    _checks.tensor("eigenvalues", eigenvalues, ("d",))
    n = _checks.integer("n", n, least=2)
    values = eigenvalues.detach().double()
    if float(values.min()) < -1e-9 * float(values.abs().max()):
        raise ValueError(f"eigenvalues must not be negative, got {float(values.min()):.3g}.")
    values = values.clamp_min(0)
    row, column = values[:, None], values[None, :]
    harmonic = torch.where(
        row + column > 0, row * column / (row + column).clamp_min(torch.finfo(torch.float64).tiny), 0
    )
    return float((2 * values.sum() + harmonic.sum() + harmonic.diagonal().sum()) / n)


@functools.cache
def _reference(judge: str) -> Gaussian:
    return gaussian_fit(seen_by(judge, mnist.to_model(mnist.load("test")[0])))
