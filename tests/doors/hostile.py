"""What may come in place of any argument, and which kinds of parameters take it.

KINDS tells by a parameter's annotation what it takes. Who writes a new function of known kinds need not come here; one
with a new kind, or with a parameter whose right value nobody can guess, is told what to add.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from diffusion_teach import schedules
from tests.doors.door import Door
from tests.doors.values import exact, generator

HOSTILE: Mapping[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "text": lambda: "hostile",
    "empty text": lambda: "",
    "a number": lambda: 0.3,
    "-1": lambda: -1,
    "NaN": lambda: math.nan,
    "infinity": lambda: math.inf,
    "a complex number": lambda: 1j,
    "a list": lambda: [0.3],
    "nothing in it": lambda: [],
    "a mapping": lambda: {"hostile": 1},
    "an object": object,
    "a class": lambda: schedules.VP,
    "a function": lambda: torch.sin,
    "a schedule": schedules.VP,
    "a denoiser": exact,
    "a network": lambda: nn.Linear(1, 1),
    "an array": lambda: np.ones((4, 2)),
    "a tensor": lambda: torch.ones(4, 2),
    "whole numbers": lambda: torch.ones(4, 2, dtype=torch.int64),
    "complex numbers": lambda: torch.ones(4, 2, dtype=torch.complex64),
    "an empty tensor": lambda: torch.ones(0, 2),
    "a generator": generator,
}
"""By name: what may come in place of anything."""

CALLS = {"a class", "a function", "a denoiser", "a network"}
NUMBER, TENSOR = {"a number", "-1"}, {"a tensor"}
KINDS: Mapping[str, set[str]] = {
    "None": {"None"},
    "Tensor": TENSOR,
    "float": NUMBER,
    "int": {"-1"},
    "bool": {"True"},
    "str": set(),
    "str: text": {"text"},
    "Path": {"text", "empty text"},
    "Schedule": {"a schedule"},
    "Denoiser": {"a denoiser"},
    "Learned": set(),
    "OneStepGenerator": set(),
    "Distribution": set(),
    "GaussianMixture": set(),
    "Sampling": set(),
    "Recipe": set(),
    "Classifier": set(),
    "Autoencoder": set(),
    "Encoder": set(),
    "VAE": set(),
    "CausalPixels": set(),
    "EMA": set(),
    "LatentVariableModel": set(),
    "nn.Module": {"a network"},
    "torch.Generator": {"a generator"},
    "torch.device": set(),
    "torch.dtype": set(),
    "UNet": set(),
    "Callable": CALLS,
    "Noise": CALLS,
    "Score": CALLS,
    "ScoreModel": CALLS,
    "Jump": CALLS,
    "Step": set(),
    "State": set(HOSTILE),
    "object": set(),
    "Mapping": {"a mapping"},
    "Architecture": set(),
    "Sequence": set(),
    "Iterable": set(),
    "tuple": set(),
    "Width": {"None"},
}
"""By annotation, without what stands in brackets: which of HOSTILE it takes. That is not refused for its kind, and may
be for its size. "str: text" is a text of any words, and not one of a few names."""

WHOLE = {"about", "asked", "layout", "fields", "labels", "cond", "rows", "digits", "found", "images", "known", "shares"}
WHOLE = {"labels", "cond", "rows", "digits", "found", "images", "known", "shares", "k"}
"""Parameters that are tensors of whole numbers."""
TEXTS = {"checkpoints.files.*: name"}
"""Parameters that are texts of any words, such as files' names."""
CALLED = {
    "devices.pick: name": "device",
    "devices.precision: name": "precision",
    "devices.autocast: name": "precision",
    "checkpoints.architectures.*: architecture": "kind",
    "*.Exact.__call__: x_t": "x",
    "*.posterior_mean: x_t": "x",
    "*.Game: name": "game",
    "datasets.captions.tokens: captions": "caption",
}
"""What an error calls a parameter by another name, which is that of whoever gets to see it."""
OPTIONAL = {"generator"}
"""Parameters that may be None wherever they are, which stands for torch's own generator."""


def kinds(door: Door, parameter: inspect.Parameter) -> set[str]:
    """What of HOSTILE a parameter takes, all kinds of its annotation together."""
    taken: set[str] = {"None"} if parameter.name in OPTIONAL else set()
    for kind in _alternatives(str(parameter.annotation)):
        if kind == "str" and any(fnmatch(f"{door.name}: {parameter.name}", text) for text in TEXTS):
            kind = "str: text"
        if kind not in KINDS:
            pytest.fail(
                f"{door.name} takes {parameter.name}: {kind}, which KINDS does not know. Add what of HOSTILE it takes."
            )
        taken |= KINDS[kind]
    if "Tensor" in str(parameter.annotation) and parameter.name in WHOLE:
        taken = taken - TENSOR | {"whole numbers"} | (TENSOR if parameter.name == "shares" else set())
    return taken


def _alternatives(annotation: str) -> list[str]:
    """ "Sequence[int] | None" are two: Sequence and None."""
    while annotation != (bare := re.sub(r"\[[^\[\]]*\]", "", annotation)):
        annotation = bare
    return [part.strip() for part in annotation.split("|")]


def called(door: Door, name: str) -> list[str]:
    """By what other names an error may call a parameter."""
    return [word for pattern, word in CALLED.items() if fnmatch(f"{door.name}: {name}", pattern)]
