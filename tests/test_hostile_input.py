"""Hostile arguments at every public door, one at a time, the others right (see `tests/doors`).

Each is refused by a TypeError or ValueError that names the parameter, or it is one that the parameter's kind takes.
What is right but unusual, such as a number of numpy's or a NaN within a tensor, gives the same answer, a NaN, or such
an error: never an error from below, and never a wrong number.
"""

from __future__ import annotations

import linecache
import math
import numbers
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.doors import HOSTILE, SLOW, Door, called, doors, kinds

DOORS = list(doors())
every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)


def complaint(door: Door, names: Iterable[str], arguments: dict[str, Any]) -> tuple[str | None, Any]:
    """Call a door: what is wrong with the error that it raises, None for one that has a name; and what it returns."""
    try:
        result = door.call(arguments)
    except (TypeError, ValueError, FileNotFoundError) as error:
        words = [word for name in names for word in [name, *called(door, name)]]
        named = any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", str(error)) for word in words)
        return (None if named and _is_ours(error) else f"{type(error).__name__}: {str(error)[:200]}"), None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}", None
    return "accepted", result


def _is_ours(error: BaseException) -> bool:
    """Whether a line of the library raised it, and not a library below."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None
    file = trace.tb_frame.f_code.co_filename
    return "diffusion_teach" in file and "raise " in linecache.getline(file, trace.tb_lineno)


def slow(door: Door) -> bool:
    return any(fnmatch(door.name, pattern) for pattern in SLOW)


@every_door
def test_what_is_of_another_kind_is_refused_by_name(door: Door) -> None:
    wrong, right = [], door.right()
    for name, parameter in door.parameters.items():
        taken = kinds(door, parameter)
        for what, make in HOSTILE.items():
            said, _ = complaint(door, [name], {**right, name: make()}) if what not in taken else (None, None)
            if said is not None:
                wrong.append(f"{name} = {what}: {said}")
    assert not wrong, "\n".join(wrong)


@every_door
def test_right_values_are_taken_and_numpys_numbers_with_them(door: Door) -> None:
    if slow(door):
        return
    wanted, wrong = door.call(door.right()), []
    for name, value in door.right().items():
        for other in _of_numpy(value):
            said, found = complaint(door, [name], {**door.right(), name: other})
            if said is not None and (said != "accepted" or not same(found, wanted)):
                wrong.append(f"{name} = {other!r} ({type(other).__name__}): {said}")
    assert not wrong, "\n".join(wrong)


def _of_numpy(value: Any) -> Iterator[Any]:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62:
        yield np.int64(value)
    elif isinstance(value, float) and math.isfinite(value):
        yield np.float64(value)
    elif isinstance(value, tuple) and value and all(isinstance(part, float) for part in value):
        yield tuple(np.float64(part) for part in value)


@every_door
def test_unusual_tensors_never_give_a_wrong_number_or_an_error_from_below(door: Door) -> None:
    wrong = []
    for name, value in door.right().items():
        for what, other in _unusual(value) if isinstance(value, Tensor) and not slow(door) else ():
            said, found = complaint(door, [""], {**door.right(), name: other})
            if said is not None and said != "accepted":
                wrong.append(f"{name} {what}: {said}")
            elif said is not None and what == "with a NaN" and name != "like" and not holds_nan(found):
                wrong.append(f"{name} {what}: no NaN in {str(found)[:80]}")
    assert not wrong, "\n".join(wrong)


def _unusual(value: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "with a dimension more", value.unsqueeze(0)
    yield "with a dimension more at its end", value.unsqueeze(-1)
    yield "as one number", value.flatten()[0].clone()
    yield "cut short", value[..., : value.shape[-1] // 2].clone() if value.ndim else value
    yield "with fewer rows", value[:1].clone() if value.ndim else value
    if value.is_floating_point():
        yield "in double precision", value.double()
        yield "in 16 bits", value.bfloat16()
        yield "below 0", -1 - value.abs()
        yield "far away", value + 1e6
        broken = value.clone()
        broken.view(-1)[0] = math.nan
        yield "with a NaN", broken


def same(a: Any, b: Any) -> bool:
    """Whether two answers hold the same numbers, both of Python's; other objects are compared by what they keep."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.shape == b.shape and torch.allclose(a, b, equal_nan=True)
    if isinstance(a, numbers.Number):
        return a == b or a != a
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    kept = {name: value for name, value in getattr(a, "__dict__", {}).items() if isinstance(value, KEPT)}
    return all(same(value, getattr(b, name)) for name, value in kept.items())


KEPT = (numbers.Number, Tensor, tuple)


def holds_nan(value: Any) -> bool:
    """Whether there is a NaN or an infinite number in an answer, or an answer without any number."""
    if isinstance(value, Tensor):
        return not value.is_floating_point() or not bool(value.isfinite().all())
    if isinstance(value, (bool, int)) or not isinstance(value, (float, Iterable)):
        return True
    return not math.isfinite(value) if isinstance(value, float) else not list(value) or any(map(holds_nan, value))
