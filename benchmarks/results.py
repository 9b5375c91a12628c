"""What was measured, in one JSON file: each part is written when it is known, so that a run can stop and go on."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

import torch

from diffusion_teach import _files

PATH = Path(__file__).with_name("results.json")

Results = dict[str, Any]
"""By part: a dictionary with "machine", "date", and what the part measured."""


def load(path: Path = PATH) -> Results:
    """All that was measured; empty where nothing was.

    Raises:
        ValueError: the file is not what `store` writes.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}. Restore it with git checkout, or measure again.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold an object by part, got a {type(found).__name__}. Measure again.")
    return found


def store(part: str, measured: dict[str, Any], path: Path = PATH) -> None:
    """Put one part into the file, with the machine and the date; the others stay. The file is whole at any moment."""
    everything = load(path)
    everything[part] = {"machine": machine(), "date": datetime.date.today().isoformat(), **measured}
    text = json.dumps(dict(sorted(everything.items())), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    _files.write_atomically(path, text.encode())


def took(part: str, seconds: float, path: Path = PATH) -> None:
    """Note how long a part's measuring took."""
    store(part, {**load(path)[part], "took": seconds}, path)


def quality_part(contender: str) -> str:
    """The part that holds a contender's way to quality."""
    return f"quality-{contender.replace(' ', '-')}"


def fingerprint(parts: Any) -> str:
    """A short hash of some results: a figure carries that of what it was drawn from."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def machine() -> dict[str, Any]:
    """The processor, its cores that may be used, torch's threads and version, and whether it multiplies bf16."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
