"""Run a recipe: train it, alone or in many processes, survive being killed, measure it, and write its checkpoint.

    from diffusion_teach import recipes
    from diffusion_teach.training import run

    run.train(recipes.get("ddpm-mnist"), "runs", minutes=10)

Beside the checkpoint to be, `NAME.training.safetensors` keeps the state of the training (see `resume`) until
checkpoint and model card are both written.
"""

from __future__ import annotations

import copy
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diffusion_teach import _checks, checkpoints, devices
from diffusion_teach.generate import Sampling
from diffusion_teach.training import distributed, places
from diffusion_teach.training import resume as states
from diffusion_teach.training.places import output_path, state_path
from diffusion_teach.training.recipe import SEEDS, Recipe, check_recipe
from diffusion_teach.training.session import Interrupted, Session

__all__ = ["Interrupted", "output_path", "state_path", "train", "trained"]

WARM_UP, TIMED = 3, 15
"""Throw-away steps by which `minutes` becomes a number of steps; the first ones are slow."""


def train(
    recipe: Recipe,
    out: str | Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    save_seconds: float = 30.0,
    progress: bool | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Path:
    """Train a recipe and write its checkpoint with its model card; returns the checkpoint's path.

    Under torchrun each process calls this alike. The first writes; the others return when the training has ended.

    Args:
        out: a folder, or the path of the checkpoint, which ends in .safetensors.
        steps: how many; by default the recipe's.
        minutes: instead of steps: about how long to train. A few throw-away steps are timed and turned into a number
            of steps, which is kept, so that the learning rate comes to its end.
        seed: by default the recipe's.
        device: see `devices.pick`.
        resume: go on with the training that was stopped, to the very weights that it would have reached on the same
            machine; start it where there is none. What is not given is taken from there.
        overwrite: replace what is there.
        save_seconds: how often the state of the training is written.
        progress, on_step: see `training.loop`; on_step is called in the first process only.

    Raises:
        FileExistsError: there is a checkpoint or a training already; says how to go on.
        BlockingIOError: another training is writing there at this moment.
        ValueError: arguments that do not fit, one another or the training that is to go on.
        DamagedFileError: the state of the training is truncated or altered.
        OSError: a file cannot be written; the last good one is untouched.
        FloatingPointError: the loss became NaN or infinite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    asked = _asked(recipe, steps, minutes, seed)
    resume, overwrite = _checks.flag("resume", resume), _checks.flag("overwrite", overwrite)
    if resume and overwrite:
        raise ValueError("resume goes on with what is there, overwrite replaces it: choose one.")
    save_seconds = _checks.number("save_seconds", save_seconds, least=0)
    _checks.instance("device", device, (str, torch.device), "a device's name, such as 'cpu'")
    if progress is not None:
        _checks.flag("progress", progress)
    if on_step is not None:
        _checks.function("on_step", on_step)
    path = output_path(recipe, out)

    with ExitStack() as held:
        with distributed.processes() as group:
            group.rows(recipe.batch)
            found = group.share(lambda: places.begun(held, path, asked, resume=resume, overwrite=overwrite))
            if found == places.FINISHED:
                return path
            state = None if found is None else states.unpack(found, state_path(path))
            if state is not None:
                states.must_have(state, state_path(path))
            chosen = _device(device, state, group)
            about = _about(recipe, chosen, asked, state, path)

            def session() -> closing[Session]:
                return closing(Session(recipe, about, state_path(path), chosen, group))

            if state is None:
                group.share(lambda: _rehearse(recipe))
            if minutes is not None and state is None:
                with session() as trial:
                    about["steps"] = _steps_within(60 * minutes, trial, group)
            with session() as run:
                if state is not None:
                    run.restore(state)
                elif group.first:
                    run.save()  # before the first step, so that a place that cannot be written to is found at once
                run.train(save_seconds=save_seconds, progress=progress, on_step=on_step)
        if group.first:
            _ship(run, path, group)
    return path


def trained(recipe: Recipe, *, steps: int | None = None, seed: int | None = None, device: str = "cpu") -> nn.Module:
    """The model that a recipe makes, the average where it keeps one, in evaluation mode; nothing is kept on disk.

    Args:
        steps: how many; by default the recipe's.
        seed: by default the recipe's.
        device: see `devices.pick`.

    Raises:
        FloatingPointError: the loss became NaN or infinite.
    """
    asked = _asked(recipe, steps, None, seed)
    chosen = devices.pick(device)
    with tempfile.TemporaryDirectory() as folder:
        path = output_path(recipe, folder)
        about = _about(recipe, chosen, asked, None, path)
        with closing(Session(recipe, about, state_path(path), chosen, distributed.Processes())) as run:
            run.train(save_seconds=math.inf, progress=False)
    made = recipe.shipped(run.model if run.ema is None else run.ema.model)
    return made.eval().requires_grad_(False)


def _rehearse(recipe: Recipe) -> None:
    """Find out before the first step what would else be found out after the last: a model that cannot be measured."""
    try:
        with torch.random.fork_rng(devices=[]):
            recipe.rehearse(recipe.shipped(recipe.model()).eval().requires_grad_(False))
    except ValueError as error:
        raise ValueError(f"what the recipe {recipe.name!r} makes could not be measured: {error}") from error


def _asked(recipe: Recipe, steps: int | None, minutes: float | None, seed: int | None) -> dict[str, Any]:
    """What was asked for by name, checked: a training that goes on must have the same."""
    check_recipe(recipe)
    if steps is not None and minutes is not None:
        raise ValueError(f"give steps or minutes, not both; got steps={steps} and minutes={minutes}.")
    asked: dict[str, Any] = {"recipe": recipe.name}
    if steps is not None:
        asked["steps"] = _checks.integer("steps", steps)
    if seed is not None:
        asked["seed"] = _checks.integer("seed", seed, least=0, most=SEEDS)
    if minutes is not None:
        minutes = _checks.number("minutes", minutes, above=0)
    return asked


def _about(
    recipe: Recipe, device: torch.device, asked: dict[str, Any], state: states.State | None, path: Path
) -> dict[str, Any]:
    """What the state of a training will say of it; what was not asked for is the recipe's, or that of the old state."""
    about: dict[str, Any] = {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "steps": recipe.steps,
        "batch": recipe.batch,
        "device": device.type,
        "precision": devices.precision(recipe.precision, device),
        "settings": recipe.settings(),
    }
    if state is not None:
        wanted = {**asked, "device": device.type, "settings": about["settings"]}
        states.must_agree(state.about, wanted, state_path(path))
        about |= {name: state.about[name] for name in ("seed", "steps", "precision")}
    return about | asked


def _device(name: str, state: states.State | None, group: distributed.Processes) -> torch.device:
    """The device of a name; "auto" is the one that a stopped training was on."""
    if name == "auto" and state is not None:
        name = str(state.about["device"])
    device = devices.pick(name, local_rank=group.local_rank)
    if device.type == "cuda" and group.count > 1:
        torch.cuda.set_device(device)
    if device.type == "mps" and group.count > 1:
        raise ValueError("processes cannot work together on MPS. Start one process, or use device='cpu'.")
    return device


def _steps_within(seconds: float, trial: Session, group: distributed.Processes) -> int:
    """How many steps fit into a time, from throw-away steps; the first process decides."""
    ends: list[float] = []
    trial.try_out(WARM_UP + TIMED, lambda step, loss: ends.append(time.perf_counter()))
    took = [end - begin for begin, end in itertools.pairwise(ends[WARM_UP:])]
    return group.share(lambda: max(1, round(seconds / statistics.median(took))))


def _ship(run: Session, path: Path, group: distributed.Processes) -> None:
    """Measure what was trained as it is stored, write checkpoint and card, and remove the state of the training."""
    recipe, seed, steps = run.recipe, int(run.about["seed"]), int(run.about["steps"])
    trained = recipe.shipped(run.model if run.ema is None else run.ema.model)
    tensors = trained.state_dict()
    stored = {name: v.half().float() if recipe.half and v.is_floating_point() else v for name, v in tensors.items()}
    measured = copy.deepcopy(trained).eval().requires_grad_(False)
    measured.load_state_dict(stored)
    card = {
        "recipe": recipe.name,
        "command": f"diffusion-teach train {recipe.name} --steps {steps} --seed {seed} "
        f"--precision {run.about['precision']}",
        "summary": recipe.summary,
        "architecture": recipe.architecture(),
        "seed": seed,
        "steps": steps,
        "batch": recipe.batch,
        "seconds": round(run.seconds(), 1),
        "machine": devices.machine(run.device, group.count),
        "torch": torch.__version__.split("+")[0],
        "precision": run.about["precision"],
        "data": recipe.data_from,
        "loss": statistics.fmean(run.losses[-100:]),
        "metrics": recipe.measure(measured, Sampling(seed=seed)),
        "licence": recipe.licence,
        "intended_use": recipe.intended_use,
    }
    try:
        checkpoints.save(path.stem, tensors, card, folder=path.parent, half=recipe.half)
    except OSError as error:
        raise states.cannot_write(error, path) from error
    state_path(path).unlink(missing_ok=True)
