"""Stacked digits: three MNIST digits as the three channels of one picture, a thousand kinds of them.

Digits drawn independently make 10³ combinations of nearly equal shares: a distribution of images with a known and large
number of modes. That is what mode collapse is counted on, see `metrics.stacked_modes`.

Source: Metz et al. (2017), "Unrolled generative adversarial networks", section 3.3.1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist

CHANNELS = 3
KINDS = 10**CHANNELS


def draw(count: int, split: str = "train", *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Stacks of three digits, each drawn from all images of a split, with replacement.

    Args:
        count: how many stacks, B.
        split: "train" or "test".
        generator: draws the digits.

    Returns:
        images: (B, 3, 28, 28) float32 in [−1, 1].
        numbers: (B,) int64 in 0 … 999, see `number`.
    """
    count = _checks.integer("count", count)
    _checks.generator(generator)
    images, labels = mnist.load(split)
    rows = torch.randint(len(images), (count, CHANNELS), generator=generator)
    return of_rows(images, rows), number(labels[rows])


def of_rows(images: Tensor, rows: Tensor) -> Tensor:
    """Stacks (B, C, 28, 28), float32 in [−1, 1], of the images (N, 28, 28) uint8 that rows (B, C) name.

    With C = 1 they are digits as they are.
    """
    if _checks.tensor("images", images, ("N", 28, 28), floating=False).dtype != torch.uint8:
        raise TypeError(f"images must hold bytes (uint8, 0 to 255), got {_checks.describe(images)}.")
    rows = _checks.indices("rows", rows, len(images), ("B", "C"))
    return mnist.to_model(images[rows.flatten()]).view(*rows.shape, *images.shape[-2:])


def strip(images: Tensor) -> Tensor:
    """The channels of pictures (B, C, H, W) side by side, (B, 1, H, C·W): a stack as the number that it is."""
    _checks.tensor("images", images, ("B", "C", "H", "W"), finite=False)
    return images.transpose(1, 2).flatten(2).unsqueeze(1)


def number(digits: Tensor) -> Tensor:
    """The number that three digits write: the first channel gives the hundreds.

    Args:
        digits: (..., 3) whole numbers in 0 … 9.

    Returns:
        (...) int64 in 0 … 999.
    """
    return _checks.indices("digits", digits, 10, ("...", CHANNELS)) @ torch.tensor([100, 10, 1])


def shares(split: str = "train") -> Tensor:
    """How often each number occurs: the product of its digits' shares in a split, (1000,) float64 that sum to one."""
    labels = mnist.load(split)[1]
    share = labels.bincount(minlength=10).double() / len(labels)
    return torch.einsum("i,j,k->ijk", share, share, share).flatten()
