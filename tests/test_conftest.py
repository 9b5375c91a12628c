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
LIMIT = 3  # seconds that a cell may take here: none but the slow ones take a tenth of it
WAITS = "import time; time.sleep(600)"
GOES_ON = f"try:\n    {WAITS}\nexcept KeyboardInterrupt:\n    pass"
# The name, the seconds that its head states, and the cells.
NOTEBOOKS = {
    "slow": (5, [WAITS, "x = 1", "undefined"]),
    "goes_on": (90, [GOES_ON, "x = 1", "undefined"]),
    "quick": (30, ["x = 1", "undefined", "x = 2"]),
}


def write(path: Path, seconds: int, cells: list[str]) -> None:
    """A notebook whose cells show nothing."""
    code = [nbformat.v4.new_code_cell(cell, execution_count=count) for count, cell in enumerate(cells, start=1)]
    head = nbformat.v4.new_markdown_cell(f"# Trial\n\n- **Running:** about {seconds} seconds on two cores")
    nbformat.write(nbformat.v4.new_notebook(cells=[head, *code]), path)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one worker writes in a project that runs its notebooks as this one does."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "conftest.py", folder)
    for name, (seconds, cells) in NOTEBOOKS.items():
        write(folder / f"{name}.ipynb", seconds, cells)
    (folder / "test_fails.py").write_text("def test_it(): assert 0", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", "--nbval"]
    command += ["-n1", "-p", "no:cacheprovider", f"--nbval-cell-timeout={LIMIT}"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "OMP_NUM"))}
    outside["PYTHONIOENCODING"] = "utf-8"
    found = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, check=False, env=outside, encoding="utf-8"
    )
    assert found.stderr == ""
    return found.stdout.splitlines()


@pytest.mark.parametrize("name", ["slow", "goes_on"])
def test_a_cell_that_outran_its_limit_fails_with_one_line(lines: list[str], name: str) -> None:
    said = f"{name}.ipynb::Cell 0 outran its limit of {LIMIT} seconds (--nbval-cell-timeout). "
    assert lines.count(f"{said}The cells below it are skipped.") == 1
    assert [line for line in lines if f"{name}.ipynb::Cell" in line and "Cell 0" not in line] == []


def test_a_cell_within_its_limit_is_judged_as_ever(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert "NameError" in text
    assert "FAILED quick.ipynb::Cell 1" in text
    assert re.search(r"^=+ 4 failed, 2 passed, 4 skipped in", text, re.MULTILINE)
    assert not re.search("XPASS|XFAIL|xfailed|KeyboardInterrupt", text)


def test_workers_take_the_longest_notebook_first_and_say_what_they_begin(lines: list[str]) -> None:
    begun = [line.split("%")[1].strip() for line in lines if re.match(r" *\d+ %", line)]
    notebooks = [f"{name}.ipynb, cell {k}" for name in ("goes_on", "quick", "slow") for k in range(3)]
    assert begun == [*notebooks, "test_fails.py"]
    assert "FAILED test_fails.py::test_it" in lines
