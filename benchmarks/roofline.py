"""What this machine can do at most: matrix products and 3×3 convolutions, forward and backward, in both precisions.

The peak is that of the widest layers, which a small network never has: it is the roof, not a rival. One multiply-add
counts as two operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks import timing

MATRIX = (1024, 2048)
CHANNELS = (32, 64, 128, 256)
IMAGES, SIDE = 64, 14  # the resolution of the book's U-Net inside
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def matrix_product(size: int, dtype: torch.dtype) -> tuple[Callable[[], Any], float]:
    """A product of two square matrices, and its operations: 2·size³."""
    a, b = torch.randn(2, size, size, dtype=dtype)
    return lambda: a @ b, 2.0 * size**3


def convolution(channels: int, dtype: torch.dtype, *, images: int = IMAGES) -> tuple[Callable[[], Any], float]:
    """A 3×3 convolution, forward and backward, and its operations: 3·2·9·channels²·places·images."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(images, channels, SIDE, SIDE, dtype=dtype).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    upstream = torch.randn_like(x)

    def run() -> None:
        x.grad = layer.weight.grad = None
        layer(x).backward(upstream)

    return run, 3 * 2.0 * 9 * channels**2 * SIDE**2 * images


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Peaks in 10⁹ operations a second, by kind and precision, and the convolution's by its width."""
    trials, least = (1, 0.01) if quick else (7, 0.3)
    found: dict[str, Any] = {"matrix": {}, "convolution": {}, "convolution_by_channels": {}}
    for precision, dtype in PRECISIONS.items():
        speeds = []
        for size in MATRIX[: 1 if quick else None]:
            run, operations = matrix_product(size, dtype)
            speeds.append(operations / timing.best(run, trials=trials, least=least) / 1e9)
        found["matrix"][precision] = max(speeds)
        by_channels = {}
        for channels in CHANNELS[: 2 if quick else None]:
            run, operations = convolution(channels, dtype, images=4 if quick else IMAGES)
            by_channels[str(channels)] = operations / timing.best(run, trials=trials, least=least) / 1e9
        found["convolution_by_channels"][precision] = by_channels
        found["convolution"][precision] = max(by_channels.values())
    return found
