"""Trained weights in safetensors, each with a model card: how it was made, what it measures, what it may be used for.

`NAME.safetensors` holds the tensors and `NAME.json` the card; the card carries the weights' SHA-256, which `load`
verifies. Wherever a name is asked for, the path of a file of your own will do, such as "runs/mine.safetensors".

Each is made by a recipe, `diffusion-teach train RECIPE --out FOLDER`. Weights may be stored in half precision, rounded
to 11 significant bits; `load` gives float32 back.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, _files
from diffusion_teach.checkpoints import architectures

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"
CARD_FIELDS: tuple[str, ...] = ("recipe", "command", "seed", "steps", "seconds", "machine", "torch", "precision")
CARD_FIELDS += ("data", "metrics", "licence", "intended_use")
"""What every card has. One of a model that the library builds states its `architecture` too."""


def names() -> list[str]:
    """The names of the checkpoints of the package, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def path(name: str | Path) -> Path:
    """Where the weights of a checkpoint lie; its card lies beside them.

    Args:
        name: a name in the package, or the path of a file: a `Path`, or a text with a slash or the ending .safetensors.

    Raises:
        ValueError: there is no checkpoint of this name, the message names the nearest; or the file is of another kind.
        FileNotFoundError: there is no file at this path.
    """
    if not isinstance(name, (str, Path)):
        raise TypeError(f"name must be a checkpoint's name or the path of a file, got {_checks.describe(name)}.")
    text = str(name)
    if isinstance(name, str) and os.sep not in text and "/" not in text and not text.endswith(SUFFIX):
        _checks.choice("name", text, names())
        return FOLDER / f"{text}{SUFFIX}"
    file = _checks.path("name", name)
    if file.suffix != SUFFIX:
        raise ValueError(f"a checkpoint's file ends in {SUFFIX}, got {text!r}. Its card, in .json, lies beside it.")
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}. Make one with: diffusion-teach train RECIPE --out {file}.")
    return file


