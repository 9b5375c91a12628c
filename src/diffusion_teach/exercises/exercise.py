"""What an exercise is: a task, an examiner that names the mistake, a solution, and the mistakes it is known to name.

An examiner knows one or a few test points, at which it tells mistakes apart (`examining`). An answer that passes it is
then tried elsewhere, at random points (`trials`).
"""

from __future__ import annotations

import dis
import functools
import linecache
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exercises.examining import Wrong
from diffusion_teach.exercises.trials import Trial, agrees, obeys

Answer = Callable[..., Any]
TRIALS = (101, 102, 103)
"""Seeds of test points, other ones than those of the draws there."""


class NotAttempted(Exception):
    """The answer is still the untouched stub."""


class Stopped(Exception):
    """The answer raised an exception; the message says which, and in which of its lines."""


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
        trial: makes a test point by the numbers of a generator, every argument another one each time.
    """

    id: str
    chapter: str
    examine: Callable[[Answer], None]
    solution: Answer
    mistakes: tuple[Mistake, ...]
    praise: str
    trial: Callable[[torch.Generator], Trial]

    def verdict(self, answer: Answer) -> str:
        """One line on an answer: ✓ right, ✗ what is wrong, ○ not attempted yet. Never raises for a wrong answer."""
        if not callable(answer):
            raise TypeError(f"the answer to {self.id} is a function, got {_checks.describe(answer)}.")
        given: list[Any] = []

        def asked(*args: Any) -> Any:
            value = _ask(answer, args)
            given[:] = [value]
            return value

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, on what was done to an answer
                self.examine(asked)
                self._elsewhere(asked)
        except NotAttempted:
            return f"○ {self.id}: not attempted yet. Fill in the function above and run this cell again."
        except (Wrong, Stopped) as wrong:
            return f"✗ {self.id}: {wrong}"
        except Exception:
            if not given:
                raise
            return f"✗ {self.id}: your function returns {_checks.describe(given[0])}, which is not what is asked for."
        return f"✓ {self.id}: {self.praise}"

    def _elsewhere(self, asked: Answer) -> None:
        """Try an answer that is right where its examiner looks at other points."""
        for seed in TRIALS:
            trial = self.trial(torch.Generator().manual_seed(seed))
            if trial.law is None:
                agrees(asked(*trial.arguments), self.solution(*trial.arguments))
            else:
                obeys(functools.partial(_drawn, asked, trial), trial.law)


def _drawn(asked: Answer, trial: Trial, generator: torch.Generator) -> Tensor:
    return trial.drawn(asked(*trial.arguments, generator))


def _ask(answer: Answer, args: tuple[Any, ...]) -> Any:
    """What an answer gives, called with copies of the tensors: it may work in place."""
    try:
        value = answer(*(arg.clone() if isinstance(arg, Tensor) else arg for arg in args))
    except NotImplementedError:
        raise NotAttempted from None
    except Exception as error:
        message = f"your function stopped{_where(answer, error)} with {type(error).__name__}: {_line(error)}"
        raise Stopped(message) from error
    if value is None or value is Ellipsis:
        if value is Ellipsis or _is_stub(answer):
            raise NotAttempted
        raise Wrong("your function returns nothing: its last line should be a `return`.")
    return tuple(map(_as_tensor, value)) if isinstance(value, tuple) else _as_tensor(value)


def _as_tensor(value: Any) -> Any:
    """A number or an array as a tensor, and all else as it is."""
    return torch.as_tensor(value) if isinstance(value, (int, float)) or hasattr(value, "__array__") else value


def _is_stub(answer: Answer) -> bool:
    """Whether a function does nothing at all."""
    code = getattr(answer, "__code__", None)
    does = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
    return code is not None and {instruction.opname for instruction in dis.get_instructions(code)} <= does


def _where(answer: Answer, error: Exception) -> str:
    """The line of the answer in which an exception arose, as it reads; "" where its source is not known."""
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    text = linecache.getline(str(file), lines[-1]).strip() if lines and lines[-1] else ""
    return f" in `{text}`" if text else ""


def _line(error: Exception) -> str:
    """An exception's message on one line."""
    return " ".join(str(error).split())
