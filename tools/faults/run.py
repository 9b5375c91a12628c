"""Run a chapter with its faults, or for a seed, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.faults import planted


def run(
    code: Sequence[str], faults: Sequence[planted.Fault] = (), *, seed: int = 0, jobs: int = 1, timeout: int = 600
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a chapter, and from each fault on once more, as often as its size is halved.

    Without faults the whole chapter is run, with faults what lies before the last of them and what they need.

    Args:
        code: the chapter's cells.
        faults: to be planted.
        seed: of the chapter.
        jobs: how many faults at once.
        timeout: seconds for one trial of a fault.

    Returns:
        What the claims measured without a fault ("found": by claim, its failures and figures; "error"), and for each
        fault the sizes caught and passed, the failures, the error and the seconds.
    """
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        job = Path(folder) / "job.json"
        listed = [asdict(fault) for fault in faults]
        task = {"cells": list(code), "faults": listed, "whole": not faults, "jobs": jobs, "timeout": timeout}
        job.write_text(json.dumps(task), encoding="utf-8")
        environment = {
            **os.environ,
            "DIFFUSION_TEACH_SEED": str(seed),
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",  # a process with several threads cannot be forked
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.run(
            [sys.executable, "-m", "tools.faults.trunk", str(job)],
            cwd=planted.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = "\n".join(process.stdout.strip().splitlines()[-3:])

        def report(name: str, otherwise: dict[str, Any]) -> dict[str, Any]:
            path = job.with_name(f"{name}.json")
            return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else otherwise

        lost: dict[str, Any] = {
            "caught": None,
            "passed": None,
            "failures": [],
            "error": f"no report: {said}",
            "seconds": 0.0,
        }
        whole = report("chapter", {"error": f"no report: {said}", "found": {}})
        return whole, [report(str(index), lost) for index in range(len(faults))]
