"""The feature spaces of the book's metrics: two judges of different design, both frozen, that look at digits.

- "classifier": the last hidden layer (84) of the shipped digit classifier. It sees what tells one digit from another.
- "encoder": the features (64) of the shipped encoder, which never saw a label, whitened: turned and scaled so that
  the test images' have covariance 1. It sees how strokes are drawn. Whitening makes all 64 directions count alike, also
  those along which test images hardly differ; there grain shows.

Whoever tunes a generator on one judge learns to please it, and not more. Hence two, and neither is trained on for that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor

from diffusion_teach import _checks, checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.encoder import Encoder


@functools.cache
def pretrained() -> Classifier:
    """The frozen classifier of the shipped checkpoint: evaluation mode, no gradients for its weights, loaded once."""
    return cast(Classifier, checkpoints.model("classifier"))


@functools.cache
def encoder() -> Encoder:
    """The frozen encoder of the shipped checkpoint, likewise."""
    return cast(Encoder, checkpoints.model("encoder"))


@torch.no_grad()
def in_batches(compute: Callable[[Tensor], Tensor], x: Tensor, batch: int = 500) -> Tensor:
    """What a network makes of many images, computed batch by batch.

    Args:
        compute: maps (b, 1, 28, 28) to (b, ...).
        x: (B, 1, 28, 28) in [−1, 1].
        batch: images at a time; bounds the memory.
    """
    _checks.function("compute", compute)
    _checks.tensor("x", x, ("B", 1, 28, 28))
    batch = _checks.integer("batch", batch)
    return torch.cat([compute(part) for part in x.split(batch)])


def predict(model: Classifier, x: Tensor, *, batch: int = 500, features: bool = False) -> Tensor:
    """The logits (B, 10) of images x (B, 1, 28, 28), or with `features` their features (B, 84); see `in_batches`."""
    _checks.instance("model", model, Classifier, "a Classifier", "Take features.pretrained().")
    return in_batches(model.features if _checks.flag("features", features) else model, x, batch)


def _classified(x: Tensor) -> Tensor:
    return predict(pretrained(), x, features=True)


def _encoded(x: Tensor) -> Tensor:
    centre, whitening = _whitening()
    return ((in_batches(encoder(), x).double() - centre) @ whitening).float()


@functools.cache
def _whitening() -> tuple[Tensor, Tensor]:
    """The mean μ (64,) of the test images' features, and Σ^−½ (64, 64) of their covariance Σ."""
    z = in_batches(encoder(), mnist.to_model(mnist.load("test")[0])).double()
    values, vectors = torch.linalg.eigh(torch.cov(z.T))
    return z.mean(0), (vectors * values.rsqrt()) @ vectors.T


JUDGES: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({"classifier": _classified, "encoder": _encoded})
"""By name: images (B, 1, 28, 28) in [−1, 1] to features (B, d)."""


def seen_by(judge: str, images: Tensor) -> Tensor:
    """What a judge of `JUDGES` sees of images (n, 1, 28, 28), features (n, d); values outside [−1, 1] are clamped."""
    compute = JUDGES[_checks.choice("judge", judge, JUDGES)]
    return compute(check_digits(images).detach().float().clamp(-1, 1))


def check_digits(images: Tensor, channels: int = 1) -> Tensor:
    """Check digits (n, channels, 28, 28) on the models' scale, with paper at −1, and return them.

    Raises:
        TypeError, ValueError: images of another shape or scale (bytes, or [0, 1]), or not finite.
    """
    if isinstance(images, Tensor) and images.dtype == torch.uint8:
        raise TypeError(f"images must lie in [−1, 1], got {_checks.describe(images)}. Use datasets.mnist.to_model.")
    _checks.tensor("images", images, ("n", _checks.integer("channels", channels), 28, 28))
    if float(images.min()) >= 0:
        raise ValueError(
            f"images must lie in [−1, 1], with paper at −1, got values from {float(images.min()):.3g} to "
            f"{float(images.max()):.3g}. From [0, 1] it is 2 * images - 1."
        )
    return images


def of_training_images(judge: str, rows: Tensor) -> Tensor:
    """The features (n, d) of the training images of these rows (n,); each image is looked at only once."""
    seen, features = _training_features(_checks.choice("judge", judge, JUDGES))
    rows = _checks.indices("rows", rows, len(seen), ("n",))
    new = rows[~seen[rows]].unique()
    if len(new):
        features[new] = seen_by(judge, mnist.to_model(mnist.load("train")[0][new]))
        seen[new] = True
    return features[rows]


@functools.cache
def _training_features(judge: str) -> tuple[Tensor, Tensor]:
    """Which training images a judge has looked at, (60000,), and what it saw, (60000, d)."""
    images, _ = mnist.load("train")
    width = seen_by(judge, mnist.to_model(images[:1])).shape[1]
    return torch.zeros(len(images), dtype=torch.bool), torch.empty(len(images), width)
