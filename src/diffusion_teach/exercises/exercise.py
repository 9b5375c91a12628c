"""What an exercise is: a task, an examiner that names the mistake, a solution, and the mistakes it is known to name.

An examiner knows one or a few test points, at which it tells mistakes apart. An answer that passes it is then tried
elsewhere: at random points it must do as the solution does, or draw from the law that the task states, see `Trial`.
That a draw is repeatable, Gaussian and not shared is seen there, for all exercises.
"""

from __future__ import annotations

import dis
import functools
import linecache
import math
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks

Answer = Callable[..., Any]
TRIALS = (101, 102, 103)
"""Seeds of test points, other ones than those of the draws there."""


class NotAttempted(Exception):
    """The answer is still the untouched stub."""


class Wrong(Exception):
    """The answer is wrong; the message says what is."""


class Stopped(Exception):
    """The answer raised an exception; the message says which, and in which of its lines."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the diagnosis it must get."""

    answer: Answer
    diagnosis: str


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
                _agrees(asked(*trial.arguments), self.solution(*trial.arguments))
            else:
                _obeys(functools.partial(_drawn, asked, trial), trial.law)


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


def _agrees(value: Any, expected: Any) -> None:
    """Raise `Wrong` where an answer is not what the solution gives at a test point."""
    if not same(value, expected):
        place = int((value.detach().reshape(expected.shape) - expected).abs().argmax())
        raise Wrong(
            "right where it was tried first, and not elsewhere: expected "
            f"{float(expected.flatten()[place]):.4g}, yours is {float(value.flatten()[place]):.4g}. Does your function "
            "use all of its arguments?"
        )


def _obeys(draw: Callable[[torch.Generator], Tensor], law: Law) -> None:
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


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """A number between two others, for a trial."""
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))
