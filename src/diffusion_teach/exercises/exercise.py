"""What an exercise is: a task, an examiner that names the mistake, a solution, and the mistakes it is known to name."""

from __future__ import annotations

from collections.abc import Callable
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
