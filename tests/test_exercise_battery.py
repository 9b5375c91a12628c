"""Answers of every kind to every exercise: right ones in other words pass, wrong ones of the usual kinds do not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach.exercises import TABLE, Answer, Exercise

Change = Callable[[Answer], Answer]
every = pytest.mark.parametrize("exercise", TABLE.values(), ids=TABLE)
RANDN, RAND = torch.randn, torch.rand


def _mapped(value: Any, change: Callable[[Tensor], Any]) -> Any:
    if isinstance(value, tuple):
        return tuple(_mapped(one, change) for one in value)
    return change(value) if isinstance(value, Tensor) else value


def _after(change: Callable[[Tensor], Any]) -> Change:
    return lambda answer: lambda *args: _mapped(answer(*args), change)


def _before(change: Callable[[Any], Any]) -> Change:
    return lambda answer: lambda *args: answer(*(change(arg) for arg in args))


def _where_real(change: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    return lambda value: change(value) if value.is_floating_point() else value


def _in_place(answer: Answer) -> Answer:
    def spoils(*args: Any) -> Any:
        value = answer(*(arg.clone() if isinstance(arg, Tensor) else arg for arg in args))
        for arg in args:
            if isinstance(arg, Tensor):
                arg.detach().zero_()
        return value

    return spoils


def _to(dtype: torch.dtype) -> Callable[[Any], Any]:
    return lambda arg: arg.to(dtype) if isinstance(arg, Tensor) and arg.is_floating_point() else arg


RIGHT: dict[str, Change] = {
    "in place": _in_place,
    "float64": _after(_where_real(Tensor.double)),
    "float32": _after(_where_real(Tensor.float)),
    "computed in float64": _before(_to(torch.float64)),
    "computed in float32": _before(_to(torch.float32)),
    "tensors for numbers": _before(lambda arg: torch.tensor(arg) if isinstance(arg, float) else arg),
    "not contiguous": _after(lambda value: torch.stack([value, value], -1)[..., 0]),
    "a number": _after(lambda value: value if value.ndim or value.requires_grad else value.item()),
    "an array": _after(lambda value: value if value.requires_grad else value.numpy()),
    "one number in a row": _after(lambda value: value if value.ndim else value.reshape(1)),
    "with a graph": _after(_where_real(lambda value: value + torch.zeros((), requires_grad=True))),
    "rounded": _after(lambda value: value * (1 + 1e-6) if not _whole(value) else value),
}


def _whole(value: Tensor) -> bool:
    return bool((value == value.round()).all())


def _forget(value: Any) -> None:
    """Nothing."""


def _constant(answer: Answer) -> Answer:
    first: list[Any] = []

    def always(*args: Any) -> Any:
        first[:] = first or [answer(*args)]
        return _mapped(first[0], Tensor.clone)

    return always


WRONG: dict[str, Change] = {
    "constants of the test point": _constant,
    "1 % more": _after(lambda value: value * 1.01 if value.is_floating_point() else value + 1),
    "3 % less": _after(lambda value: value * 0.97 if value.is_floating_point() else value - 1),
    "the other sign": _after(lambda value: -value),
    "nothing": _after(torch.zeros_like),
    "rows reversed": _after(lambda value: value.flip(0) if value.ndim and len(value) > 1 else value + 1),
    "shifted": _after(
        lambda value: value + 0.05 * (value.abs().mean() + 0.01) if value.is_floating_point() else value + 1
    ),
    "too many dimensions": _after(lambda value: value[None, None]),
    "not a number": _after(lambda value: value * torch.nan),
    "no return": lambda answer: lambda *args: _forget(answer(*args)),
}

Draw = Callable[[tuple[int, ...], dict[str, Any]], Tensor]


def _laplace(shape: tuple[int, ...], options: dict[str, Any]) -> Tensor:
    u = RAND(shape, **options) - 0.5
    return -u.sign() * torch.log1p(-2 * u.abs()) / 2**0.5


NOISE: dict[str, Draw] = {
    "signs": lambda shape, options: RANDN(shape, **options).sign(),
    "uniform": lambda shape, options: (RAND(shape, **options) - 0.5) * 12**0.5,
    "Laplace": _laplace,
    "one draw for all rows": lambda shape, options: RANDN((1, *shape[1:]), **options).expand(shape).clone(),
    "one draw a row": lambda shape, options: (
        RANDN((shape[0], *[1] * (len(shape) - 1)), **options).expand(shape).clone()
    ),
    "one draw for two rows": lambda shape, options: RANDN((shape[0] // 2, *shape[1:]), **options).repeat_interleave(
        2, 0
    ),
    "the first half again": lambda shape, options: RANDN((shape[0] // 2, *shape[1:]), **options).repeat(
        2, *[1] * (len(shape) - 1)
    ),
    "one draw for all": lambda shape, options: RANDN([1] * len(shape), **options).expand(shape).clone(),
    "off its centre": lambda shape, options: RANDN(shape, **options) + 0.2,
}
GENERATORS: dict[str, Callable[[torch.Generator], torch.Generator]] = {
    "the global one": lambda generator: torch.default_generator,
    "a private one": lambda generator: torch.Generator().manual_seed(0),
}
# What a right answer may leave unused: power iteration that has converged, and the points that R₁ does not look at.
UNUSED = {("spectral-norm", "steps"), ("r1-penalty", "fake")}


def _without(place: int) -> Change:
    """An answer that never looks at an argument, but takes what it was at first."""

    def change(answer: Answer) -> Answer:
        first: list[Any] = []

        def deaf(*args: Any) -> Any:
            first[:] = first or [args[place].clone() if isinstance(args[place], Tensor) else args[place]]
            return answer(*args[:place], first[0], *args[place + 1 :])

        return deaf

    return change


def _arguments(exercise: Exercise) -> list[str]:
    return list(inspect.signature(exercise.solution).parameters)


def _takes_functions(exercise: Exercise) -> bool:
    return any(callable(argument) for argument in exercise.trial(torch.Generator()).arguments)


@every
@pytest.mark.parametrize("words", RIGHT)
def test_right_in_other_words(exercise: Exercise, words: str) -> None:
    if words.startswith("computed") and _takes_functions(exercise):
        pytest.skip("its functions compute in a precision of their own")
    verdict = exercise.verdict(RIGHT[words](exercise.solution))
    assert verdict == f"✓ {exercise.id}: {exercise.praise}"


@every
@pytest.mark.parametrize("kind", WRONG)
def test_wrong_as_answers_are(exercise: Exercise, kind: str) -> None:
    assert exercise.verdict(WRONG[kind](exercise.solution)).startswith(f"✗ {exercise.id}: ")


@every
def test_every_argument_counts(exercise: Exercise) -> None:
    for place, name in enumerate(_arguments(exercise)):
        if name != "generator" and (exercise.id, name) not in UNUSED:
            assert exercise.verdict(_without(place)(exercise.solution)).startswith("✗"), name


@every
def test_a_generator_is_the_one_that_is_passed(exercise: Exercise) -> None:
    for name, other in GENERATORS.items() if "generator" in _arguments(exercise) else ():
        answer = _before(lambda arg, other=other: other(arg) if isinstance(arg, torch.Generator) else arg)
        assert exercise.verdict(answer(exercise.solution)).startswith("✗"), name


@every
def test_noise_is_gaussian_and_every_entry_s_own(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    if "randn" not in inspect.getsource(exercise.solution):
        return
    for name, draw in NOISE.items():

        def answer(*args: Any, draw: Draw = draw) -> Any:
            with monkeypatch.context() as patch:
                patch.setattr(torch, "randn", lambda shape, **options: draw(tuple(shape), options))
                return exercise.solution(*args)

        assert exercise.verdict(answer).startswith("✗"), name


@every
def test_what_can_be_learned_from_is_not_detached(exercise: Exercise) -> None:
    answers: list[bool] = []

    def watched(*args: Any) -> Any:
        value = exercise.solution(*args)
        answers.append(isinstance(value, Tensor) and value.requires_grad)
        return value

    exercise.verdict(watched)
    if any(answers):
        assert exercise.verdict(_after(Tensor.detach)(exercise.solution)).startswith("✗")
