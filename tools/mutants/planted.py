"""The faults of `planted.toml`, as mutants of the source as it is now."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.mutants.project import Mutant, Project

LIST = Path(__file__).parent / "planted.toml"


class Fault(NamedTuple):
    """Replace `old`, which occurs once in `file`, by `new`."""

    file: str
    name: str
    old: str
    new: str


def faults(path: Path = LIST) -> list[Fault]:
    """The list."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Fault(file, name, *texts) for file, table in tables.items() for name, texts in table.items()]


def plant(project: Project, fault: Fault) -> Mutant:
    """The module with the fault in it.

    Raises:
        ValueError: where the old text is not found exactly once.
    """
    source = project.read(fault.file)
    if source.count(fault.old) != 1:
        raise ValueError(
            f"{fault.file}: {fault.name!r} must find its old text once, and finds it {source.count(fault.old)} times: "
            f"{fault.old!r}. Write into planted.toml how it reads now."
        )
    return Mutant(fault.file, fault.name, source.replace(fault.old, fault.new))
