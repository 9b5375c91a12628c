"""One training of a recipe in one process: its model, optimisers, average and losses, and how they are saved.

The loop itself is `training.fit`. Ctrl-C and SIGTERM are noted, and obeyed after the step that is under way, so that
what is saved is always the state between two steps.
"""

from __future__ import annotations

import functools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from diffusion_teach import devices
from diffusion_teach.training import resume
from diffusion_teach.training.distributed import Processes
from diffusion_teach.training.ema import EMA
from diffusion_teach.training.loop import History, fit
from diffusion_teach.training.recipe import Recipe, step_seed

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A training was stopped by Ctrl-C or SIGTERM and its state saved; `signal` is the number of the signal."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = number


class _Stop(Exception):
    """Ends the loop between two steps."""


class _Objective(nn.Module):
    """A model whose forward pass is the loss of a turn, which is what DistributedDataParallel wraps."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.model = model
        self._losses = recipe.losses()

    def forward(self, turn: int, *drawn: Tensor) -> Tensor:
        return self._losses[turn](self.model, *drawn)


class Session:
    """A training, ready for its first step.

    Args:
        recipe: what is trained.
        about: what a state says of its training: seed, steps, precision, and more.
        path: where the state is written.
        device: where to compute.
        group: the processes that work together.
    """

    def __init__(
        self, recipe: Recipe, about: dict[str, Any], path: Path, device: torch.device, group: Processes
    ) -> None:
        self.recipe, self.about, self.path, self.device, self.group = recipe, about, path, device, group
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(about["seed"]))
            self.model = recipe.model().to(device)
        self.ema = None if recipe.ema is None else EMA(self.model, recipe.ema)
        self.optimizers = recipe.optimizers(self.model)
        self.losses: list[float] = []
        self._data = recipe.data(device)
        self._generator = torch.Generator(device)
        self._rows = group.rows(recipe.batch)
        self._turns = len(recipe.losses())
        self._objective: nn.Module | None = _Objective(self.model, recipe)
        if group.count > 1:
            ids = [device] if device.type == "cuda" else None
            self._objective = DistributedDataParallel(
                self._objective, device_ids=ids, find_unused_parameters=self._turns > 1
            )
        self._signal: int | None = None
        self._stop = False
        self._began, self._seconds_before = time.perf_counter(), 0.0

    def seconds(self) -> float:
        """Seconds of training so far, over all parts of a training that was stopped."""
        return self._seconds_before + time.perf_counter() - self._began

    def close(self) -> None:
        """Let go of what ties this process to the others, see `distributed.processes`; no step can follow."""
        self._objective = None

    def restore(self, state: resume.State) -> None:
        """Take up a state, in place; see `resume.restore`."""
        resume.restore(state, self.model, self.ema, self.optimizers, self.path)
        self.losses = state.losses
        self._seconds_before = float(state.about["seconds"])

    def save(self) -> None:
        """Write the state, unless a weight is no longer a number: then the last good state is the better one."""
        if self._is_finite():
            about = {**self.about, "torch": torch.__version__, "seconds": self.seconds()}
            resume.write(self.path, resume.pack(about, self.model, self.ema, self.optimizers, self.losses))

    def train(
        self,
        *,
        save_seconds: float,
        progress: bool | None = None,
        on_step: Callable[[int, float], None] | None = None,
    ) -> None:
        """Do the steps that are left, saving every so many seconds and at the end.

        Raises:
            FloatingPointError: the loss, or a weight at the end, is not finite; the last good state is kept.
            Interrupted: by Ctrl-C or SIGTERM; the state is saved.
        """
        steps, first = int(self.about["steps"]), self.group.first
        saved = time.monotonic()

        def after(step: int, loss: float) -> None:
            nonlocal saved
            self.losses.append(loss)
            if first and on_step is not None:
                on_step(step, loss)
            if self._stop if self.group.count > 1 else self._signal is not None:
                raise _Stop
            if first and time.monotonic() - saved >= save_seconds:
                self.save()
                saved = time.monotonic()

        self._began = time.perf_counter()
        with self._signals_noted(), devices.deterministic():
            try:
                history = self._fit(steps, after, progress if first else False)
            except _Stop:
                if first:
                    self.save()
                name = signal.Signals(self._signal).name if self._signal else "another process"
                raise Interrupted(
                    f"stopped by {name} after {len(self.losses)} of {steps} steps; the state is in {self.path}. "
                    "Go on with resume=True (--resume).",
                    self._signal or signal.SIGTERM,
                ) from None
            if history.interrupted:
                raise KeyboardInterrupt
        if not self._is_finite():
            raise FloatingPointError(
                f"a weight became NaN or infinite at the last step, {steps}. Try a smaller learning rate, or clip=1.0."
            )
        if first:
            self.save()

    def try_out(self, steps: int, on_step: Callable[[int, float], None]) -> None:
        """Do some steps whose outcome will be thrown away."""
        self._fit(steps, on_step, False)

    def _fit(self, steps: int, on_step: Callable[[int, float], None], progress: bool | None) -> History:
        begin = len(self.losses)
        step, seed = begin, int(self.about["seed"])
        objective = self._objective
        if objective is None:
            raise RuntimeError("this session is closed. Make a new one, and restore the state that was saved.")

        mine: list[Tensor] = []

        def loss(turn: int) -> Tensor:
            nonlocal step, mine
            if turn == 0:
                drawn = self.recipe.draw(self._data, self._generator.manual_seed(step_seed(seed, step)))
                mine = [part[self._rows] for part in drawn]
                step += 1
            with devices.autocast(self.device, str(self.about["precision"])):
                value: Tensor = objective(turn, *mine)
            value, self._stop = self.group.averaged(value, self._signal is not None)
            return value

        return fit(
            self.model,
            [functools.partial(loss, turn) for turn in range(self._turns)],
            steps=steps,
            first_step=begin,
            warmup=min(self.recipe.warmup, steps // 10),
            decay=self.recipe.decay,
            clip=self.recipe.clip,
            optimizers=self.optimizers,
            ema=self.ema,
            on_step=on_step,
            progress=progress,
        )

    def _is_finite(self) -> bool:
        return all(bool(torch.isfinite(value).all()) for value in self.model.parameters())

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        """Note Ctrl-C and SIGTERM instead of dying in the middle of a step; only a main thread can."""

        def note(number: int, frame: object) -> None:
            self._signal = number

        before = {}
        if threading.current_thread() is threading.main_thread():
            before = {s: signal.getsignal(s) for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN}
        try:
            for number in before:
                signal.signal(number, note)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
