"""What a study has measured, as rows in a JSON file: read in a fixed order, and replaced one by one.

A row states what it depends on, so that a test can tell when it is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from diffusion_teach import _files, checkpoints
from diffusion_teach.metrics.features import JUDGES


def judges() -> dict[str, str]:
    """The hashes of the judges' weights, by judge: what the distances of a row depend on."""
    return {judge: str(checkpoints.card(judge)["sha256"]) for judge in JUDGES}


def rows(path: Path, order: Iterable[str]) -> dict[str, Any]:
    """The rows of a file by name, in the order given; those that are not there are left out."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {name: found[name] for name in order if name in found}


def keep(path: Path, name: str, row: Any, order: Iterable[str]) -> None:
    """Put a row into a file, a line each, in the order given."""
    names = list(order)
    found = {**(rows(path, names) if path.exists() else {}), name: row}
    lines = [f"{json.dumps(key)}: {json.dumps(found[key], ensure_ascii=False)}" for key in names if key in found]
    _files.write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
