"""Trials, random test points: there an answer must do as the solution does, or draw from the law that the task states.

That a draw is repeatable, Gaussian and not shared is seen here, for all exercises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, same


@dataclass(frozen=True)
class Law:
    """How the entries of a draw are distributed, each by itself: means and deviations, shaped like the draw.

    Attributes:
        mean, std: of each entry; where the deviation is 0 the draw is the mean.
        gaussian: whether it is normal; a coin is not.
    """

    mean: Tensor
    std: Tensor
    gaussian: bool = True


@dataclass(frozen=True)
class Trial:
    """A test point.

    Attributes:
        arguments: what the answer is called with, a generator after them where it draws.
        law: of what is drawn; None where the answer is what the solution gives.
        drawn: reads the draw from what is returned; raises `Wrong` where that holds something else that is wrong.
    """

    arguments: tuple[Any, ...]
    law: Law | None = None
    drawn: Callable[[Any], Tensor] = lambda value: value


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """A number between two others, for a trial."""
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def agrees(value: Any, expected: Any) -> None:
    """Raise `Wrong` where an answer is not what the solution gives at a test point."""
    if not same(value, expected):
        place = int((value.detach().reshape(expected.shape) - expected).abs().argmax())
        raise Wrong(
            "right where it was tried first, and not elsewhere: expected "
            f"{float(expected.flatten()[place]):.4g}, yours is {float(value.flatten()[place]):.4g}. Does your function "
            "use all of its arguments?"
        )


def obeys(draw: Callable[[torch.Generator], Tensor], law: Law) -> None:
    """Raise `Wrong` where draws do not obey a law, are shared among entries, or do not come from the generator.

    Bounds are four and a half standard errors and more.
    """
    value = draw(torch.Generator().manual_seed(1))
    same(value, law.mean)  # a tensor of the right shape, and finite
    if not torch.equal(value, draw(torch.Generator().manual_seed(1))):
        name = "randn" if law.gaussian else "rand"
        raise Wrong(f"right, but not repeatable: pass the generator on to `torch.{name}`.")
    mean, std = law.mean.double(), law.std.double().expand(law.mean.shape)
    value = value.detach().to(mean).reshape(mean.shape)
    fixed = std == 0
    if not torch.allclose(value[fixed], mean[fixed], atol=1e-4, rtol=1e-4):
        raise Wrong("right where it was tried first, and not elsewhere: where nothing is left to draw it still does.")
    if fixed.all():
        return
    if torch.equal(value, draw(torch.Generator().manual_seed(2)).detach().to(mean).reshape(mean.shape)):
        raise Wrong("another generator gives the same numbers: use the one that is passed, and make none of your own.")
    z = torch.where(fixed, 0.0, (value - mean) / std.clamp(min=1e-12))
    error = float((~fixed).sum()) ** -0.5
    centred = mean - mean.mean()
    weight = centred.square().sum().clamp(min=1e-12)
    slope, room = float((centred * value).sum() / weight), 4.5 * float((centred * std).square().sum().sqrt() / weight)
    off = float(z[~fixed].mean()), float(z[~fixed].std())
    if abs(off[0]) > 5 * error or abs(off[1] - 1) > 4 * error + 0.005 or abs(slope - 1) > room + 0.002:
        raise Wrong(
            f"right where it was tried first, and not elsewhere: what you draw lies {off[0]:.3f} of its deviations "
            f"beside its mean, and its deviation is {off[1]:.3f} times what it should be. Does your function use all "
            "of its arguments?"
        )
    for dim, size in enumerate(z.shape):
        for shift in {1, size // 2} - {0, size}:
            if abs(float((z * z.roll(shift, dim))[~fixed].mean())) > 6 * error:
                raise Wrong("some entries share a draw: each needs a number of its own, noise of the full shape.")
    if law.gaussian and abs(float(z[~fixed].pow(4).mean()) - 3) > 30 * error:
        raise Wrong("mean and deviation are right, the shape is not: the noise is no Gaussian. Use `randn`.")
