"""What a claim is: a sentence that can fail, with the bounds on measured figures under which it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from torch import Tensor

from diffusion_teach import _checks

Measured = SupportsFloat | Sequence[float] | Tensor
"""A number, or several (one a seed, say) that must all hold."""


@dataclass(frozen=True)
class Bound:
    """An interval that a measured figure must lie in, ends included."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"a bound's low end must not exceed its high end, got {self.low:g} and {self.high:g}.")

    def holds(self, value: float) -> bool:
        """Whether the value lies inside; NaN never does."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low == self.high:
            return f"exactly {self.low:g}"
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        return f"between {self.low:g} and {self.high:g}"


def at_most(value: float) -> Bound:
    """The figure may not exceed the value."""
    return Bound(high=value)


def at_least(value: float) -> Bound:
    """The figure may not fall below the value."""
    return Bound(low=value)


def between(low: float, high: float) -> Bound:
    """The figure lies in [low, high]."""
    return Bound(low, high)


@dataclass(frozen=True)
class Claim:
    """One row of the table of claims.

    Attributes:
        id: its name, words joined by hyphens.
        chapter: the notebook that measures it, without its ending.
        sentence: what is claimed, in words that do not change with the measurement.
        source: key of the bibliography, or "" for what only this book claims.
        facts: which of the book's thirteen facts it bears on.
        bounds: by the name of the measured figure, where it must lie.
        printed: the figure that the source prints, in words; "" where there is none.
        stored: the command that measures its figures again, where the chapter reads them from a stored study; "" where
            it measures them itself.
    """

    id: str
    chapter: str
    sentence: str
    bounds: Mapping[str, Bound]
    source: str = ""
    facts: tuple[int, ...] = ()
    printed: str = ""
    stored: str = ""

    @property
    def line(self) -> str:
        """What a claim that holds shows, the same on every machine."""
        return f"✓ {self.id}: {self.sentence}"

    def failures(self, measured: Mapping[str, Measured]) -> list[str]:
        """What does not hold, one sentence a figure; empty where the claim holds.

        Raises:
            ValueError: when the figures given are not those that the claim bounds.
        """
        for name in measured:
            _checks.choice(f"a figure of {self.id}", name, self.bounds)
        missing = [name for name in self.bounds if name not in measured]
        if missing:
            raise ValueError(f"{self.id} needs the figure {missing[0]!r} too. Pass {missing[0]}=….")
        failed = []
        for name, bound in self.bounds.items():
            values = as_floats(name, measured[name])
            bad = [value for value in values if not bound.holds(value)]
            if bad:
                failed.append(f"{name} is {', '.join(f'{value:.6g}' for value in bad)}, claimed {bound}")
        return failed


def as_floats(name: str, value: Measured) -> list[float]:
    """A measured figure as a flat list of floats."""
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "biuf" or array.size == 0:
        raise TypeError(f"{name} must be a number or several, got {_checks.describe(value)}.")
    return [float(entry) for entry in array.ravel()]
