"""The state of a training in one file, so that `kill -9` at any moment costs no more than the time since the last save.

The file holds what the next step depends on: weights, their moving average, the optimisers' moments, and the losses so
far, whose number is the step. Randomness needs no state, as step k draws from a seed made of the run's seed and k. Its
metadata say which training it belongs to, and carry the SHA-256 of the whole file (taken with the hash itself as
zeros), so that a truncated or altered file is named and never used.

It is written beside its name and then renamed: a crash leaves the last good file in place.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from diffusion_teach import _files
from diffusion_teach.checkpoints.files import difference
from diffusion_teach.training.ema import EMA

FORMAT = 1
KEY = "training"
COUNTS = ("step",)
"""What optimizers keep that is no moment of a weight, but one number."""
NO_HASH = "0" * 64
START_ANEW = "Delete it, or start anew with overwrite=True (--overwrite)."


@dataclass(frozen=True)
class State:
    """A training that was stopped: what it is (`about`), and its tensors by name."""

    about: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def losses(self) -> list[float]:
        """The loss of every finished step."""
        return [float(loss) for loss in self.tensors["losses"]]


def pack(
    about: Mapping[str, Any],
    model: nn.Module,
    ema: EMA | None,
    optimizers: Sequence[torch.optim.Optimizer],
    losses: Sequence[float],
) -> bytes:
    """The state of a training as the bytes of a safetensors file with its own hash inside."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    if ema is not None:
        tensors |= {f"average.{name}": value for name, value in ema.model.state_dict().items()}
    for i, optimizer in enumerate(optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                if not isinstance(value, Tensor):
                    raise TypeError(
                        f"{type(optimizer).__name__} keeps {name!r} as {type(value).__name__}; only optimizers whose "
                        "state is tensors can be saved."
                    )
                tensors[f"optimizer.{i}.{index}.{name}"] = value
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    plain = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    updates = 0 if ema is None else ema.updates
    whole = {**about, "format": FORMAT, "average_updates": updates, "sha256": NO_HASH}
    data = safetensors.torch.save(plain, metadata={KEY: json.dumps(whole)})
    return data.replace(NO_HASH.encode(), _files.sha256(data).encode(), 1)


def unpack(data: bytes, path: Path) -> State:
    """Read the bytes of a state file, verified; `path` is for messages.

    Raises:
        DamagedFileError: the file is truncated or altered.
        ValueError: it is no state of a training, or of another version of this library.
    """
    try:
        (length,) = struct.unpack("<Q", data[:8])
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
        about = json.loads(metadata[KEY]) if KEY in metadata else None
    except (struct.error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"its header cannot be read ({type(error).__name__}, {len(data)} bytes)") from None
    if about is not None and not isinstance(about, dict):
        raise _damaged(path, "its header says nothing of a training")
    if about is None:
        raise ValueError(f"{path} is not the state of a training. Give another place to write to.")
    expected = str(about.get("sha256"))
    found = _files.sha256(data.replace(expected.encode(), NO_HASH.encode(), 1))
    if len(expected) != 64 or found != expected:
        raise _damaged(path, f"expected SHA-256 {expected}, found {found} ({len(data)} bytes)")
    if about.get("format") != FORMAT:
        raise ValueError(
            f"the state {path} has format {about.get('format')}, this library reads {FORMAT}. {START_ANEW}"
        )
    try:
        tensors = safetensors.torch.load(data)
    except SafetensorError as error:  # pragma: no cover - the hash finds what could cause it
        raise _damaged(path, str(error)) from None
    losses = tensors.get("losses")
    if losses is None or losses.ndim != 1 or not isinstance(about.get("average_updates"), int):
        raise _damaged(path, "it lacks the losses, or how often weights were averaged")
    return State(about, tensors)


def _damaged(path: Path, how: str) -> _files.DamagedFileError:
    return _files.DamagedFileError(f"The state of the training {path} is damaged: {how}. {START_ANEW}")


def must_have(state: State, path: Path) -> None:
    """Check that a state says of its training what going on with it takes."""
    kinds = {"device": str, "precision": str, "seed": int, "steps": int, "seconds": (int, float)}
    for name, kind in kinds.items():
        if not isinstance(state.about.get(name), kind):  # type: ignore[arg-type]
            raise _damaged(path, f"it does not say the {name} of the training")


def must_agree(about: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Check that a state belongs to the training that is to go on.

    Raises:
        ValueError: something differs; the message names what was found and what was wanted.
    """
    for name, value in wanted.items():
        found = about.get(name)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            if keys := [key for key in sorted({*found, *value}) if found.get(key) != value.get(key)]:
                must_agree({keys[0]: found.get(keys[0])}, {keys[0]: value.get(keys[0])}, path)
        elif found != value:
            raise ValueError(
                f"the training in {path} has {name} {found!r}, but {value!r} was asked for. Ask for the same to go "
                "on, give another place to write to, or start anew with overwrite=True (--overwrite)."
            )


def restore(
    state: State,
    model: nn.Module,
    ema: EMA | None,
    optimizers: Sequence[torch.optim.Optimizer],
    path: Path,
) -> None:
    """Put a state into a fresh model, its average and its optimizers, in place.

    Raises:
        ValueError: the state is of another architecture; the message names what differs.
    """
    _load(model, _part(state.tensors, "model."), path)
    if ema is not None:
        _load(ema.model, _part(state.tensors, "average."), path)
        ema.updates = int(state.about["average_updates"])
    for i, optimizer in enumerate(optimizers):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(state.tensors, f"optimizer.{i}.").items():
            index, _, key = name.partition(".")
            if not index.isdecimal() or int(index) >= len(parameters):
                raise ValueError(f"the state {path} is of another optimizer: it has a weight {index}. {START_ANEW}")
            like = parameters[int(index)]
            if value.shape != (torch.Size() if key in COUNTS else like.shape):  # torch's kernels would not ask
                raise ValueError(
                    f"the state {path} is of another optimizer: {name} has the shape {tuple(value.shape)} for a weight "
                    f"{tuple(like.shape)}. {START_ANEW}"
                )
            if key not in COUNTS:  # moments lie in memory as their weight does, which channels_last kernels may rely on
                value = torch.empty_like(like).copy_(value)
            moments.setdefault(int(index), {})[key] = value
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensors[name] for name in sorted(tensors) if name.startswith(prefix)}


def _load(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    if differing := difference(model.state_dict(), tensors):
        raise ValueError(f"the state {path} is of another architecture: {differing}. {START_ANEW}")
    model.load_state_dict(dict(tensors))


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: the disk is full or the folder cannot be written to; the message names the file and what to do. What
            was there before is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _files.write_atomically(path, data)
    except OSError as error:
        raise cannot_write(error, path, len(data)) from error


def cannot_write(error: OSError, path: Path, size: int = 0) -> OSError:
    """The error of a file that could not be written, with its name and what to do."""
    kept = f" {path} of the last save is untouched." if path.exists() else ""
    return OSError(
        error.errno,
        f"could not write {path}{f' ({size / 1e6:.1f} MB)' if size else ''}: {error.strerror or error}.{kept} "
        "Free some space or give a folder that can be written to, then go on with resume=True (--resume)",
    )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the place where a training writes its state, so that no other training writes there.

    Raises:
        BlockingIOError: another one does.
        OSError: the place cannot be written to.
    """
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(_files.locked(path.with_name(f".{path.name}.lock")))
        except BlockingIOError:
            raise BlockingIOError(
                f"another training is writing {path} at this moment. Wait until it has ended, stop it, or give another "
                "place to write to."
            ) from None
        except OSError as error:
            raise cannot_write(error, path) from error
        yield
