"""`latent-scale`: bring latents to mean 0 and variance 1."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def latent_scale(mean: Tensor) -> Tensor:
    """Latents z₀ of means (B, C, H, W): one shift and one scale for all numbers."""
    return (mean - mean.mean()) / mean.std()


def _example() -> Tensor:
    """So many numbers that it does not matter whether a variance is divided by them or by one less."""
    z = torch.randn(16, 2, 16, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return 2.5 * z * torch.tensor([0.3, 1.5], dtype=torch.float64).view(2, 1, 1) + 0.7


def _each_channel(z: Tensor) -> Tensor:
    axes = (0, 2, 3)
    return (z - z.mean(axes, keepdim=True)) / z.std(axes, keepdim=True)


def _each_sample(z: Tensor) -> Tensor:
    axes = (1, 2, 3)
    return (z - z.mean(axes, keepdim=True)) / z.std(axes, keepdim=True)


def _examine(answer: Answer) -> None:
    z = _example()
    value, expected = answer(z), latent_scale(z)
    if same(value, expected):
        return
    named = {
        "the mean is still there: subtract it before you scale.": z / z.std(),
        "the mean is taken off after the scaling: then the scale must be that of what is left.": z / z.std() - z.mean(),
        "you divide by the variance: the deviation is its root.": (z - z.mean()) / z.var(),
        "you multiply by the deviation: a latent that is too large must become smaller.": (z - z.mean()) * z.std(),
        "you scale each channel by its own: one scale for all keeps what a channel weighs.": _each_channel(z),
        "you scale each picture by its own: then the scale would depend on the picture, and decoding could not "
        "undo it.": _each_sample(z),
        "that is the mean's shift alone: the variance is still that of the encoder.": z - z.mean(),
        "you divide by the root mean square, which counts the mean, too.": (z - z.mean()) / z.square().mean().sqrt(),
    }
    diagnose(
        value,
        named.items(),
        f"your latents have the mean {float(value.mean()):.3f} and the deviation {float(value.std()):.3f}; they should "
        "have 0 and 1, by one shift and one scale.",
    )


def _trial(g: torch.Generator) -> Trial:
    z = torch.randn(12, 3, 16, 16, generator=g) * torch.tensor([0.3, 1.0, 2.0]).view(3, 1, 1)
    return Trial((uniform(g, 0.2, 4.0) * z + uniform(g, -1.0, 1.0),))


EXERCISE = Exercise(
    id="latent-scale",
    chapter="13_latent_diffusion",
    examine=_examine,
    solution=latent_scale,
    mistakes=(
        Mistake(lambda z: z / z.std(), "the mean is still there"),
        Mistake(lambda z: z / z.std() - z.mean(), "after the scaling"),
        Mistake(lambda z: (z - z.mean()) / z.var(), "by the variance"),
        Mistake(lambda z: (z - z.mean()) * z.std(), "multiply by the deviation"),
        Mistake(_each_channel, "each channel by its own"),
        Mistake(_each_sample, "each picture by its own"),
        Mistake(lambda z: z - z.mean(), "shift alone"),
        Mistake(lambda z: (z - z.mean()) / z.square().mean().sqrt(), "root mean square"),
    ),
    praise="a schedule with α² + σ² = 1 takes latents of this size for granted.",
    trial=_trial,
)
