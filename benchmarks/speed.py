"""Training speed: forward, backward and optimiser at batch 128, every contender in turn, in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import timing
from benchmarks.ours import TITLE, Ours
from benchmarks.peers import PEERS

BATCH, SIZE = 128, 28
ROUNDS = 11


class Contender(Protocol):
    """What is measured: a network with a training step."""

    network: nn.Module

    @property
    def parameters(self) -> int:
        """Numbers that are learned."""

    def forward_backward(self, images: Tensor) -> None:
        """Loss and gradients."""

    def step(self, images: Tensor) -> None:
        """A training step."""


def contenders(batch: int = BATCH) -> dict[str, Callable[[], Contender]]:
    """How to make each, by the name that the tables show."""
    found: dict[str, Callable[[], Contender]] = {
        TITLE: lambda: Ours(batch=batch),
        f"{TITLE}, float32": lambda: Ours(batch=batch, precision="float32"),
    }
    for name, peer in PEERS.items():
        found[name] = peer
        found[f"{name}, bfloat16"] = lambda peer=peer: peer(bfloat16=True)  # type: ignore[misc]
    return found


def operations(contender: Contender, images: Tensor) -> float:
    """Operations of forward and backward: two for each multiply-add of convolutions, linear layers and attention."""
    with FlopCounterMode(display=False) as counter:
        contender.forward_backward(images)
    return float(counter.get_total_flops())


def full_size_share(contender: Contender, images: Tensor) -> float:
    """The share of the convolutions' operations that happens at the images' full resolution."""
    found = {True: 0, False: 0}

    def count(layer: nn.Module, _: object, y: Tensor) -> None:
        weights = next(layer.parameters())
        found[y.shape[-1] == images.shape[-1]] += y.numel() * weights[0].numel()

    layers = [layer for layer in contender.network.modules() if isinstance(layer, nn.Conv2d)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    contender.forward_backward(images)
    for handle in handles:
        handle.remove()
    return found[True] / sum(found.values())


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Seconds a step, images a second, the ratio to ours in each round, operations, parameters, and peak memory."""
    rounds, batch = (2, 16) if quick else (ROUNDS, BATCH)
    torch.manual_seed(0)
    images = torch.randint(0, 256, (batch, SIZE, SIZE), dtype=torch.uint8)
    made = {name: make() for name, make in contenders(batch).items()}
    steps = {name: (lambda contender=contender: contender.step(images)) for name, contender in made.items()}
    seconds = timing.interleaved(steps, rounds, warm_up=1 if quick else 3, least=0.0 if quick else 0.5)
    rows = {
        name: {
            "parameters": contender.parameters,
            "precision": getattr(contender, "precision", "bfloat16" if name.endswith("bfloat16") else "float32"),
            "operations": operations(contender, images),
            "full_size_share": full_size_share(contender, images),
            "seconds": timing.quartiles(seconds[name]),
            "images_per_second": timing.quartiles([batch / s for s in seconds[name]]),
            "times_slower": timing.ratios(seconds[name], seconds[TITLE]),
            "peak_bytes": None if quick else peak_memory(name),
        }
        for name, contender in made.items()
    }
    versions = {name: peer().version for name, peer in PEERS.items()}
    return {"batch": batch, "rounds": rounds, "contenders": rows, "versions": versions}


def peak_memory(name: str) -> int | None:
    """Bytes that three training steps of a contender hold at most, in a process of its own; None where unknown."""
    command = [sys.executable, "-m", "benchmarks.speed", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    value: int | None = json.loads(done.stdout.splitlines()[-1])
    return value


def _resident() -> int | None:
    """The most memory that this program has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what Linux's getrusage says begins with the size of the process that started this one
        lines = (line.split() for line in status.read_text(encoding="utf-8").splitlines())
        return next((1024 * int(line[1]) for line in lines if line[0] == "VmHWM:"), None)
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def main(name: str) -> None:
    """Train three steps and print how much memory that took beyond what the process held before."""
    contender = contenders()[name]()
    images = torch.randint(0, 256, (BATCH, SIZE, SIZE), dtype=torch.uint8)
    before = _resident()
    for _ in range(3):
        contender.step(images)
    after = _resident()
    print(json.dumps(None if before is None or after is None else after - before))


if __name__ == "__main__":
    main(sys.argv[1])
