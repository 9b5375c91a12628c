"""The list of faults applies to the source as it is, and the tool tells the dead from survivors and from the broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants import __main__ as command
from tools.mutants import drawn, planted
from tools.mutants.drawn import Change, candidates
from tools.mutants.project import Mutant, Project
from tools.mutants.run import Verdict, run

PROJECT = Project()

SUMS = '''"""Sums, 1 + 1."""

FIRST = 1


def total(a: int, b: int) -> int:
    """a + b."""
    if a < 0:
        raise ValueError(f"a must be at least {0}, got {a - 0}")
    return a + b


def half(a: float) -> float:
    return a / 2
'''
TESTS = """from tiny.sums import half, total

TWO = half(4.0)


def test_total():
    assert total(2, 3) == 5
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    (tmp_path / "src/tiny").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "src/tiny/__init__.py").touch()
    (tmp_path / "src/tiny/sums.py").write_text(SUMS, encoding="utf-8")
    (tmp_path / "tests/test_sums.py").write_text(TESTS, encoding="utf-8")
    return Project(tmp_path, "tiny", {})


def test_every_planted_fault_still_applies() -> None:
    faults = planted.faults()
    assert len(faults) >= 40
    for fault in faults:
        mutant = planted.plant(PROJECT, fault)
        compile(mutant.text, fault.file, "exec")
        assert PROJECT.tests_of(fault.file)


def test_every_module_of_the_core_has_a_planted_fault() -> None:
    assert [pattern for pattern in drawn.CORE if not any(PROJECT.folder.glob(pattern))] == []
    assert set(drawn.core(PROJECT)) <= {fault.file for fault in planted.faults()}


def test_every_explanation_is_of_a_mutant_that_can_be_drawn() -> None:
    for change, why in drawn.explanations().items():
        assert change in {mutant.change for mutant in candidates(change.file, PROJECT.read(change.file))}
        assert why
        assert "\n" not in why


def test_a_fault_that_no_longer_applies_is_an_error(tiny: Project) -> None:
    with pytest.raises(ValueError, match=r"sums.py: 'sign' must find its old text once, and finds it 0 times"):
        planted.plant(tiny, planted.Fault("sums.py", "sign", "return a * b", "return a"))
    with pytest.raises(FileNotFoundError, match=r"has no tests of its own: tests/test_differences.py"):
        tiny.tests_of("differences.py")


def test_what_tests_notice_is_killed_and_what_they_do_not_survives(tiny: Project) -> None:
    changes = {
        "a sign": ("return a + b", "return a - b"),
        "an order": ("return a + b", "return b + a"),
        "what the tests' first lines need": ("return a / 2", "raise ValueError"),
        "no Python": ("return a + b", "return a +"),
        "no module": ("FIRST = 1", "FIRST = 1 / 0"),
        "no change": ("FIRST", "FIRST"),
    }
    mutants = [Mutant("sums.py", name, SUMS.replace(*change)) for name, change in changes.items()]
    found = {mutant.name: verdict for mutant, verdict in run(tiny, mutants, jobs=2, timeout=60)}
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        "a sign": "killed",
        "an order": "survived",
        "what the tests' first lines need": "killed",
        "no Python": "broken",
        "no module": "broken",
        "no change": "broken",
    }
    assert found["a sign"].detail == "test_total"
    assert "ZeroDivisionError" in found["no module"].detail
    assert tiny.read("sums.py") == SUMS


def test_tests_that_have_no_end_have_killed(tiny: Project) -> None:
    endless = Mutant("sums.py", "endless", SUMS.replace("return a + b", "while True: pass"))
    [(_, verdict)] = run(tiny, [endless], jobs=1, timeout=1)
    assert (verdict.outcome, verdict.detail) == ("killed", "no end after 1 s")


def test_tests_that_fail_without_a_fault_prove_nothing(tiny: Project) -> None:
    (tiny.root / "tests/test_sums.py").write_text("def test_total():\n    assert False\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="the tests fail without any fault"):
        list(run(tiny, [Mutant("sums.py", "a sign", SUMS.replace("+", "-"))], jobs=1, timeout=60))


def test_operators_and_constants_are_changed_and_words_are_not() -> None:
    assert [(mutant.change.inside, mutant.change.becomes) for mutant in candidates("sums.py", SUMS)] == [
        ("", "FIRST = 2"),
        ("total", "if a <= 0:"),
        ("total", "if a < 1:"),
        ("total", "return a - b"),
        ("half", "return a * 2"),
        ("half", "return a / 3"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("y = x.square().mean(-1)", {"y = x.mean(-1)", "y = x.square().sum(-1)", "y = x.square().mean(0)"}),
        ("y = math.sqrt(σ)", {"y = (σ)"}),
        ("y = (a - b) * c", {"y = (a + b) * c", "y = (a - b) / c"}),
        ("y = torch.cat([a, b], dim=0)", {"y = torch.cat([a, b], dim=-1)"}),
        ("y = x**0.5", {"y = x**1.0"}),
        ("y: list[int] = x.max()", {"y: list[int] = x.min()"}),
    ],
)
def test_what_becomes_of_a_line(line: str, expected: set[str]) -> None:
    assert {mutant.change.becomes for mutant in candidates("", line)} == expected


def test_a_default_is_changed_and_a_decorator_is_not() -> None:
    source = "@cache(maxsize=8)\ndef f(x: Shape[2], *, biased: bool = True) -> Shape[3]:\n    return x\n"
    (mutant,) = candidates("", source)
    assert mutant.change == Change(
        "", "f", "def f(x: Shape[2], *, biased: bool = True) -> Shape[3]:",
        "def f(x: Shape[2], *, biased: bool = False) -> Shape[3]:",
    )  # fmt: skip


def test_a_draw_is_reproducible_and_stays_when_lines_move(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "CORE", ("sums.py",))
    first = [mutant.change for mutant in drawn.draw(tiny, seed=0, count=4)]
    assert len(set(first)) == 4
    assert [mutant.change for mutant in drawn.draw(tiny, seed=0, count=2)] == first[:2]
    assert any([mutant.change for mutant in drawn.draw(tiny, seed=s, count=4)] != first for s in range(1, 5))
    (tiny.folder / "sums.py").write_text(SUMS.replace("FIRST", "\n\nFIRST"), encoding="utf-8")
    assert [mutant.change for mutant in drawn.draw(tiny, seed=0, count=4)] == first


def test_a_survivor_must_be_explained(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    mutant = next(candidates("sums.py", SUMS))
    monkeypatch.setattr(drawn, "draw", lambda project, *, seed, count: [mutant])
    outcomes = {"killed": 0, "survived": 1, "broken": 1}
    for outcome, status in outcomes.items():
        monkeypatch.setattr(command, "run", lambda *_, o=outcome, **__: iter([(mutant, Verdict(o, "", 0.1))]))
        assert command.main(["drawn"]) == status
        assert f"1 {outcome}" in capsys.readouterr().out
    monkeypatch.setattr(drawn, "explanations", lambda: {mutant.change: "a first number of no consequence"})
    monkeypatch.setattr(command, "run", lambda *_, **__: iter([(mutant, Verdict("survived", "", 0.1))]))
    assert command.main(["drawn"]) == 0
    assert "of no consequence" in capsys.readouterr().out
