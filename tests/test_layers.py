"""Imports go one way: what the layers of pyproject.toml forbid is seen to fail, and CONTRIBUTING draws them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
(LAYERS,) = (
    contract["layers"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    if contract["type"] == "layers"
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What lint-imports says of the library in a folder, by the project's own contracts."""
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    command = [sys.executable, "-c", program, "--no-cache", str(ROOT / "pyproject.toml")]
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The library's code in a folder of its own."""
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.npz", "*.safetensors")
    )
    return tmp_path / "src"


def test_the_library_keeps_to_its_layers(copy: Path) -> None:
    found = lint(copy)
    assert found.returncode == 0, found.stdout
    assert "Contracts: 2 kept, 0 broken" in found.stdout


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("schedules/paths.py", "from diffusion_teach import denoisers", "schedules is not allowed to import"),
        (
            "networks/vae.py",
            "def f() -> None:\n    from diffusion_teach import samplers",
            "networks is not allowed to import",
        ),
        ("training/loop.py", "from diffusion_teach.recipes import vae", "training is not allowed to import"),
        ("objectives/diffusion.py", "from diffusion_teach import generate", "objectives is not allowed to import"),
        ("denoisers/learned.py", "from diffusion_teach.denoisers import guided", "No cycles are allowed"),
        ("stray.py", '"""In no layer."""', "diffusion_teach.stray"),
    ],
    ids=["up", "up, lazily", "up a package", "sideways", "a circle", "in no layer"],
)
def test_what_the_layers_forbid_is_found(copy: Path, file: str, line: str, words: str) -> None:
    path = copy / "diffusion_teach" / file
    with path.open("a", encoding="utf-8") as source:
        source.write(f"\n\n{line}\n")
    found = lint(copy)
    assert found.returncode == 1, found.stdout
    assert words in found.stdout


def test_contributing_draws_the_layers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (drawing,) = (block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if block.startswith("cli "))
    for drawn, layer in zip(drawing.splitlines(), LAYERS, strict=True):
        names = re.findall(r"\w+", layer)
        assert re.findall(r"\w+", drawn)[: len(names)] == names


def test_the_worked_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    monkeypatch.setitem(sys.modules, "example", type(sys)("example"))
    for block in blocks:
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    (claim,), exercise = names["CLAIMS"], names["EXERCISE"]  # type: ignore[misc]
    assert claim.failures(names["found"]) == []
    assert exercise.verdict(exercise.solution).startswith("✓")
    assert all(mistake.diagnosis in exercise.verdict(mistake.answer) for mistake in exercise.mistakes)
