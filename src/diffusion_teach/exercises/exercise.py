"""What an exercise is: a task, an examiner that names the mistake, a solution, and the mistakes it is known to name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks

Answer = Callable[..., Any]


class NotAttempted(Exception):
    """The answer is still the untouched stub."""


class Wrong(Exception):
    """The answer is wrong; the message says what is."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the diagnosis it must get."""

    answer: Answer
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise of a chapter.

    Attributes:
        id: its name, words joined by hyphens.
        chapter: the notebook that sets it, without its ending.
        examine: calls the answer and raises `Wrong` with a diagnosis, or returns where the answer is right.
        solution: an answer that passes; the chapter shows its source, folded.
        mistakes: wrong answers, each with a diagnosis of its own.
        praise: what a right answer has shown, one sentence.
    """

    id: str
    chapter: str
    examine: Callable[[Answer], None]
    solution: Answer
    mistakes: tuple[Mistake, ...]
    praise: str

    def verdict(self, answer: Answer) -> str:
        """One line on an answer: ✓ right, ✗ what is wrong, ○ not attempted yet. Never raises for a wrong answer."""
        if not callable(answer):
            raise TypeError(f"the answer to {self.id} is a function, got {_checks.describe(answer)}.")

        def attempted(*args: Any) -> Any:
            value = answer(*args)
            if value is None or value is Ellipsis:
                raise NotAttempted
            return value

        try:
            self.examine(attempted)
        except (NotAttempted, NotImplementedError):
            return f"○ {self.id}: not attempted yet. Fill in the function above and run this cell again."
        except Wrong as wrong:
            return f"✗ {self.id}: {wrong}"
        except Exception as error:
            return f"✗ {self.id}: your function stopped with {type(error).__name__}: {error}"
        return f"✓ {self.id}: {self.praise}"


def same(value: Any, expected: Tensor, *, tolerance: float = 1e-4) -> bool:
    """Whether an answer's tensor is the expected one, within a relative tolerance of its size.

    Raises:
        Wrong: when it is no tensor, has another shape, or is not finite.
    """
    if not isinstance(value, Tensor):
        raise Wrong(f"your function returns {_checks.describe(value)}; expected a tensor.")
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


def repeatable(value: Tensor, again: Any, draw: str = "randn") -> None:
    """Raise `Wrong` where an answer that is right otherwise gives another value for the same seed."""
    if not torch.equal(value, again):
        raise Wrong(f"right, but not repeatable: pass the generator on to `{draw}`.")
