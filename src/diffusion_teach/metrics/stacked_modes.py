"""Modes of stacked digits: which of a thousand numbers a model makes, and how evenly.

The shipped classifier reads each channel; the three digits are a number in 0 … 999. `modes` counts the numbers that
occur, and takes the divergence of their histogram from equal shares and from those of real stacks: papers print the
one or the other, and rarely say which. Each value stands beside what as many *real* stacks score on average, exactly:
at the protocol's 26,000 a divergence of 0.0236 nats from equal shares (digits are not equally frequent) and of 0.0193
from their own; and only 916 of the numbers occur among 2,500 stacks.

Source: Metz et al. (2017), "Unrolled generative adversarial networks", section 3.3.1; Srivastava et al. (2017),
"VEEGAN", section 5 (26,000 samples).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling, check_images, generate
from diffusion_teach.metrics import features
from diffusion_teach.metrics.modes import expected_covered, expected_kl, label_coverage
from diffusion_teach.networks.network import OneStepGenerator

SAMPLES = 26_000
CARD_SAMPLES = 2_500
"""Of the protocol, and of a model card."""


class StackedModes(NamedTuple):
    """Numbers that occur, of 1,000; KL(samples ‖ equal shares) and KL(samples ‖ real stacks' shares), in nats.

    Each is followed by what as many real stacks score on average.
    """

    covered: int
    covered_real: float
    kl_uniform: float
    kl_uniform_real: float
    kl_data: float
    kl_data_real: float


def numbers(images: Tensor) -> Tensor:
    """The number that the shipped classifier reads in each stack, the first channel as hundreds.

    Args:
        images: (B, 3, 28, 28) in [−1, 1], a digit a channel; values outside are clamped.

    Returns:
        (B,) int64 in 0 … 999. The classifier always names a digit, even where there is none.
    """
    features.check_digits(images, stacked_mnist.CHANNELS)
    channels = images.detach().float().cpu().clamp(-1, 1).reshape(-1, 1, 28, 28)
    digits = features.predict(features.pretrained(), channels).argmax(1)
    return stacked_mnist.number(digits.view(-1, stacked_mnist.CHANNELS))


def modes(found: Tensor) -> StackedModes:
    """The modes among the numbers of N stacks, and the divergences of their histogram, beside what N real ones score.

    Args:
        found: (N,) whole numbers in 0 … 999, as `numbers` gives; from a stored histogram (1000,) of counts it is
            `torch.arange(1000).repeat_interleave(counts)`. The protocol takes N = 26,000.
    """
    found = _checks.indices("found", found, stacked_mnist.KINDS, ("N",))
    even, own = label_coverage(found, stacked_mnist.KINDS), label_coverage(found, stacked_mnist.shares())
    real = _real(len(found))
    return StackedModes(
        covered=int(even.covered),
        covered_real=real[0],
        kl_uniform=float(even.reverse_kl),
        kl_uniform_real=real[1],
        kl_data=float(own.reverse_kl),
        kl_data_real=real[2],
    )


@functools.cache
def _real(n: int) -> tuple[float, float, float]:
    data = stacked_mnist.shares()
    return expected_covered(data, n), expected_kl(data, n, stacked_mnist.KINDS), expected_kl(data, n)


def histogram(found: Tensor) -> Tensor:
    """How often each number occurs among (N,) of them: (1000,) int64, small enough to store."""
    return torch.bincount(_checks.indices("found", found, stacked_mnist.KINDS, ("N",)), minlength=stacked_mnist.KINDS)


def evaluate(
    model: Denoiser | OneStepGenerator, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
) -> dict[str, Any]:
    """What a card says of a model of stacks: how they were drawn, and the fields of `StackedModes`.

    Args:
        model: of stacks (3, 28, 28).
        sampling: how they are drawn.
        count: how many; by default `CARD_SAMPLES`.
        repeats: none but 1: the modes of several sets of samples are not those of one.
    """
    if repeats is not None and _checks.integer("repeats", repeats) > 1:
        raise _checks.Unsupported(
            f"the modes of stacked digits are counted in one set of samples, got {repeats}: leave out repeats=… "
            "(--repeats), or take a larger count=… (--count)."
        )
    count = CARD_SAMPLES if count is None else _checks.integer("count", count)
    how = _checks.instance("sampling", sampling, Sampling, "a Sampling").of(model)
    if check_images(model) != (stacked_mnist.CHANNELS, 28, 28):
        raise ValueError(f"model must be one of stacked digits, images (3, 28, 28), got images {model.shape}.")
    images = generate(model, count, how, progress=False)
    walk = {"sampler": how.sampler, "steps": how.steps, "seed": how.seed}
    return {**walk, "count": len(images), **modes(numbers(images))._asdict()}
