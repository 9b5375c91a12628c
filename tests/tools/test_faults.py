"""The faults of the chapters apply, every live claim has one that it catches, and what is stored is not stale."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

from diffusion_teach import claims
from diffusion_teach.claims import Claim
from tools.faults import planted, results
from tools.faults.run import run

CHAPTERS = planted.chapters()
FAULTS = [(chapter, fault) for chapter in CHAPTERS for fault in planted.faults(chapter)]
CLAIMS = [claim for claim in claims.TABLE.values() if claim.chapter in CHAPTERS]
ROOM = 4  # standard deviations over the seeds that lie between a figure and its bound


def code_of(chapter: str) -> list[str]:
    return planted.cells(planted.ROOT / "notebooks" / f"{chapter}.ipynb")


@pytest.mark.parametrize(("chapter", "fault"), FAULTS, ids=[f"{fault.claim}-{fault.name}" for _, fault in FAULTS])
def test_a_fault_applies_and_its_claim_catches_it(chapter: str, fault: planted.Fault) -> None:
    code = code_of(chapter)
    edits = fault.sized(fault.size)
    cells, modules = planted.change_cells(code, edits), planted.change_modules(edits)
    assert cells or modules
    for text in [*cells.values(), *modules.values()]:
        ast.parse(text)
    assert max(cells, default=0) <= planted.cell_of(code, fault.claim)
    [outcome] = [one for one in results.read(chapter).of(fault.claim) if one.name == fault.name]
    assert outcome.verdict == "caught"
    assert outcome.hash == results.fault_hash(code, fault, claims.TABLE[fault.claim].bounds), (
        f"the result is older than the code: run python -m tools.faults {chapter} --only {fault.claim!r}"
    )


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])
def test_a_live_claim_has_a_fault_and_room_over_ten_seeds(claim: Claim) -> None:
    names = {fault.claim for _, fault in FAULTS}
    assert (claim.id in names) != bool(claim.stored), "a claim is live and has a fault, or it is read from a study"
    stored = results.read(claim.chapter)
    assert stored.hash == results.chapter_hash(code_of(claim.chapter)), (
        f"the seeds were run with other code: python -m tools.faults {claim.chapter} --no-faults"
    )
    for name, bound in claim.bounds.items():
        least, largest = stored.spread(claim.id, name)
        assert len(least) == len(largest) == 10
        assert all(bound.holds(value) for value in least + largest)
        for values, end in ((least, bound.low), (largest, bound.high)):
            away = abs(statistics.mean(values) - end)
            assert away >= ROOM * statistics.stdev(values), f"{name} over the seeds: {values}, claimed {bound}"


TINY = ["import random\nfrom diffusion_teach import claims", "WIDTH = 1.0\nnoise = 0 * random.random()"]
TINY_CLAIM = "\n".join(
    [
        'claims.TABLE["tiny"] = claims.Claim("tiny", "trial", "It holds.", {"off": claims.at_most(0.1)})',
        'claims.check("tiny", off=abs(WIDTH - 1) + noise)',
    ]
)

LIBRARY_EDIT = planted.Edit("claims/claim.py", "self.low <= value <= self.high", "False")


def fault(name: str, old: str, new: str, size: float | None = None) -> planted.Fault:
    return planted.Fault("tiny", name, (planted.Edit("", old, new),), size)


def test_a_fault_is_halved_until_its_claim_lets_it_through() -> None:
    faults = [
        fault("wide", "WIDTH = 1.0", "WIDTH = 1.0 + SIZE", 1.0),
        fault("nearly right", "WIDTH = 1.0", "WIDTH = 1.0 + SIZE", 0.05),
        fault("without a size", "WIDTH - 1", "WIDTH + 1"),
        fault("an exception on the way", "WIDTH = 1.0", "WIDTH = 1 / 0"),
        fault("no check", 'claims.check("tiny"', '("tiny"'),
        planted.Fault("tiny", "in the library", (LIBRARY_EDIT,)),
    ]
    _, found = run([*TINY, TINY_CLAIM], faults, jobs=2)
    assert [(one["caught"], one["passed"]) for one in found] == [
        (0.125, 0.0625),
        (None, 0.05),
        (True, None),
        (None, None),
        (None, None),
        (True, None),
    ]
    assert found[0]["failures"] == ["off is 0.125, claimed at most 0.1"]
    assert "ZeroDivisionError" in found[3]["error"]
    assert "SyntaxError" in found[4]["error"] or "not checked" in found[4]["error"]


def test_a_seed_measures_all_claims_and_an_exception_is_told() -> None:
    whole, _ = run([*TINY, TINY_CLAIM], seed=3)
    assert whole == {"error": "", "found": {"tiny": {"failures": [], "figures": {"off": [0.0]}}}}
    whole, _ = run([*TINY, "import os\nassert os.environ['DIFFUSION_TEACH_SEED'] == '3'"], seed=3)
    assert not whole["error"]
    whole, _ = run([*TINY, "1 / 0"])
    assert "ZeroDivisionError" in whole["error"]


def test_hashes_see_code_bounds_and_faults_and_no_layout(tmp_path: Path) -> None:
    code, wide = [*TINY, TINY_CLAIM], fault("wide", "WIDTH = 1.0", "WIDTH = SIZE", 2.0)
    bounds = {"off": claims.at_most(0.1)}
    stamp = results.fault_hash(code, wide, bounds)
    assert (
        results.fault_hash(["import random; from diffusion_teach import claims  # x", *code[1:]], wide, bounds) == stamp
    )
    assert results.fault_hash([*code, "more = 1"], wide, bounds) == stamp
    told = 'def f():\n    """One."""\n    return 1'
    assert results.bare(told) == results.bare("def f():\n\n    return 1  # 1") != results.bare(told.replace("1", "2"))
    assert results.bare("%pip install x") == "%pip install x"
    assert results.fault_hash([code[0], "WIDTH = 1.0\nnoise = 0", code[2]], wide, bounds) != stamp
    assert results.fault_hash(code, wide, {"off": claims.at_most(0.2)}) != stamp
    assert results.fault_hash(code, fault("wide", "WIDTH = 1.0", "WIDTH = SIZE", 1.0), bounds) != stamp
    assert results.chapter_hash(code) != results.chapter_hash([*code, "more = 1"])
    with pytest.raises(ValueError, match="holds it 0 times"):
        planted.change_cells(code, [planted.Edit("", "HEIGHT", "WIDTH")])
    with pytest.raises(ValueError, match="must stand in one cell of the chapter, and stands in 0"):
        planted.cell_of(code, "other")
    (tmp_path / "x.toml").write_text('[[tiny]]\nfault = "wide"\nsize = 1.0\nedits = [["a", "b"]]\n', encoding="utf-8")
    with pytest.raises(ValueError, match="a size and SIZE belong together"):
        planted.faults("x", tmp_path)


def test_results_are_stored_and_replaced(tmp_path: Path) -> None:
    first = results.Outcome("one-gradient", "a sign", True, None, ["off"], "", "2026-11-01", "0")
    second = results.Outcome("fit-without-z", "a half", 0.5, 0.25, ["off"], "", "2026-11-01", "0")
    stored = results.Results([first], {"0": {"one-gradient": {"error": [1.0, 3.0]}}}, "2026-11-01", "1")
    stored.replace([second])
    assert stored.faults == [second, first]  # as the claims are sorted
    results.write("x", stored, tmp_path)
    again = results.read("x", tmp_path)
    assert again == stored
    assert again.spread("one-gradient", "error") == ([1.0], [3.0])
    assert results.read("none", tmp_path) == results.Results()
