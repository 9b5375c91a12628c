"""Samples as the bytes of a file: arrays (.npz), a grid (.png), or the reverse process (.gif).

The channels of stacked digits lie side by side.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diffusion_teach import _checks, _names
from diffusion_teach.datasets import captions, mnist, stacked_mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling, generate, path
from diffusion_teach.networks.network import OneStepGenerator
from diffusion_teach.plots import gif, image_frames, mosaic

SCALE = 2
"""Pixels of the picture for each of the digit."""


def drawn(
    model: Denoiser | OneStepGenerator,
    suffix: str,
    count: int,
    asked: Sequence[int] | Sequence[str],
    sampling: Sampling,
) -> bytes:
    """Draw samples, and return the file that shows them.

    Args:
        suffix: ".npz", ".png" or ".gif"; the last one shows the reverse process.
        asked: labels, or captions, given to the samples in turn; none where empty.
        model, count, sampling: see `generate.generate`.
    """
    _checks.choice("suffix", suffix, _names.SUFFIXES)
    each = [asked[k % len(asked)] for k in range(count)] if asked else []
    texts = [one for one in each if isinstance(one, str)]
    labels = (captions.tokens(texts) if texts else torch.tensor(each)) if each else None
    turns = len(asked) or 1
    width = turns * max(1, round(math.sqrt(count) / turns))  # of equal labels in a column
    if suffix == ".gif":
        frames = [stacked_mnist.strip(x) for x in path(model, count, sampling, labels=labels)]
        return gif(image_frames(frames, columns=width, scale=SCALE))
    images = stacked_mnist.strip(generate(model, count, sampling, labels=labels))
    return npz(images, None if texts else labels, texts) if suffix == ".npz" else png(images, width)


def npz(images: Tensor, labels: Tensor | None = None, texts: Sequence[str] = ()) -> bytes:
    """A compressed archive of arrays: `samples` (N, 28, W) uint8, 255 being ink, and `labels` (N,) int64 if given, or
    `captions` (N,).

    W is 28, or 84 for stacks, whose digits lie side by side. Canvases are (N, 64, 64).
    """
    arrays = {"samples": mnist.to_uint8(images).numpy()}
    if texts:
        arrays["captions"] = np.array(texts)
    if labels is not None:
        arrays["labels"] = _checks.tensor("labels", labels, (len(images),), floating=False).numpy()
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def png(images: Tensor, columns: int) -> bytes:
    """A grid of images, ink on paper."""
    sheet = 255 - mosaic(images, columns).repeat_interleave(SCALE, 0).repeat_interleave(SCALE, 1)
    file = io.BytesIO()
    Image.fromarray(sheet.numpy()).save(file, format="PNG", optimize=True)
    return file.getvalue()
