"""Real digits, spoilt in known ways: what a judge of digits must tell from real ones, and in which order.

Each takes images (n, 1, 28, 28) in [−1, 1] and returns as many. `studies.judges` lets both judges look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from diffusion_teach import _checks

Spoil = Callable[[Tensor, torch.Generator], Tensor]


def blurred(x: Tensor) -> Tensor:
    """Each pixel is the mean of its 3 × 3 neighbourhood, as far as it lies in the picture."""
    return F.avg_pool2d(_images(x), 3, stride=1, padding=1, count_include_pad=False)


def noised(x: Tensor, generator: torch.Generator, std: float = 0.3) -> Tensor:
    """With Gaussian noise, cut off at paper and ink."""
    std = _checks.number("std", std, least=0)
    noise = torch.randn(_images(x).shape, generator=_checks.generator(generator))
    return (x + std * noise).clamp(-1, 1)


def shifted(x: Tensor, pixels: int = 1) -> Tensor:
    """Moved to the right; what leaves the picture comes in on its left."""
    return _images(x).roll(_checks.integer("pixels", pixels, least=-28), dims=-1)


def thicker(x: Tensor, share: float = 0.3) -> Tensor:
    """Part of the way to the darkest of each pixel's 3 × 3 neighbourhood."""
    return torch.lerp(_images(x), F.max_pool2d(x, 3, stride=1, padding=1), _share(share))


def thinner(x: Tensor, share: float = 0.3) -> Tensor:
    """Part of the way to the lightest of each pixel's 3 × 3 neighbourhood."""
    return -thicker(-_images(x), share)


def memorised(x: Tensor, generator: torch.Generator, known: int = 500) -> Tensor:
    """Copies of the first few images only."""
    known = _checks.integer("known", known, most=len(_images(x)))
    return x[torch.randint(known, (len(x),), generator=_checks.generator(generator))]


def overlaid(x: Tensor, generator: torch.Generator, share: float = 0.05) -> Tensor:
    """Of some images the darker of the image and another one."""
    count = round(_share(share, most=0.5) * len(_images(x)))
    chosen, other = torch.randperm(len(x), generator=_checks.generator(generator))[: 2 * count].chunk(2)
    made = x.clone()
    made[chosen] = torch.maximum(x[chosen], x[other])
    return made


def mixed_with_noise(x: Tensor, generator: torch.Generator, share: float = 0.01) -> Tensor:
    """Some images replaced by pure noise, cut off at paper and ink."""
    noise, made = torch.randn(_images(x).shape, generator=_checks.generator(generator)), x.clone()
    count = round(_share(share) * len(x))
    made[:count] = noise[:count].clamp(-1, 1)
    return made


def _images(x: Tensor) -> Tensor:
    return _checks.tensor("x", x, ("n", "C", "H", "W"))


def _share(share: float, most: float = 1.0) -> float:
    return _checks.number("share", share, least=0, most=most)


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
