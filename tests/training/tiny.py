"""A recipe that trains in milliseconds and has all that is hard to resume: two optimisers, an average, channels_last.

`child` and `main` train it in processes of their own, which the tests kill.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _files
from diffusion_teach.generate import Sampling
from diffusion_teach.training import run
from diffusion_teach.training.optimizers import muon_and_adamw
from diffusion_teach.training.recipe import Recipe, step_seed


@dataclass(frozen=True, kw_only=True)
class Tiny(Recipe):
    """A small convolutional network that learns to remove noise; `nan_at` plants a NaN in that step's first row."""

    width: int = 6
    rate: float = 0.02
    nan_at: int | None = None

    def model(self) -> nn.Module:
        inside = nn.Conv2d(self.width, self.width, 3, padding=1)
        layers = (nn.Conv2d(1, self.width, 3, padding=1), nn.SiLU(), inside, nn.SiLU(), nn.Conv2d(self.width, 1, 1))
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        return muon_and_adamw(model, [model.get_parameter("2.weight")], lr=self.rate, adamw_lr=self.rate)

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        g = torch.Generator().manual_seed(0)
        return (torch.randint(0, 256, (40, 1, 6, 6), generator=g, dtype=torch.uint8).to(device),)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        (images,) = data
        device = images.device
        x = images[torch.randint(len(images), (self.batch,), generator=generator, device=device)] / 255
        if self.nan_at is not None and generator.initial_seed() == step_seed(self.seed, self.nan_at):
            x[0] = torch.nan
        return x, torch.randn(x.shape, generator=generator, device=device)

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        x, noise = drawn
        return F.mse_loss(model(x + noise), x)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        return {"parameters": sum(p.numel() for p in model.parameters())}


TINY = Tiny(
    name="tiny", summary="a test", intended_use="tests", batch=12, steps=30, warmup=3, ema=0.9, precision="float32"
)


def child(threads: int | None, die_at: int | None, out: Path, arguments: dict[str, Any]) -> None:
    """Train in this process; killed by itself, as kill -9 does, before the `die_at`-th change to a file."""
    if threads is not None:
        torch.set_num_threads(threads)
    if die_at is not None:
        _die_at(die_at)
    run.train(TINY, out, save_seconds=0, progress=False, **arguments)


def _die_at(number: int) -> None:
    calls = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return wrapper

    # The steps of a file's life: made under another name, flushed, renamed, and removed at the end.
    _files.os.open = counted(os.open)  # type: ignore[attr-defined]
    _files.os.fsync, _files.os.replace = counted(os.fsync), counted(os.replace)  # type: ignore[attr-defined]
    Path.unlink = counted(Path.unlink)  # type: ignore[method-assign]


def main() -> None:
    """`tiny.py OUT STEPS [STOP_AT]`: train under torchrun; the first process asks for a stop after STOP_AT steps."""
    out, steps, *stop = sys.argv[1:]

    def on_step(step: int, loss: float) -> None:
        print(f"step {step}")  # noqa: T201
        if stop and step + 1 == int(stop[0]):
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        run.train(TINY, out, steps=int(steps), resume=True, progress=False, on_step=on_step)
    except run.Interrupted:
        print(f"interrupted {os.environ.get('RANK', '0')}")  # noqa: T201


if __name__ == "__main__":
    main()
