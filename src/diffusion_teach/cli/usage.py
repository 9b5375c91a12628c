"""What `diffusion-teach` takes for an argument and what it answers to a wrong one.

Wrong usage is found before anything is computed, and the message names the near name or the way out.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffusion_teach import _console, _names

if TYPE_CHECKING:
    from torch import nn

    from diffusion_teach.denoisers import Learned
    from diffusion_teach.networks.network import OneStepGenerator
    from diffusion_teach.training.recipe import Recipe

SUFFIXES = (".npz", ".png", ".gif")
LABELS = tuple(range(10))
MOST_ANIMATED = 400
STOPPED = 130


class Named(click.Choice):
    """A choice whose error names the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices:
            near = difflib.get_close_matches(str(value), list(self.choices), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            self.fail(f"{value!r} is not one of {', '.join(map(repr, self.choices))}.{hint}", param, ctx)
        return value


class Program(click.Group):
    """The commands, and how their errors are shown: one message, no traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _console.forgive()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            ctx.exit(STOPPED)
        except OSError as error:
            text = error.strerror or str(error)
            raise click.ClickException(said(f"{text}: {error.filename}" if error.filename else text)) from error
        except (ValueError, ArithmeticError, RuntimeError, MemoryError) as error:
            from diffusion_teach._checks import Unsupported

            if isinstance(error, Unsupported):
                raise click.UsageError(said(error)) from error
            raise click.ClickException(said(str(error) or type(error).__name__)) from error


def said(text: object) -> str:
    """A message of the library for someone who types: "resume=True (--resume)" is just --resume."""
    return re.sub(r"\w+=\S+ \((--\w+)\)", r"\1", str(text))


def examples(*lines: str) -> str:
    """The end of a help text."""
    return "\b\nExamples:\n" + "\n".join(f"  diffusion-teach {line}" for line in lines)


def recipe(name: str) -> Recipe:
    """The recipe of a name."""
    from diffusion_teach import recipes

    try:
        return recipes.get(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="RECIPE") from None


def model(name_or_file: str, device: str) -> tuple[dict[str, Any], nn.Module]:
    """The card and the model, on the device."""
    from diffusion_teach import checkpoints, devices

    try:
        checkpoints.path(name_or_file)
    except (ValueError, FileNotFoundError) as error:
        is_path = os.sep in name_or_file or "/" in name_or_file  # Windows takes both
        own = "" if is_path else " For a file of your own give its path, which ends in .safetensors."
        raise click.BadParameter(f"{error}{own}", param_hint="NAME_OR_FILE") from None
    return checkpoints.card(name_or_file), checkpoints.model(name_or_file).to(devices.pick(device))


def painter(name_or_file: str, device: str) -> tuple[dict[str, Any], Learned | OneStepGenerator]:
    """The card and the model, which must be one that draws images."""
    from diffusion_teach.denoisers import Learned
    from diffusion_teach.networks.network import OneStepGenerator

    card, found = model(name_or_file, device)
    if not isinstance(found, (Learned, OneStepGenerator)):
        raise click.UsageError(
            f"{name_or_file} draws no images: {card.get('summary', card['intended_use']).rstrip('.')}."
        )
    return card, found


def measured_with(card: dict[str, Any]) -> dict[str, Any]:
    """The sampler and the steps that a card's metrics were measured with, where there are any."""
    metrics = card["metrics"]
    if metrics.get("sampler") not in _names.SAMPLERS:
        return {}
    return {"sampler": metrics["sampler"], "steps": metrics["steps"]}


def digits(labels: tuple[str, ...]) -> list[int]:
    """The labels that were typed: "3", "3,7", "all"."""
    parts = [part.strip() for text in labels for part in text.split(",")]
    if parts == ["all"]:
        return list(LABELS)
    if wrong := [part for part in parts if part not in map(str, LABELS)]:
        raise click.BadParameter(
            f"labels are 0 to 9, several as in 3,7, or all; got {wrong[0]!r}.", param_hint="--label"
        )
    return [int(part) for part in parts]


def check_out(out: Path, overwrite: bool) -> None:
    """Find out before anything is computed whether the result can be written."""
    if out.suffix not in SUFFIXES:
        raise click.BadParameter(f"the file must end in {', '.join(SUFFIXES)}; got {str(out)!r}.", param_hint="--out")
    if not out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}. Make it first.", param_hint="--out")
    if out.exists() and not (overwrite and out.is_file()):
        what = "exists already. Give another name, or replace it with --overwrite" if out.is_file() else "is no file"
        raise click.ClickException(f"{out} {what}.")
    if not os.access(out.parent, os.W_OK):
        raise click.ClickException(f"the folder {out.parent} cannot be written to.")
