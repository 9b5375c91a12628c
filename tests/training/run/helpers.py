"""Trainings of the tiny recipe: whole, interrupted, or in a process that is killed."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import checkpoints
from diffusion_teach.training import run
from tests.processes import FORK
from tests.training import tiny
from tests.training.tiny import TINY

STATE = "tiny.training.safetensors"


def start(out: Path, *, threads: int | None = None, die_at: int | None = None, **arguments: Any) -> BaseProcess:
    process = FORK.Process(target=tiny.child, args=(threads, die_at, out, arguments))
    process.start()
    return process


def saved_at(path: Path) -> int:
    """When a file was last written; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def trained(out: Path, **arguments: Any) -> dict[str, Tensor]:
    return checkpoints.load(run.train(TINY, out, progress=False, **arguments))


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def stop_at(step: int) -> Any:
    """An on_step that presses Ctrl-C in a step."""

    def on_step(k: int, loss: float) -> None:
        if k == step:
            os.kill(os.getpid(), signal.SIGINT)

    return on_step


def interrupted(out: Path, step: int = 9, **arguments: Any) -> Path:
    with pytest.raises(run.Interrupted):
        run.train(TINY, out, on_step=stop_at(step), progress=False, **arguments)
    return out / STATE
