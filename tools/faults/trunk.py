"""Run a chapter once, and branch off wherever a fault sits: `python -m tools.faults.trunk JOB`.

The trunk executes the chapter's cells in order, in one process with one thread. Before the first cell that a fault
changes it forks: the branch plants the fault and goes on to the claim's cell, again and again with half the size, until
the claim holds. So what lies before a fault is computed once. A fault in the library branches off before its import.

JOB is a file that `run.py` writes; the findings are written beside it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from tools.faults import planted

HALVINGS = 7

Finding = dict[str, Any]


class Chapter:
    """A chapter that is being run, and what its claims measured so far."""

    def __init__(self, code: list[str]) -> None:
        self.code = code
        self.shell = InteractiveShell.instance()
        self.found: dict[str, Finding] = {}
        self.done = 0
        self.error = ""

    def run(self, until: int) -> bool:
        """Execute the cells before `until`; False where one raised, and `error` says what."""
        while self.done < until and not self.error:
            result = self.shell.run_cell(self.code[self.done], store_history=False)
            failure = result.error_before_exec or result.error_in_exec
            if failure is not None:
                self.error = "".join(traceback.format_exception_only(failure)).strip()
            if self.done == 0:  # the library has been imported: from now on its claims tell what they measure
                self._listen()
            self.done += 1
        return not self.error

    def _listen(self) -> None:
        from diffusion_teach import claims
        from diffusion_teach.plots import animations, output

        def check(claim_id: str, **measured: Any) -> None:
            claim = claims.TABLE[claim_id]
            figures = {name: claims.claim.as_floats(name, value) for name, value in measured.items()}
            self.found[claim_id] = {"failures": claim.failures(measured), "figures": figures}

        claims.check = check
        claims.summary = nothing
        output.png = animations.apng = nothing  # nobody looks


def nothing(*args: object, **kwargs: object) -> Any:
    """Stand in for what prints and draws."""
    return b""


def branch(chapter: Chapter, fault: planted.Fault, size: float | None, report: Path) -> None:
    """In a process of its own: plant the fault, run on to the claim, and report."""
    edits = fault.sized(size)
    for number, text in planted.change_cells(chapter.code, edits).items():
        chapter.code[number] = text
    with library_with(planted.change_modules(edits)):
        chapter.run(planted.cell_of(chapter.code, fault.claim) + 1)
    finding = chapter.found.get(fault.claim)
    if finding is None:
        finding = {"error": chapter.error or "the claim was not checked"}
    report.write_text(json.dumps(finding), encoding="utf-8")


@contextlib.contextmanager
def library_with(changed: dict[str, str]) -> Iterator[None]:
    """Where modules are changed, a copy of the library with them comes first on the path."""
    if not changed:
        yield
        return

    def copy(source: str, target: str) -> None:
        (shutil.copyfile if source.endswith(".py") else os.symlink)(source, target)

    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        package = Path(folder) / planted.LIBRARY.name
        shutil.copytree(planted.LIBRARY, package, copy_function=copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file, text in changed.items():
            (package / file).write_text(text, encoding="utf-8")
        sys.path.insert(0, folder)
        yield


def search(chapter: Chapter, fault: planted.Fault, report: Path, timeout: int) -> None:
    """Halve the fault until its claim lets it through; report the smallest caught and the largest that passed."""
    start = time.monotonic()
    finding: Finding = {"caught": None, "passed": None, "failures": [], "error": ""}
    size = fault.size
    for _ in range(1 + HALVINGS * (size is not None)):
        trial = report.with_suffix(".trial")
        trial.unlink(missing_ok=True)
        process = fork(functools.partial(branch, chapter, fault, size, trial), timeout)
        _, status = os.waitpid(process, 0)
        seen = json.loads(trial.read_text(encoding="utf-8")) if trial.exists() else {"error": f"ended with {status}"}
        if "error" in seen:
            finding["error"] = seen["error"]
            break
        mark = True if size is None else size
        if not seen["failures"]:
            finding["passed"] = mark
            break
        finding.update(caught=mark, failures=seen["failures"])
        if size is not None:
            size /= 2
    finding["seconds"] = round(time.monotonic() - start, 1)
    report.write_text(json.dumps(finding), encoding="utf-8")


def fork(task: Callable[[], None], timeout: int = 0) -> int:
    """Do a task in a copy of this process, and end it after so many seconds, if any; its process's number."""
    process = os.fork()
    if process:
        return process
    try:
        signal.alarm(timeout)
        task()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main(job_file: Path) -> None:
    """Run the job's chapter with the job's faults."""
    for large in ("torch", "scipy", "matplotlib.figure"):
        importlib.import_module(large)  # once for all branches
    job = json.loads(job_file.read_text(encoding="utf-8"))
    code = job["cells"]
    faults = [
        planted.Fault(f["claim"], f["name"], tuple(planted.Edit(*e) for e in f["edits"]), f["size"])
        for f in job["faults"]
    ]
    starts = [
        0 if fault.modules else min(planted.change_cells(code, fault.sized(fault.size)), default=0) for fault in faults
    ]
    chapter, searching = Chapter(code), set[int]()
    for number in range(len(code) if job["whole"] else max(starts, default=-1) + 1):
        for index, fault in enumerate(faults):
            if starts[index] == number:
                while len(searching) >= job["jobs"]:
                    searching.discard(os.wait()[0])
                report = job_file.with_name(f"{index}.json")
                searching.add(fork(functools.partial(search, chapter, fault, report, job["timeout"])))
        if not chapter.run(number + 1):
            break
    while searching:
        searching.discard(os.wait()[0])
    whole = {"error": chapter.error, "found": chapter.found}
    job_file.with_name("chapter.json").write_text(json.dumps(whole), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
