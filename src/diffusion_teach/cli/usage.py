"""What `diffusion-teach` takes for an argument and what it answers to a wrong one.

Wrong usage is found before anything is computed, and the message names the near name or the way out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffusion_teach import _console, _names

if TYPE_CHECKING:
    from diffusion_teach.training.recipe import Recipe

MOST_ANIMATED = 400
STOPPED = 130


class Named(click.Choice):
    """A choice whose error names the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices:
            near = _names.near(value, self.choices)
            self.fail(f"{value!r} is not one of {', '.join(map(repr, self.choices))}.{near}", param, ctx)
        return value


class Place(click.Path):
    """A file or a folder, where ~ stands for the user's own, which not every shell says itself."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return Path(os.fsdecode(super().convert(value, param, ctx))).expanduser()
        except RuntimeError:
            self.fail(f"{value!r}: there is no such user.", param, ctx)


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
        except (ValueError, TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
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


def recipe_of(card: dict[str, Any]) -> Recipe:
    """The recipe that made a checkpoint, which says how its model is measured."""
    from diffusion_teach import checkpoints, recipes

    known = recipes.get(card["recipe"]) if card["recipe"] in recipes.names() else None
    if known is None or (known.architecture() or {}).get("kind") != checkpoints.of_card(card)["kind"]:
        raise click.UsageError(
            f"only its recipe knows how a model is measured, and {card['recipe']!r} is none of this library's for it. "
            "Score images of 28 × 28 digits, whoever made them, by metrics.evaluation.evaluate_images."
        )
    return known


def model(name_or_file: str, device: str) -> tuple[dict[str, Any], Any]:
    """The card and the model, on the device; it says itself what can be asked of it."""
    from diffusion_teach import checkpoints, devices

    try:
        checkpoints.path(name_or_file)
    except (ValueError, FileNotFoundError) as error:
        is_path = os.sep in name_or_file or "/" in name_or_file  # Windows takes both
        own = "" if is_path else " For a file of your own give its path, which ends in .safetensors."
        raise click.BadParameter(f"{error}{own}", param_hint="NAME_OR_FILE") from None
    return checkpoints.card(name_or_file), checkpoints.model(name_or_file).to(devices.pick(device))


def measured_with(card: dict[str, Any]) -> tuple[str, int]:
    """The sampler and the steps that a card's metrics were measured with; the usual ones where it says none."""
    sampler, steps = (card["metrics"].get(key) for key in ("sampler", "steps"))
    known = sampler in _names.SAMPLERS and isinstance(steps, int)
    return (sampler, steps) if known else (_names.SAMPLERS[0], 50)


def asked(labels: tuple[str, ...], prompts: tuple[str, ...], model: Any) -> list[int] | list[str]:
    """The labels or the captions that were typed, of what the model takes."""
    takes_captions = bool(getattr(model, "condition", ()))
    if prompts and not takes_captions:
        raise click.UsageError("this model takes no captions: leave out --prompt, or take 'ldm-digits'.")
    if labels and takes_captions:
        raise click.UsageError("this model takes captions and no labels: --prompt in place of --label.")
    return list(prompts) if prompts else digits(labels, model.classes)


def check_prompts(prompts: tuple[str, ...]) -> None:
    """Find out before anything is loaded whether captions can be read; the message lists the vocabulary."""
    if prompts:
        from diffusion_teach.datasets import captions

        for prompt in prompts:
            try:
                captions.parse(prompt)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="--prompt") from None


def digits(labels: tuple[str, ...], classes: int) -> list[int]:
    """The labels that were typed, "3", "3,7" or "all", of a model that knows so many; 0 for one that takes none."""
    parts, known = [part.strip() for text in labels for part in text.split(",")], [str(k) for k in range(classes or 10)]
    if parts == ["all"]:
        return [int(label) for label in known]
    if wrong := [part for part in parts if part not in known]:
        hint = "; 'all' stands alone" if wrong[0] == "all" else ""
        raise click.BadParameter(
            f"labels are 0 to {known[-1]}, several as in 3,7, or all; got {wrong[0]!r}{hint}.", param_hint="--label"
        )
    return [int(part) for part in parts]


def check_out(out: Path, overwrite: bool) -> None:
    """Find out before anything is computed whether the result can be written."""
    if out.suffix not in _names.SUFFIXES:
        raise click.BadParameter(
            f"the file must end in {', '.join(_names.SUFFIXES)}; got {str(out)!r}.", param_hint="--out"
        )
    if not out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}. Make it first.", param_hint="--out")
    if out.exists() and not (overwrite and out.is_file()):
        what = "exists already. Give another name, or replace it with --overwrite" if out.is_file() else "is no file"
        raise click.ClickException(f"{out} {what}.")
    if not os.access(out.parent, os.W_OK):
        raise click.ClickException(f"the folder {out.parent} cannot be written to.")
