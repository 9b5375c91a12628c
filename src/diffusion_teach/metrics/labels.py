"""Which digit a picture shows, by the two judges of `features`, who may disagree.

"classifier" names the digit of its largest logit. "encoder" never saw a label: ten Gaussians are fitted to the features
of the training images, one to each digit, and Bayes' rule with equal priors names the digit under which a picture is
likeliest. It errs more often on real digits, and it errs on others.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.features import JUDGES, check_digits, of_training_images, predict, pretrained, seen_by

FITTED = 60_000
"""Training images that the ten Gaussians are fitted to."""


def named_by(judge: str, images: Tensor) -> Tensor:
    """The digits (n,) int64 that a judge sees in images (n, 1, 28, 28); values outside [−1, 1] are clamped."""
    if _checks.choice("judge", judge, JUDGES) == "classifier":
        return predict(pretrained(), check_digits(images).detach().float().clamp(-1, 1)).argmax(1)
    return log_likelihoods(seen_by(judge, images), *_fits()).argmax(1)


def label_accuracy(judge: str, images: Tensor, labels: Tensor) -> float:
    """The share of images (n, 1, 28, 28) in which a judge sees the label (n,) that was asked for."""
    check_digits(images)
    labels = _checks.indices("labels", labels, 10, (len(images),))
    return float((named_by(judge, images) == labels).double().mean())


def log_likelihoods(features: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """log N(x; μ_c, Σ_c) + const. of features x (n, d) under K Gaussians (K, d), (K, d, d): (n, K), float64."""
    k, d = _checks.tensor("means", means, ("K", "d")).shape
    _checks.tensor("covariances", covariances, (k, d, d))
    x = _checks.tensor("features", features, ("n", d)).double()
    found = []
    for mean, covariance in zip(means.double(), covariances.double(), strict=True):
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed:
            raise ValueError("covariances must be symmetric and positive definite.")
        z = torch.linalg.solve_triangular(factor, (x - mean).T, upper=False)
        found.append(-0.5 * z.square().sum(0) - factor.diagonal().log().sum())
    return torch.stack(found, 1)


@functools.cache
def _fits() -> tuple[Tensor, Tensor]:
    """The mean (10, 64) and covariance (10, 64, 64) of each digit's training images, as the encoder sees them."""
    labels = mnist.load("train")[1][:FITTED]
    features = of_training_images("encoder", torch.arange(FITTED)).double()
    parts = [features[labels == digit] for digit in range(10)]
    return torch.stack([part.mean(0) for part in parts]), torch.stack([torch.cov(part.T) for part in parts])
