"""How a training step of the book's U-Net grows with batch, width, resolution, and shrinks with processes."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import timing
from benchmarks.ours import Ours
from diffusion_teach.networks.unet import UNet

BATCHES = (16, 32, 64, 128, 256, 512)
FACTORS = (0.5, 1.0, 2.0, 4.0)  # of the widths
SIZES = (28, 36, 44, 56)
PROCESSES = (1, 2)
BATCH = 128


def _widths(factor: float) -> tuple[int, ...]:
    """The recipe's widths times a factor."""
    usual = Ours().recipe.network.get("width", inspect.signature(UNet).parameters["width"].default)
    return tuple(round(factor * width) for width in usual)


def _step(batch: int = BATCH, width: float = 1.0, size: int = 28) -> Callable[[], None]:
    trained = Ours(batch=batch, network={"width": _widths(width), "image_size": size})
    images = torch.randint(0, 256, (batch, size, size), dtype=torch.uint8)
    return lambda: trained.step(images)


def _curve(steps: dict[int, Callable[[], None]], rounds: int, least: float) -> dict[str, Any]:
    """Median seconds a step at each value, interleaved, and the power law through them."""
    seconds = timing.interleaved({str(x): step for x, step in steps.items()}, rounds, warm_up=2, least=least)
    medians = {name: timing.quartiles(found).middle for name, found in seconds.items()}
    return {"seconds": medians, "law": timing.power_law(list(steps), list(medians.values()))}


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Seconds a step against each quantity with the fitted exponent, and against processes of one thread each."""
    rounds, least = (1, 0.0) if quick else (5, 0.3)
    batches, factors, sizes = (BATCHES[:3], FACTORS[:3], SIZES[:3]) if quick else (BATCHES, FACTORS, SIZES)
    return {
        "batch": _curve({batch: _step(batch=batch) for batch in batches}, rounds, least),
        "width": _curve({_widths(factor)[0]: _step(width=factor) for factor in factors}, rounds, least),
        "resolution": _curve({size: _step(size=size) for size in sizes}, rounds, least),
        "processes": {str(n): processes(n, steps=2 if quick else 60) for n in PROCESSES},
    }


def processes(count: int, *, steps: int) -> float:
    """Seconds a step of the global batch of 128, by some processes of one thread each under torchrun (gloo)."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    command += ["-m", "benchmarks.worker", str(steps), str(BATCH)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    value: float = json.loads(done.stdout.splitlines()[-1])
    return value
