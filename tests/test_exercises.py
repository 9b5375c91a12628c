"""Every exercise's solution passes, every known mistake is named by its own words, and a stub breaks nothing."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion_teach import exercises
from diffusion_teach.exercises import TABLE, Exercise, Law, Mistake, Trial

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
every = pytest.mark.parametrize("exercise", TABLE.values(), ids=TABLE)
MISTAKES = [(exercise, mistake) for exercise in TABLE.values() for mistake in exercise.mistakes]


@every
def test_the_solution_passes(exercise: Exercise) -> None:
    assert exercise.verdict(exercise.solution) == f"✓ {exercise.id}: {exercise.praise}"


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=[f"{e.id}-{e.mistakes.index(m)}" for e, m in MISTAKES])
def test_a_known_mistake_gets_its_own_diagnosis(exercise: Exercise, mistake: Mistake) -> None:
    verdict = exercise.verdict(mistake.answer)
    assert verdict.startswith(f"✗ {exercise.id}: ")
    assert mistake.diagnosis in verdict
    assert "stopped with" not in verdict
    others = [other.diagnosis for other in exercise.mistakes if other is not mistake]
    assert not [other for other in others if other in verdict]


@every
def test_an_exercise_knows_mistakes_and_its_words_are_one_line(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 2
    verdicts = [exercise.verdict(mistake.answer) for mistake in exercise.mistakes]
    assert len(set(verdicts)) == len(verdicts)
    assert not [verdict for verdict in [*verdicts, exercise.praise] if "\n" in verdict]


def _returns_none(*_: Any) -> None:
    """A docstring, as stubs have."""
    ...


def _forgets_to_return(*arguments: Any) -> None:
    arguments[0]


def _returns_ellipsis(*_: Any) -> Any:
    return ...


def _not_implemented(*_: Any) -> Any:
    raise NotImplementedError


@every
@pytest.mark.parametrize("stub", [_returns_none, _returns_ellipsis, _not_implemented])
def test_an_untouched_stub_is_not_attempted_yet(exercise: Exercise, stub: Any) -> None:
    assert exercise.verdict(stub).startswith(f"○ {exercise.id}: not attempted yet.")


@every
def test_a_forgotten_return_is_named(exercise: Exercise) -> None:
    assert "returns nothing" in exercise.verdict(_forgets_to_return)


@every
@pytest.mark.parametrize("answer", [-7.5, "no", [1, 2], object()])
def test_nonsense_is_an_answer_too(exercise: Exercise, answer: Any) -> None:
    assert exercise.verdict(lambda *_: answer).startswith(f"✗ {exercise.id}: ")


@every
def test_an_answer_that_raises_is_reported(exercise: Exercise) -> None:
    def broken(*_: Any) -> Any:
        return 1 / 0

    stopped = f"✗ {exercise.id}: your function stopped in `return 1 / 0` with ZeroDivisionError: division by zero"
    assert exercise.verdict(broken) == stopped
    assert exercise.verdict(lambda: None).startswith(f"✗ {exercise.id}: your function stopped with TypeError")


@every
def test_the_solution_stands_folded_in_its_notebook(exercise: Exercise) -> None:
    path = NOTEBOOKS / f"{exercise.chapter}.ipynb"
    if not path.exists():
        pytest.skip(f"{path.name} is not written yet")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    folded = [text for text in texts if "<details>" in text and "<summary>Solution</summary>" in text]
    source = inspect.getsource(exercise.solution).strip()
    assert [text for text in folded if source in text]
    assert f'exercises.check("{exercise.id}"' in "".join(texts)


@every
def test_a_solution_fits_the_column_that_shows_it(exercise: Exercise) -> None:
    assert [line for line in inspect.getsource(exercise.solution).splitlines() if len(line) > 88] == []


@every
def test_the_folded_solution_can_be_pasted_over_the_stub(exercise: Exercise) -> None:
    path = NOTEBOOKS / f"{exercise.chapter}.ipynb"
    if not path.exists():
        pytest.skip(f"{path.name} is not written yet")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    name = exercise.solution.__name__
    assert any(f'exercises.check("{exercise.id}", {name})' in text and f"def {name}(" in text for text in code)
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    blocks = [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    (fold,) = [block for block in blocks if f"def {name}(" in block]
    # The fold may use what the notebook imports, and nothing else of this library's modules.
    imports = [
        ast.unparse(node)
        for text in code
        if "%pip" not in text
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    namespace: dict[str, Any] = {}
    exec("\n".join(imports), namespace)
    exec(compile(fold, "the fold", "exec", dont_inherit=True), namespace)  # this file's annotations are never looked up
    assert exercise.verdict(namespace[name]).startswith("✓")


def test_check_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for exercise in TABLE.values():
        exercises.check(exercise.id, exercise.solution)
        exercises.check(exercise.id, _returns_none)
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(TABLE)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'count-modes'"):
        exercises.check("count-mode", _returns_none)
    with pytest.raises(TypeError, match="the answer to count-modes is a function, got 3"):
        exercises.check("count-modes", 3)  # type: ignore[arg-type]


def test_a_draw_around_a_stretched_mean_is_seen() -> None:
    mean = 5 * torch.randn(20_000, generator=torch.Generator().manual_seed(5))

    def drawn(stretch: float) -> str:
        exercise = Exercise(
            "stretched",
            "none",
            lambda answer: None,
            lambda generator: mean,
            (),
            "right.",
            lambda generator: Trial((), Law(mean, torch.tensor(1.0))),
        )
        return exercise.verdict(lambda generator: stretch * mean + torch.randn(len(mean), generator=generator))

    assert drawn(1.0).startswith("✓")
    assert "beside its mean" in drawn(1.01)
    assert "beside its mean" in drawn(0.99)
