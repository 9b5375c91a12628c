"""What examiners say and compare with: an answer is wrong, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks


class Wrong(Exception):
    """The answer is wrong; the message says what is."""


def same(value: Any, expected: Tensor, *, tolerance: float = 1e-4) -> bool:
    """Whether an answer's tensor is the expected one, within a relative tolerance of its size.

    One number may have the shape () or (1,).

    Raises:
        Wrong: when it is no tensor, has another shape, or is not finite.
    """
    expected = expected.detach()
    if not isinstance(value, Tensor):
        raise Wrong(f"your function returns {_checks.describe(value)}; expected a tensor.")
    if value.shape == (1,) and expected.shape == ():
        value = value.squeeze()
    if value.shape != expected.shape:
        raise Wrong(f"your function returns the shape {tuple(value.shape)}; expected {tuple(expected.shape)}.")
    if not torch.isfinite(value).all():
        raise Wrong("your function returns NaN or infinite numbers.")
    scale = float(expected.abs().max().clamp(min=1e-12))
    return float((value.detach() - expected).abs().max()) <= tolerance * scale


def within(*tolerances: float, relative: bool = False) -> Callable[[Any, Any], bool]:
    """Whether two numbers, or two tuples with a tolerance for each place, are near each other: for `diagnose`."""

    def near(value: Any, wrong: Any) -> bool:
        pairs = zip(value, wrong, strict=True) if isinstance(value, tuple) else [(value, wrong)]
        rooms = [{"rel_tol": room} if relative else {"rel_tol": 0.0, "abs_tol": room} for room in tolerances]
        return all(math.isclose(a, b, **room) for (a, b), room in zip(pairs, rooms, strict=True))

    return near


def diagnose(
    value: Any, named: Iterable[tuple[str, Any]], otherwise: str = "", *, near: Callable[[Any, Any], bool] = same
) -> None:
    """Raise `Wrong` with the diagnosis of the first known mistake that gives this value, else with `otherwise`.

    Args:
        value: what the answer gave.
        named: diagnoses, and what each mistake gives.
        otherwise: what to say of an unknown mistake; "" where it may be none.
        near: whether a value is that of a mistake.
    """
    for diagnosis, wrong in named:
        if near(value, wrong):
            raise Wrong(diagnosis)
    if otherwise:
        raise Wrong(otherwise)
