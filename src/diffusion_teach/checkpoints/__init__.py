"""Trained weights in safetensors, each with a model card: how it was made, what it measures, what it may be used for.

`NAME.safetensors` holds the tensors and `NAME.json` the card; the card carries the weights' SHA-256, which `load`
verifies. Each checkpoint is made by a recipe of the same name, `python -m diffusion_teach.recipes.NAME`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks, _files

FOLDER = Path(__file__).parent
CARD_FIELDS = ("recipe", "seed", "steps", "seconds", "machine", "metrics", "licence", "intended_use")


def names(*, folder: Path | None = None) -> list[str]:
    """The names of the checkpoints in a folder, in alphabetical order; by default those of the package."""
    return sorted(path.stem for path in _folder(folder).glob("*.json"))


def card(name: str, *, folder: Path | None = None) -> dict[str, Any]:
    """The model card of a checkpoint: recipe, seed, steps, seconds, machine, metrics, licence, intended_use, sha256.

    Raises:
        ValueError: there is no such checkpoint; the message names the nearest.
        DamagedFileError: the card cannot be read.
    """
    folder = _folder(folder)
    _checks.choice("name", name, names(folder=folder))
    path = folder / f"{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        missing = [field for field in (*CARD_FIELDS, "sha256") if field not in found]
    except (ValueError, TypeError) as error:
        raise _files.DamagedFileError(f"The model card {path} is damaged: {error}. {_mend(path)}") from None
    if missing:
        raise _files.DamagedFileError(f"The model card {path} lacks {', '.join(missing)}. {_mend(path)}")
    return dict(found)


def load(name: str, *, folder: Path | None = None) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, ready for `load_state_dict`; their SHA-256 is verified.

    Raises:
        ValueError: there is no such checkpoint; the message names the nearest.
        FileNotFoundError, DamagedFileError: the weights or their card are missing or damaged; the message names the
            file, the expected hash and how to mend.
    """
    import safetensors.torch

    expected = card(name, folder=folder)["sha256"]
    data = _files.read_verified(_folder(folder) / f"{name}.safetensors", expected)
    return dict(safetensors.torch.load(data))


def save(name: str, state: Mapping[str, Tensor], card: Mapping[str, Any], *, folder: Path | None = None) -> Path:
    """Write a checkpoint and its card, each whole or not at all, and return the path of the weights.

    The weights are written first: should the card's writing fail, `load` reports a hash that does not match, and never
    hands out weights under another's card.

    Args:
        name: lower-case letters, digits and underscores.
        state: the tensors by name, as `module.state_dict()` gives them.
        card: the fields of `CARD_FIELDS` and any more that JSON can hold; `sha256` and `bytes` are added.
        folder: where to write; by default the package's own folder. It is made if need be.
    """
    import safetensors.torch

    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"name must be lower-case letters, digits and underscores, got {name!r}.")
    missing = [field for field in CARD_FIELDS if field not in card]
    if missing:
        raise ValueError(f"card must have the fields {', '.join(CARD_FIELDS)}; it lacks {', '.join(missing)}.")
    if not state:
        raise ValueError("state is empty, expected at least one tensor, such as module.state_dict() gives.")
    for key, value in state.items():
        _checks.tensor(f"state[{key!r}]", value, floating=False)
    tensors = {key: value.detach().to("cpu", copy=True).contiguous() for key, value in state.items()}
    data = safetensors.torch.save(tensors, metadata={"format": "pt", "recipe": str(card["recipe"])})
    whole = {**card, "sha256": _files.sha256(data), "bytes": len(data)}
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    folder = FOLDER if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    _files.write_atomically(path, data)
    _files.write_atomically(path.with_suffix(".json"), text.encode())
    return path


def parameters(state: Mapping[str, Tensor]) -> int:
    """How many numbers a checkpoint holds."""
    return sum(value.numel() for value in state.values() if isinstance(value, torch.Tensor))


def _folder(folder: Path | None) -> Path:
    return FOLDER if folder is None else Path(folder)


def _mend(path: Path) -> str:
    return f"Mend it with: {_files.REINSTALL.format(name=path.name)}."
