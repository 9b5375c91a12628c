"""A notebook as it is stored, and how the rules read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Notebook:
    """A notebook as it is stored."""

    path: Path
    content: dict[str, Any]
    size: int

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """Read a notebook's file."""
        data = path.read_bytes()
        return cls(path, json.loads(data), len(data))

    def cells(self, kind: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        """(where it stands, the cell, its source) of every cell of a kind: "code" or "markdown"."""
        for number, cell in enumerate(self.content["cells"]):
            if cell["cell_type"] == kind:
                yield f"cell {number}", cell, "".join(cell["source"])

    def outputs(self, *, compared: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """(where it stands, the output) of every output, or of those that nbval compares."""
        for where, cell, _ in self.cells("code"):
            if not (compared and "nbval-ignore-output" in tags(cell)):
                for output in cell["outputs"]:
                    yield where, output


def tags(cell: dict[str, Any]) -> list[str]:
    """A cell's tags."""
    return list(cell["metadata"].get("tags", []))


def text_of(output: dict[str, Any]) -> str:
    """What an output says as plain text."""
    return "".join(output.get("text", output.get("data", {}).get("text/plain", "")))


def note_of(output: dict[str, Any]) -> dict[str, Any]:
    """What the library noted in an output's metadata."""
    return dict(output.get("metadata", {}).get("diffusion_teach", {}))


def without_code(source: str) -> str:
    """Markdown without its code and its formulas."""
    source = re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`", "", source, flags=re.DOTALL)
