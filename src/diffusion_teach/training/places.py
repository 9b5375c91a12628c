"""Where a training writes: its checkpoint, the state of the training beside it, and what it finds there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from diffusion_teach import _checks, _files, checkpoints
from diffusion_teach.training import resume as states
from diffusion_teach.training.recipe import Recipe, check_recipe

FINISHED = b"finished"


def output_path(recipe: Recipe, out: str | Path) -> Path:
    """The checkpoint that a run writes: NAME.safetensors in the folder `out`, or `out` itself where it ends so."""
    check_recipe(recipe)
    path = _checks.path("out", out)
    if path.suffix == checkpoints.SUFFIX and not path.is_dir():
        checkpoints.check_name(path.stem)
        return path
    if path.is_dir() or not re.match(r"\.[A-Za-z]", path.suffix):
        return path / f"{recipe.name}{checkpoints.SUFFIX}"
    raise ValueError(f"out must be a folder, or a file that ends in {checkpoints.SUFFIX}, got {str(out)!r}.")


def state_path(checkpoint: Path) -> Path:
    """Where the state of the training that makes a checkpoint is kept."""
    return _checks.path("checkpoint", checkpoint).with_suffix(".training.safetensors")


def begun(held: ExitStack, path: Path, asked: Mapping[str, Any], *, resume: bool, overwrite: bool) -> bytes | None:
    """Clear and hold the place of a training; returns what to go on with, `FINISHED`, or None to start anew."""
    found, unfinished = _found(path, asked, resume=resume, overwrite=overwrite), state_path(path)
    try:
        held.enter_context(states.alone(unfinished))
    except OSError:
        if found == FINISHED:  # nothing is written
            return found
        raise
    found = _found(path, asked, resume=resume, overwrite=overwrite)  # another training may just have ended
    for file in (path, path.with_suffix(".json"), unfinished):
        _files.clear(file)
    if overwrite:
        unfinished.unlink(missing_ok=True)
    return found


def _found(path: Path, asked: Mapping[str, Any], *, resume: bool, overwrite: bool) -> bytes | None:
    """The state to go on with; None to start anew, `FINISHED` where there is nothing left to do."""
    unfinished = state_path(path)
    if overwrite:
        return None
    if unfinished.exists():
        if not resume:
            raise FileExistsError(
                f"an unfinished training is in {unfinished}. Go on with it by resume=True (--resume), or start anew "
                "with overwrite=True (--overwrite)."
            )
        return unfinished.read_bytes()
    if path.exists():
        if not resume:
            raise FileExistsError(
                f"{path} exists already. Give another place to write to, or replace it with "
                "overwrite=True (--overwrite)."
            )
        states.must_agree(checkpoints.card(path), asked, path)
        return FINISHED
    return None
