"""Samples as the bytes of a file: arrays (.npz), a grid (.png), or the reverse process (.gif).

The channels of stacked digits lie side by side.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import mnist, stacked_digits
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import OneCall, generate, in_one_call, path

SCALE = 2
"""Pixels of the picture for each of the digit."""


def drawn(
    denoiser: Denoiser,
    suffix: str,
    count: int,
    digits: list[int],
    *,
    sampler: str,
    steps: int,
    guidance: float = 0.0,
    seed: int = 0,
    precision: str = "float32",
) -> bytes:
    """Draw samples, and return the file that shows them.

    Args:
        suffix: ".npz", ".png" or ".gif".
        digits: labels, given to the samples in turn; none for an empty list.
        count, sampler, steps, guidance, seed, precision: see `generate.generate`.
    """
    _checks.choice("suffix", suffix, (".npz", ".png", ".gif"))
    labels = torch.tensor([digits[k % len(digits)] for k in range(count)]) if digits else None
    turns = len(digits) or 1
    width = turns * max(1, round(math.sqrt(count) / turns))  # of equal labels in a column
    asked: dict[str, Any] = {"sampler": sampler, "steps": steps, "labels": labels, "guidance": guidance, "seed": seed}
    asked["precision"] = precision
    if suffix == ".gif":
        from diffusion_teach.plots import gif, image_frames

        frames = [stacked_digits.strip(x) for x in path(denoiser, count, **asked)]
        return gif(image_frames(frames, columns=width, scale=SCALE))
    return _file(generate(denoiser, count, **asked), suffix, width, labels)


def drawn_in_one_call(model: OneCall, suffix: str, count: int, *, seed: int = 0) -> bytes:
    """Draw samples of a GAN or a VAE, and return the file that shows them: ".npz" or ".png"."""
    _checks.choice("suffix", suffix, (".npz", ".png"))
    return _file(in_one_call(model, count, seed=seed), suffix, max(1, round(math.sqrt(count))))


def _file(images: Tensor, suffix: str, width: int, labels: Tensor | None = None) -> bytes:
    images = stacked_digits.strip(images)
    return npz(images, labels) if suffix == ".npz" else png(images, width)


def npz(images: Tensor, labels: Tensor | None = None) -> bytes:
    """A compressed archive of arrays: `samples` (N, 28, 28) uint8, 255 being ink, and `labels` (N,) int64 if given."""
    arrays = {"samples": mnist.to_uint8(images).numpy()}
    if labels is not None:
        arrays["labels"] = _checks.tensor("labels", labels, (len(images),), floating=False).numpy()
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def png(images: Tensor, columns: int) -> bytes:
    """A grid of images, ink on paper."""
    from diffusion_teach.plots import mosaic

    sheet = 255 - mosaic(images, columns).repeat_interleave(SCALE, 0).repeat_interleave(SCALE, 1)
    file = io.BytesIO()
    Image.fromarray(sheet.numpy()).save(file, format="PNG", optimize=True)
    return file.getvalue()
