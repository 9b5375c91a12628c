"""A door: what can be called, what it is called with, and where all of them are found.

A right value for each of its parameters is what EXAMPLES says of the door, else its default, else what PARAMETERS says
of its name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import torch

import diffusion_teach
from tests.doors.examples import EXAMPLES
from tests.doors.instances import INSTANCES
from tests.doors.parameters import PARAMETERS

BARE = {
    "papers": "in the papers' letters, short, as its docstring says",
    "cli": "the command line: tests/cli",
    "claims": "tables of the chapters: tests/test_claims.py",
    "exercises": "learners' answers: tests/test_exercise_battery.py",
    "studies": "programs with stored results: tests/studies",
    "plots": "figures: tests/plots",
    "training.distributed": "the engine of training.run, which checks what it hands on",
    "training.places.begun": "the same",
    "training.resume": "the same",
    "training.session": "the same",
    "networks.unet.ChannelNorm": "a part of UNet, which checks what enters",
    "networks.unet.ResidualBlock": "the same",
    "networks.unet.DenseBlock": "the same",
    "networks.unet.zeroed": "how networks begin: it is handed the layers that they have just made",
    "networks.control.ControlNet.answer": "the forward of what `given` returns, which checks what enters",
    "networks.control.way_*": "the same",
    "networks.lora.LowRank": "a part of LoRA, which checks what enters",
    "networks.attention": "parts of TextUNet, which checks what enters",
    "networks.text_unet.PlacesAttention": "the same",
    "networks.autoencoder.Block": "a part of Autoencoder, which checks what enters",
    "recipes.diffusion": "recipes are handed on by training.run, and stated by whoever writes one: tests/recipes",
    "recipes.classifier.ClassifierRecipe": "the same",
    "recipes.autoencoder": "the same",
    "recipes.canvas": "the same",
    "recipes.digits": "the same",
    "recipes.adversarial_distillation": "the same",
    "recipes.consistency": "the same",
    "recipes.denoising_gan": "the same",
    "recipes.distillation": "the same",
    "recipes.encoder.EncoderRecipe": "the same",
    "recipes.gan": "the same",
    "recipes.latent": "the same",
    "recipes.likelihood": "the same",
    "recipes.vae": "the same",
    "training.recipe": "the same",
    "*.check_*": "a check, tried through whoever calls it",
    "metrics.neighbours.flattened": "the same",
    "metrics.neighbours.more_than": "the same",
    "schedules.*.log_alpha": "what a schedule states; who asks it asks `alpha`, which checks",
    "schedules.*.log_sigma": "the same",
}
"""Modules, classes and functions that are not tried here, and why."""
SLOW = ("metrics.evaluation.evaluate*", "metrics.frechet.floor", "metrics.stacked_modes.evaluate", "recipes.*accuracy")
SLOW += ("training.run.train*",)
"""What takes seconds: only what it refuses at the door is tried."""


@dataclass(frozen=True)
class Door:
    """Something public that can be called: its name below `diffusion_teach`, what is called, and the class it is of."""

    name: str
    function: Callable[..., Any]
    of: type | None = None

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Those that a caller gives, by name."""
        found = dict(inspect.signature(self.function).parameters)
        found.pop("self", None)
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {name: p for name, p in found.items() if p.kind not in variadic}

    @cached_property
    def examples(self) -> list[Callable[[], dict[str, Any]]]:
        """What EXAMPLES says of it, from the widest pattern to its own name."""
        return [example for pattern, example in EXAMPLES.items() if fnmatch(self.name, pattern)]

    def right(self) -> dict[str, Any]:
        """Right values for all parameters, fresh ones each time.

        Raises:
            LookupError: a parameter has none.
        """
        torch.manual_seed(0)
        said = {name: value for example in self.examples for name, value in example().items()}
        values = {}
        for name, parameter in self.parameters.items():
            if name in said:
                values[name] = said[name]
            elif parameter.default is not inspect.Parameter.empty:
                values[name] = parameter.default
            elif name in PARAMETERS:
                values[name] = PARAMETERS[name]()
            else:
                raise LookupError(
                    f"{self.name} has a parameter {name!r} without a right value: add one to EXAMPLES in tests/doors."
                )
        return values

    def call(self, arguments: Mapping[str, Any]) -> Any:
        """Call it with the same random numbers each time; what it yields is collected."""
        torch.manual_seed(0)
        if self.of is not None and self.function is not self.of:
            function = getattr(INSTANCES[self.of.__name__](), self.function.__name__)
        else:
            function = self.function
        result = function(**arguments)
        return list(result) if inspect.isgenerator(result) else result


def doors() -> Iterator[Door]:
    """All of them, in the order of their modules."""
    for found in pkgutil.walk_packages(diffusion_teach.__path__, "diffusion_teach."):
        module = found.name.removeprefix("diffusion_teach.")
        if _private(module) or _bare(module):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            door = f"{module}.{name}"
            if name.startswith("_") or getattr(value, "__module__", None) != found.name or _bare(door):
                continue
            if inspect.isfunction(value):
                yield Door(door, value)
            elif inspect.isclass(value) and not _only_holds(value):
                yield from (door for door in _of_class(door, value) if not _bare(door.name))


def _of_class(door: str, kind: type) -> Iterator[Door]:
    if "__init__" in vars(kind) and not inspect.isabstract(kind):
        yield Door(door, kind, kind)
    for name, method in vars(kind).items():
        method = getattr(method, "__wrapped__", method)
        abstract = getattr(method, "__isabstractmethod__", False)
        if inspect.isfunction(method) and not abstract and (not name.startswith("_") or name == "__call__"):
            yield Door(f"{door}.{name}", method, kind)


def _private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


def _bare(door: str) -> bool:
    return any(fnmatch(door, pattern) or fnmatch(door, f"{pattern}.*") for pattern in BARE)


def _only_holds(kind: type) -> bool:
    """What the library found is held by tuples and dataclasses that check nothing; protocols and errors do nothing."""
    holds = issubclass(kind, tuple) or (is_dataclass(kind) and not hasattr(kind, "__post_init__"))
    return holds or issubclass(kind, Exception) or getattr(kind, "_is_protocol", False)
