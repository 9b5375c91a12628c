"""The faults of a chapter's claims, as `planted/` lists them, and a chapter's code with one of them in it.

    [[the-claim]]
    fault = "the score too long, by a share of"     in words; a size, where there is one, follows
    size = 0.4                                      halved until the claim passes; SIZE in the new texts
    edits = [
      ["return score", "return score * (1 + SIZE)"],                     in a code cell of the chapter
      ["physics/heat.py", "t / 2", "t / 2 * (1 + SIZE)"],                in a module of the library
    ]

Every old text occurs once.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
LIBRARY = ROOT / "src" / "diffusion_teach"
PLACEHOLDER = "SIZE"


class Edit(NamedTuple):
    """Replace `old`, which occurs once, by `new`, in a module below the library's folder or in the chapter's cells."""

    file: str  # "" for the chapter
    old: str
    new: str


@dataclass(frozen=True)
class Fault:
    """A mistake that a claim must notice.

    Attributes:
        claim: its id.
        name: the mistake in words, to be followed by its size.
        edits: what makes it; `SIZE` stands for the size.
        size: of the first trial; None where the mistake has none.
    """

    claim: str
    name: str
    edits: tuple[Edit, ...]
    size: float | None = None

    def sized(self, size: float | None) -> list[Edit]:
        """The edits at a size."""
        return [edit._replace(new=edit.new.replace(PLACEHOLDER, f"{size!r}")) for edit in self.edits]

    @property
    def modules(self) -> list[str]:
        """The modules of the library that it changes."""
        return sorted({edit.file for edit in self.edits if edit.file})


def chapters(folder: Path = FOLDER / "planted") -> list[str]:
    """The chapters whose claims have faults."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def faults(chapter: str, folder: Path = FOLDER / "planted") -> list[Fault]:
    """The faults of a chapter, in the order of its list.

    Raises:
        ValueError: for a size without its place in the new texts, or the other way round.
    """
    path = folder / f"{chapter}.toml"
    found = []
    for claim, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for entry in entries:
            edits = tuple(Edit(*("",) * (3 - len(texts)), *texts) for texts in entry["edits"])
            fault = Fault(claim, entry["fault"], edits, entry.get("size"))
            if (fault.size is None) == any(PLACEHOLDER in edit.new for edit in edits):
                raise ValueError(f"{path.name}: {claim}, {fault.name!r}: a size and {PLACEHOLDER} belong together.")
            found.append(fault)
    return found


def cells(notebook: Path) -> list[str]:
    """The code cells of a notebook, in order."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


def change_cells(code: Sequence[str], edits: Sequence[Edit]) -> dict[int, str]:
    """The cells that the edits change, by their number among the code cells, as they then read.

    Raises:
        ValueError: where an old text is not found exactly once.
    """
    changed = dict(enumerate(code))
    for edit in edits:
        if edit.file:
            continue
        places = [number for number, text in changed.items() for _ in range(text.count(edit.old))]
        if len(places) != 1:
            raise ValueError(f"the chapter must hold this text once, and holds it {len(places)} times: {edit.old!r}")
        changed[places[0]] = changed[places[0]].replace(edit.old, edit.new)
    return {number: text for number, text in changed.items() if text != code[number]}


def change_modules(edits: Sequence[Edit], library: Path = LIBRARY) -> dict[str, str]:
    """The modules that the edits change, by their place below the library's folder, as they then read.

    Raises:
        ValueError: where an old text is not found exactly once.
    """
    changed: dict[str, str] = {}
    for edit in edits:
        if not edit.file:
            continue
        text = changed.get(edit.file) or (library / edit.file).read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(
                f"{edit.file} must hold this text once, and holds it {text.count(edit.old)} times: {edit.old!r}"
            )
        changed[edit.file] = text.replace(edit.old, edit.new)
    return changed


def cell_of(code: Sequence[str], claim: str) -> int:
    """The number of the cell that checks a claim.

    Raises:
        ValueError: where it is not checked in exactly one.
    """
    places = [number for number, text in enumerate(code) if f'"{claim}"' in text]
    if len(places) != 1:
        raise ValueError(f"{claim!r} must stand in one cell of the chapter, and stands in {len(places)}.")
    return places[0]
