"""MNIST: 70,000 handwritten digits of 28 × 28 pixels, inside the package, so that nothing is downloaded.

Licence: MNIST is by Yann LeCun and Corinna Cortes, Creative Commons Attribution-ShareAlike 3.0 (CC BY-SA 3.0).
The data file holds the same bytes as the four canonical IDX files, only packed differently.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86 (1998).
"""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffusion_teach import _checks, _files

SPLITS = ("train", "test")
LICENCE = "CC BY-SA 3.0, Y. LeCun and C. Cortes"
PATH = Path(__file__).with_name("mnist.npz")
SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def load(split: str = "train") -> tuple[Tensor, Tensor]:
    """The images and labels of one split, in the canonical order.

    The data file's SHA-256 is verified when it is read, which is once in a process; what is returned is a copy that
    the caller may change.

    Args:
        split: "train" (60,000 images) or "test" (10,000).

    Returns:
        images: (N, 28, 28) uint8, 0 is paper and 255 is ink.
        labels: (N,) int64, the digit 0 to 9.

    Raises:
        ValueError: another split is named.
        FileNotFoundError, DamagedFileError: the data file is missing or damaged; the message names it, the expected
            hash and how to mend.
    """
    _checks.choice("split", split, SPLITS)
    images, labels = _arrays(PATH, split)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))


@functools.cache
def _arrays(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    data = _files.read_verified(path, SHA256)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return arrays[f"x_{split}"], arrays[f"y_{split}"]


def to_model(images: Tensor) -> Tensor:
    """Turn bytes into what the models work on: x = images / 127.5 − 1.

    Args:
        images: (N, 28, 28) or (N, 1, 28, 28) uint8; any height and width are taken.

    Returns:
        (N, 1, 28, 28) float32 in [−1, 1]; −1 is paper and 1 is ink.
    """
    _bytes(images)
    if images.ndim == 3:
        images = images.unsqueeze(1)
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"images must have shape (N, H, W) or (N, 1, H, W), got {_checks.describe(images)}.")
    return images.float().div_(127.5).sub_(1)


def binarise(images: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Toss a coin for each pixel: ink, 1, with the probability byte/255; else paper, 0.

    Nats of binary images depend on how they were made. This is the stochastic binarisation of Salakhutdinov and Murray
    (2008); drawing anew each time that an image is used is called dynamic, drawing once static. A threshold is a
    third convention.

    Args:
        images: (N, 28, 28) uint8; any height and width are taken.
        generator: of the coins.

    Returns:
        (N, 784) float32 of zeros and ones, in raster order.
    """
    pixels = _bytes(images, ("N", "H", "W")).flatten(1)
    g = _checks.generator(generator)
    coin = torch.randint(0, 255, pixels.shape, dtype=torch.uint8, device=pixels.device, generator=g)
    return (coin < pixels).float()


def _bytes(images: Tensor, shape: tuple[str, ...] | None = None) -> Tensor:
    _checks.tensor("images", images, shape, floating=False)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must hold bytes (uint8, 0 to 255), got {_checks.describe(images)}.")
    return images


def to_uint8(x: Tensor) -> Tensor:
    """Turn what a model made into bytes: round(127.5 · (x + 1)), clamped to 0 … 255. The inverse of `to_model`.

    Args:
        x: (N, 1, H, W) floating point; values outside [−1, 1] are clamped, NaN is an error.

    Returns:
        (N, H, W) uint8.
    """
    _checks.tensor("x", x, ("N", 1, "H", "W"), finite=False)
    if torch.isnan(x).any():
        raise ValueError(
            f"x must hold no NaN, got {int(torch.isnan(x).sum())} NaN of {x.numel()} elements. "
            "Find the first sampling step that makes one."
        )
    return x.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).squeeze(1)
