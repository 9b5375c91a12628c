"""Real digits, spoilt in known ways: what a judge of digits must tell from real ones, and in which order.

Each takes images (n, 1, 28, 28) in [−1, 1] and returns as many. `studies.judges` lets both judges look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

Spoil = Callable[[Tensor, torch.Generator], Tensor]


def blurred(x: Tensor) -> Tensor:
    """Each pixel is the mean of its 3 × 3 neighbourhood, as far as it lies in the picture."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def noised(x: Tensor, generator: torch.Generator, std: float = 0.3) -> Tensor:
    """With Gaussian noise, cut off at paper and ink."""
    return (x + std * torch.randn(x.shape, generator=generator)).clamp(-1, 1)


def shifted(x: Tensor, pixels: int = 1) -> Tensor:
    """Moved to the right; what leaves the picture comes in on its left."""
    return x.roll(pixels, dims=-1)


def thicker(x: Tensor, share: float = 0.3) -> Tensor:
    """Part of the way to the darkest of each pixel's 3 × 3 neighbourhood."""
    return torch.lerp(x, F.max_pool2d(x, 3, stride=1, padding=1), share)


def thinner(x: Tensor, share: float = 0.3) -> Tensor:
    """Part of the way to the lightest of each pixel's 3 × 3 neighbourhood."""
    return -thicker(-x, share)


def memorised(x: Tensor, generator: torch.Generator, known: int = 500) -> Tensor:
    """Copies of the first few images only."""
    return x[torch.randint(known, (len(x),), generator=generator)]


def overlaid(x: Tensor, generator: torch.Generator, share: float = 0.05) -> Tensor:
    """Of some images the darker of the image and another one."""
    count = round(share * len(x))
    chosen, other = torch.randperm(len(x), generator=generator)[: 2 * count].chunk(2)
    made = x.clone()
    made[chosen] = torch.maximum(x[chosen], x[other])
    return made


def mixed_with_noise(x: Tensor, generator: torch.Generator, share: float = 0.01) -> Tensor:
    """Some images replaced by pure noise, cut off at paper and ink."""
    noise, made = torch.randn(x.shape, generator=generator), x.clone()
    made[: round(share * len(x))] = noise[: round(share * len(x))].clamp(-1, 1)
    return made


SPOILT: Mapping[str, Spoil] = MappingProxyType(
    {
        "blurred 3 × 3": lambda x, g: blurred(x),
        "noise .1": lambda x, g: noised(x, g, 0.1),
        "noise .3": noised,
        "shifted by one pixel": lambda x, g: shifted(x),
        "shifted by two pixels": lambda x, g: shifted(x, 2),
        "thicker": lambda x, g: thicker(x),
        "thinner": lambda x, g: thinner(x),
        "500 images, copied": memorised,
        "100 images, copied": lambda x, g: memorised(x, g, 100),
        "5 % overlaid": overlaid,
        "25 % overlaid": lambda x, g: overlaid(x, g, 0.25),
        "1 % pure noise": mixed_with_noise,
    }
)
"""By what was done to the images."""
