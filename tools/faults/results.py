"""What became of the faults and of the seeds, stored a chapter a file, with hashes of what was run."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from diffusion_teach import claims
from tools.faults import planted

FOLDER = planted.FOLDER / "results"

Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Outcome:
    """What became of a fault.

    Attributes:
        claim: the id of the claim that should notice it.
        name: the mistake in words.
        caught: the smallest size with which the claim failed; True where it has no size, None where it never failed.
        passed: the largest size that the claim let through, likewise.
        failures: what the claim said of the smallest caught, one sentence a figure.
        error: what was raised on the way to the claim; then nothing is proved.
        date: of the run.
        hash: of the code, the bounds and the fault (`fault_hash`).
    """

    claim: str
    name: str
    caught: float | bool | None
    passed: float | bool | None
    failures: list[str]
    error: str
    date: str
    hash: str

    @property
    def verdict(self) -> str:
        """ "caught", "passed" where the claim holds with the fault as large as it is listed, or "broken"."""
        if self.caught:
            return "caught"
        return "broken" if self.error else "passed"


@dataclass
class Results:
    """A chapter's stored results.

    Attributes:
        faults: what became of each.
        seeds: by seed, by claim, the figures measured.
        date: of the seeds' run.
        hash: of the chapter's code that the seeds ran (`chapter_hash`).
    """

    faults: list[Outcome] = field(default_factory=list)
    seeds: dict[str, dict[str, Figures]] = field(default_factory=dict)
    date: str = ""
    hash: str = ""

    def of(self, claim: str) -> list[Outcome]:
        """The outcomes of a claim's faults."""
        return [outcome for outcome in self.faults if outcome.claim == claim]

    def replace(self, outcomes: Iterable[Outcome]) -> None:
        """Put in new outcomes for old ones of the same claim and name, sorted as the claims are."""
        new = list(outcomes)
        names = {(outcome.claim, outcome.name) for outcome in new}
        kept = [outcome for outcome in self.faults if (outcome.claim, outcome.name) not in names]
        order = list(claims.TABLE)
        self.faults = sorted(
            [*kept, *new], key=lambda one: (order.index(one.claim) if one.claim in order else -1, one.name)
        )

    def spread(self, claim: str, figure: str) -> tuple[list[float], list[float]]:
        """Over the seeds, the least and the largest value of a figure, one each a seed."""
        values = [found[claim][figure] for found in self.seeds.values() if figure in found.get(claim, {})]
        return [min(one) for one in values], [max(one) for one in values]


def read(chapter: str, folder: Path = FOLDER) -> Results:
    """A chapter's results; empty where nothing is stored."""
    path = folder / f"{chapter}.json"
    if not path.exists():
        return Results()
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Results([Outcome(**outcome) for outcome in stored.pop("faults")], **stored)


def write(chapter: str, results: Results, folder: Path = FOLDER) -> None:
    """Store a chapter's results."""
    text = json.dumps(asdict(results), indent=1, ensure_ascii=False)
    folder.mkdir(exist_ok=True)
    (folder / f"{chapter}.json").write_text(text + "\n", encoding="utf-8")


def bare(code: str) -> str:
    """Python code without its layout, comments and docstrings; IPython's magics stay as they are."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def digest(parts: object) -> str:
    """A short hash of what JSON can write."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def chapter_hash(code: Sequence[str]) -> str:
    """Of a chapter's code, whatever its layout."""
    return digest([bare(cell) for cell in code])


def fault_hash(code: Sequence[str], fault: planted.Fault, bounds: Mapping[str, claims.Bound]) -> str:
    """Of all that decides about a fault: the code up to its claim, the bounds, the fault, the modules it changes."""
    last = planted.cell_of(code, fault.claim)
    return digest(
        [
            [bare(cell) for cell in code[: last + 1]],
            {name: [str(bound.low), str(bound.high)] for name, bound in bounds.items()},
            [list(edit) for edit in fault.edits],
            fault.size,
            [bare((planted.LIBRARY / file).read_text(encoding="utf-8")) for file in fault.modules],
        ]
    )
