"""How tests and notebooks run: on all cores where asked to, the longest first, and on a busy machine too.

`make test` starts one worker a core (`pytest -n auto`). A notebook's cells stay on one worker, in order, so the longest
notebook must not begin last. The main process prints what begins: a file of tests, or a cell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from typing import Any

import pytest
from nbval.plugin import IPyNbCell

import diffusion_teach  # noqa: F401  before torch: its threads shall not spin for long, here and in the kernels

MOST_WORKERS = 8  # with more, all wait for the longest notebook
SILENCE = 30  # seconds without a message after which a kernel counts as lost; nbval's 5 pass on a busy machine


def cores() -> int:
    """The cores that this process may use, which can be fewer than the machine has."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(allowed(0)) if allowed else os.cpu_count() or 1


# Workers share the cores; and what tests compute is small. Torch and the kernels read this as they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` and `-n logical` start."""
    return min(MOST_WORKERS, cores())


def seconds(item: pytest.Item) -> int:
    """How long a notebook runs, as its head states it; 0 for tests, which are short."""
    head = item.parent.nb.cells[0].source if isinstance(item, IPyNbCell) else ""
    stated = re.search(r"\*\*(?:Running:|Seconds to run)\*\*[ |]+(?:about )?(\d+)", head)
    return int(stated[1]) if stated else 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In workers notebooks go first, the longest before all. One process runs the tests first: they fail sooner."""
    if hasattr(config, "workerinput"):
        items.sort(key=seconds, reverse=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The cells after one that outran its limit are skipped; nbval would expect them to fail, and some do not."""
    if isinstance(item, IPyNbCell):
        item.output_timeout = SILENCE
        if item.parent.timed_out:
            pytest.skip("a cell above outran its limit")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """A cell that outran its limit fails with one line, even where it catches the interrupt and goes on."""
    report = yield
    if call.when == "call" and isinstance(item, IPyNbCell) and item.parent.timed_out:
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} outran its limit of {item.config.option.nbval_cell_timeout:g} seconds "
            "(--nbval-cell-timeout). The cells below it are skipped."
        )
    return report


class Progress:
    """Print what the workers begin: each file of tests, and each cell, which may take a minute; no dots between."""

    def __init__(self, config: pytest.Config) -> None:
        self.reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self.lines: set[str] = set()
        self.begun = self.collected = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Called when a worker has found the tests, the same as all others find."""
        self.collected = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Called when a worker begins a test."""
        self.begun += 1
        file, _, name = nodeid.partition("::")
        line = f"{file}, {name.lower()}" if file.endswith(".ipynb") else file
        if line not in self.lines:
            self.lines.add(line)
            self.reporter.ensure_newline()
            self.reporter.write_line(f"{100 * (self.begun - 1) // self.collected:3d} %  {line}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called when a worker has an outcome; what passed is counted at the end."""
        if report.failed:
            self.reporter.ensure_newline()
            self.reporter.write_line(f"FAILED {report.nodeid}", red=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Without the letter that pytest would print."""
        category, _, word = yield
        return category, "", word


@pytest.hookimpl(trylast=True)  # when the reporter is there
def pytest_configure(config: pytest.Config) -> None:
    """Where workers run the tests, their main process says what they do; -v and -q say it in pytest's own words."""
    if getattr(config.option, "numprocesses", None) and not config.option.verbose:
        config.pluginmanager.register(Progress(config), "progress")