def card(name: str | Path) -> dict[str, Any]:
    """The model card of a checkpoint, by its name or path: the fields of `CARD_FIELDS`, sha256, and more.

    Raises:
        ValueError, FileNotFoundError: there is no such checkpoint, or its card is missing; the message names the
            nearest name, or the file.
        DamagedFileError: the card cannot be read.
    """
    file = path(name).with_suffix(".json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not isinstance(found.get("metrics", {}), dict):
            raise ValueError("it is no mapping of fields, with one of metrics")
        missing = [field for field in (*CARD_FIELDS, "sha256") if field not in found]
    except FileNotFoundError:
        raise FileNotFoundError(
            f"The model card {file} is missing: it says which recipe made the weights, and what their SHA-256 is. "
            "Keep it beside them. Of a training that was cut short, finish it with --resume."
        ) from None
    except (ValueError, RecursionError) as error:
        raise _files.DamagedFileError(f"The model card {file} is damaged: {error}. {_mend(file)}") from None
    if missing:
        raise _files.DamagedFileError(f"The model card {file} lacks {', '.join(missing)}. {_mend(file)}")
    return found


def load(name: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, ready for `load_state_dict`; their SHA-256 is verified.

    Half precision (float16) comes back as float32, everything else as it was saved.

    Raises:
        ValueError: there is no such checkpoint; the message names the nearest.
        FileNotFoundError, DamagedFileError: the weights or their card are missing or damaged, or a weight is not a
            finite number; the message names the file, the expected hash and how to mend.
    """
    import safetensors.torch

    expected = card(name)["sha256"]
    file = path(name)
    try:
        tensors = safetensors.torch.load(_files.read_verified(file, expected, _advice(file)))
    except safetensors.SafetensorError as error:
        raise _files.DamagedFileError(f"The file {file} holds no safetensors: {error}. {_mend(file)}") from None
    if broken := [key for key, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise _files.DamagedFileError(f"The file {file} holds NaN or infinite numbers in {broken[0]}. {_mend(file)}")
    return {key: value.float() if value.dtype == torch.float16 else value for key, value in tensors.items()}


def model(name: str | Path) -> nn.Module:
    """The trained model of a checkpoint, by its name or path: in evaluation mode, on the CPU, without gradients.

    Its architecture is that which its card states, see `architectures`.

    Raises:
        ValueError: no such checkpoint, an architecture that the library does not build, or weights of another one; the
            message says what differs.
        FileNotFoundError, DamagedFileError: see `load`.
    """
    architecture, tensors = architectures.of_card(card(name)), load(name)
    if differing := difference(architectures.shapes(architecture), tensors):
        raise ValueError(
            f"{path(name)} is of another architecture than its card states: {differing}. Keep weights "
            "and card of one training together, or train it again."
        )
    with torch.random.fork_rng(devices=[]):  # fresh weights are drawn, and then replaced
        fresh = architectures.build(architecture)
    fresh.load_state_dict(tensors)
    return fresh.eval().requires_grad_(False)


def save(
    name: str, state: Mapping[str, Tensor], card: Mapping[str, Any], *, folder: Path | None = None, half: bool = False
) -> Path:
    """Write a checkpoint and its card, each whole or not at all, and return the path of the weights.

    The weights are written first: should the card's writing fail, `load` reports a hash that does not match, and never
    hands out weights under another's card.

    Args:
        name: a file's name without ending: letters, digits, and `_`, `-`, `.` or spaces between them.
        state: the tensors by name, as `module.state_dict()` gives them.
        card: the fields of `CARD_FIELDS` and any more that JSON can hold; `parameters`, `sha256` and `bytes` are added.
        folder: where to write; by default the package's own folder. It is made if need be.
        half: store floating-point tensors as float16, in half the bytes.

    Raises:
        ValueError: a bad name, a card without its fields, or numbers that are not finite, in float16 where `half`.
        OSError: the files cannot be written; what was there before is still there.
    """
    import safetensors.torch

    check_name(name)
    _checks.mapping("state", state, "tensors")
    _checks.mapping("card", card, "a model card's fields")
    half = _checks.flag("half", half)
    missing = [field for field in CARD_FIELDS if field not in card]
    if missing:
        raise ValueError(f"card must have the fields {', '.join(CARD_FIELDS)}; it lacks {', '.join(missing)}.")
    if not state:
        raise ValueError("state is empty, expected at least one tensor, such as module.state_dict() gives.")
    tensors = {key: _stored(key, value, half) for key, value in state.items()}
    # One entry: the order of several changes from run to run, and with it the hash.
    data = safetensors.torch.save(tensors, metadata={"recipe": str(card["recipe"])})
    whole = {**card, "parameters": parameters(tensors), "sha256": _files.sha256(data), "bytes": len(data)}
    text = _text(whole)
    folder = FOLDER if folder is None else _checks.path("folder", folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}{SUFFIX}"
    _files.write_atomically(file, data)
    _files.write_atomically(file.with_suffix(".json"), text)
    return file


def restate(name: str | Path, metrics: Mapping[str, Any]) -> Path:
    """Write other metrics into the card of a checkpoint, and return the path of the card; all else stays as it is.

    Raises:
        ValueError, FileNotFoundError, DamagedFileError: see `card`; numbers that are not finite.
        OSError: the card cannot be written; what was there before is still there.
    """
    file = path(name).with_suffix(".json")
    _checks.mapping("metrics", metrics, "scores")
    _files.write_atomically(file, _text({**card(name), "metrics": dict(metrics)}))
    return file


def _text(card: Mapping[str, Any]) -> bytes:
    return (json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def check_name(name: str) -> str:
    """Check that a name can be that of a checkpoint's file, and return it."""
    if not isinstance(name, str) or not re.fullmatch(r"\w([\w. -]*\w)?", name):
        raise ValueError(f"name must be letters and digits, with _, -, . or spaces between them, got {name!r}.")
    return name


def parameters(state: Mapping[str, Tensor]) -> int:
    """How many numbers a checkpoint holds."""
    tensors = _checks.mapping("state", state, "tensors").values()
    return sum(value.numel() for value in tensors if isinstance(value, torch.Tensor))


def _stored(key: str, value: Tensor, half: bool) -> Tensor:
    """A tensor as it is written: a copy on the CPU, in float16 where asked for."""
    _checks.tensor(f"state[{key!r}]", value, floating=False)
    stored = value.detach().to("cpu", copy=True).contiguous()
    if half and stored.is_floating_point():
        stored = stored.half()
        if not torch.isfinite(stored).all():
            raise ValueError(
                f"state[{key!r}] holds {float(value.abs().max()):g}, and half precision ends at 65504. Save with "
                "half=False."
            )
    return stored


def difference(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """How two sets of tensors differ in names and shapes, in a few words; empty where they agree."""
    _checks.mapping("expected", expected, "tensors")
    _checks.mapping("found", found, "tensors")
    shapes = [
        f"{key} has the shape {tuple(found[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if key in found and found[key].shape != value.shape
    ]
    kinds = [
        f"{key} holds {_dtype(found[key])} instead of {_dtype(value)}"
        for key, value in expected.items()
        if key in found and found[key].is_floating_point() != value.is_floating_point()
    ]
    parts = [
        _few("it lacks ", [key for key in expected if key not in found]),
        _few("it has besides ", sorted(key for key in found if key not in expected)),
        _few("", shapes),
        _few("", kinds),
    ]
    return "; ".join(filter(None, parts))


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _few(text: str, items: list[str], most: int = 3) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return text + ", ".join(items[:most]) + more if items else ""


def _advice(file: Path) -> str:
    ours = file.parent.resolve() == FOLDER.resolve()
    return _files.REINSTALL if ours else "another copy of both files, or a training anew"


def _mend(file: Path) -> str:
    return f"Mend it with: {_advice(file).format(name=file.name)}."
