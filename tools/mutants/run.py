"""Run a module's own tests on a copy of the source with a fault in it."""

from __future__ import annotations

import compileall
import contextlib
import os
import py_compile
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import witness
from tools.mutants.project import ROOT, Mutant, Project

PYTEST = (
    *("-m", "pytest", "-x", "-q", "--tb=no", "-rfE"),
    *("-p", "no:cacheprovider", "-p", witness.__name__),
    # Plugins that these tests do not need take longer to load than many a test to run.
    *("-p", "no:nbval", "-p", "no:xdist", "-p", "no:anyio"),
    *("-o", "addopts=--import-mode=importlib --strict-markers"),
)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: "killed", "survived", or "broken" where it could not even be tested."""

    outcome: str
    detail: str
    seconds: float


def run(project: Project, mutants: Iterable[Mutant], *, jobs: int, timeout: float) -> Iterator[tuple[Mutant, Verdict]]:
    """Every mutant with its verdict, as they come: `jobs` at once, each in a copy of its own.

    First all tests that will be asked must pass on a copy without a fault.

    Args:
        project: whose source and tests.
        mutants: to be tested.
        jobs: how many at once.
        timeout: seconds for the tests of one; a mutant that needs more is dead, too.

    Raises:
        RuntimeError: where the tests fail without a fault.
    """
    todo = list(mutants)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(jobs):
            copies.put(_copy(project, Path(folder) / str(number)))
        _must_pass(project, {mutant.file for mutant in todo}, copies)
        futures = {pool.submit(_judge, project, mutant, copies, timeout): mutant for mutant in todo}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _copy(project: Project, folder: Path) -> Path:
    """A copy of the package's modules; what is no Python is large, and a link will do."""

    def copy(source: str, target: str) -> None:
        (shutil.copyfile if source.endswith(".py") else os.symlink)(source, target)

    shutil.copytree(
        project.folder, folder / project.package, copy_function=copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    # By their hashes: two texts may share a second and a size, and then one would be taken for the other.
    compileall.compile_dir(folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return folder


def _must_pass(project: Project, files: set[str], copies: queue.Queue[Path]) -> None:
    tests = sorted({project.tests_of(file) for file in files})
    if not tests:
        return
    copy = copies.get()
    status, output = _pytest(project, copy, min(files), tests, timeout=None)
    copies.put(copy)
    if status != 0:
        raise RuntimeError(f"the tests fail without any fault:\n{output}")


def _judge(project: Project, mutant: Mutant, copies: queue.Queue[Path], timeout: float) -> Verdict:
    start = time.perf_counter()
    outcome, detail = _outcome(project, mutant, copies, timeout)
    return Verdict(outcome, detail, time.perf_counter() - start)


def _outcome(project: Project, mutant: Mutant, copies: queue.Queue[Path], timeout: float) -> tuple[str, str]:
    original = project.read(mutant.file)
    if mutant.text == original:
        return "broken", "nothing is changed"
    try:
        compile(mutant.text, mutant.file, "exec")
    except SyntaxError as error:
        return "broken", f"is no Python: {error}"
    copy = copies.get()
    target = copy / project.package / mutant.file
    try:
        target.write_text(mutant.text, encoding="utf-8")
        status, output = _pytest(project, copy, mutant.file, [project.tests_of(mutant.file)], timeout)
    except subprocess.TimeoutExpired:
        return "killed", f"no end after {timeout:g} s"
    finally:
        target.write_text(original, encoding="utf-8")
        copies.put(copy)
    if status == 0:
        return "survived", ""
    killer = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)
    if status in (1, 2) and killer:  # 2: already what the tests make on their first lines fails
        return "killed", killer[1].rpartition("::")[2]
    return "broken", "\n".join(output.strip().splitlines()[-3:])


def _pytest(project: Project, copy: Path, file: str, tests: Iterable[Path], timeout: float | None) -> tuple[int, str]:
    """The exit status and what is printed by the tests, which import the copy."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(copy), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        witness.MODULE: project.module_of(file),
        witness.FILE: str(copy / project.package / file),
    }
    with subprocess.Popen(
        [sys.executable, *PYTEST, *map(str, tests)],
        cwd=project.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:  # with whatever the tests have started
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output
