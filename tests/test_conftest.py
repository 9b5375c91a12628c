"""How the notebooks are run: a cell that outruns its limit fails with one line, workers take the longest first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
WAITS = "import time\ntime.sleep(600)"
GOES_ON = f"try:\n    {WAITS.replace(chr(10), '; ')}\nexcept KeyboardInterrupt:\n    pass"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty project that runs its notebooks as this one does."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    return tmp_path


def write(path: Path, *cells: str, seconds: int = 1) -> None:
    """A notebook whose cells show nothing."""
    code = [nbformat.v4.new_code_cell(cell, execution_count=count) for count, cell in enumerate(cells, start=1)]
    head = nbformat.v4.new_markdown_cell(f"# Trial\n\n- **Running:** about {seconds} seconds on two cores")
    nbformat.write(nbformat.v4.new_notebook(cells=[head, *code]), path)


def outcome(folder: Path, *options: str) -> list[str]:
    """The lines that pytest writes."""
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", "--nbval"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "OMP_NUM"))}
    command += ["-p", "no:cacheprovider", *options, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=outside, encoding="utf-8")
    assert found.stderr == ""
    return found.stdout.splitlines()


@pytest.mark.parametrize("cell", [WAITS, GOES_ON], ids=["interrupted", "catches the interrupt"])
def test_a_cell_that_outran_its_limit_fails_with_one_line(folder: Path, cell: str) -> None:
    write(folder / "slow.ipynb", cell, "x = 1", "undefined")
    lines = outcome(folder, "--nbval-cell-timeout=1", "-rs")
    said = "slow.ipynb::Cell 0 outran its limit of 1 seconds (--nbval-cell-timeout). The cells below it are skipped."
    assert lines.count(said) == 1
    text = "\n".join(lines)
    assert re.search(r"^=+ 1 failed, 2 skipped in", text, re.MULTILINE)
    assert "a cell above outran its limit" in text
    assert not re.search("XPASS|XFAIL|xfailed|KeyboardInterrupt|Traceback", text)


def test_a_cell_within_its_limit_is_judged_as_ever(folder: Path) -> None:
    write(folder / "quick.ipynb", "x = 1", "undefined", "x")
    text = "\n".join(outcome(folder, "--nbval-cell-timeout=300"))
    assert re.search(r"^=+ 2 failed, 1 passed in", text, re.MULTILINE)
    assert "NameError" in text
    assert "outran" not in text


def test_workers_take_the_longest_notebook_first_and_say_what_they_begin(folder: Path) -> None:
    for name, seconds in (("a", 5), ("b", 90), ("c", 30)):
        write(folder / f"{name}.ipynb", "1", "2", seconds=seconds)
    (folder / "test_fails.py").write_text("def test_it(): assert 0", encoding="utf-8")
    lines = outcome(folder, "-n1")
    begun = [line.split("%")[1].strip() for line in lines if re.match(r" *\d+ %", line)]
    assert begun == [f"{name}.ipynb, cell {k}" for name in "bca" for k in (0, 1)] + ["test_fails.py"]
    assert lines.count("FAILED test_fails.py::test_it") == 1
