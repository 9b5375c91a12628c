"""The command `diffusion-teach`: list, train, sample, evaluate.

It checks what was typed, calls the library, and says in one message what went wrong. The exit code is 0 when all is
well, 1 for a run that failed, 2 for wrong usage and 130 after Ctrl-C. What needs torch is imported by the commands that
compute, not here, so that `--help` answers at once.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

import click

from diffusion_teach import __version__
from diffusion_teach._names import PRECISIONS, SAMPLERS
from diffusion_teach.cli import usage
from diffusion_teach.cli.usage import Named, Place, Program, examples

CONTEXT = {"help_option_names": ["-h", "--help"]}
SOME, MORE_THAN_0 = click.IntRange(min=1), click.FloatRange(min=0, min_open=True)
MANY, SEED = click.IntRange(1, 100_000), click.IntRange(0, 2**63 - 1)
PATH = Place()

device = click.option("--device", metavar="D", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
overwrite = click.option("--overwrite", is_flag=True, help="Replace what is there.")
sampler = click.option(
    "--sampler", type=Named(SAMPLERS), metavar="NAME", help=f"{', '.join(SAMPLERS)}.  [default: the card's]"
)
steps = click.option("--steps", type=SOME, metavar="S", help="Of the sampler.  [default: the card's]")
guidance = click.option(
    "--guidance", type=click.FloatRange(min=0), metavar="W", default=0.0, help="How far past the label; 0: not."
)
between = click.option(
    "--between",
    type=(float, float),
    metavar="A B",
    default=(-math.inf, math.inf),
    help="Guide at log-SNRs from A to B only.",
)
seed = click.option("--seed", type=SEED, metavar="K", help="Decides all randomness.  [default: 0]")
precision = click.option(
    "--precision", type=Named(PRECISIONS), metavar="P", default="float32", help=", ".join(PRECISIONS)
)
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group(
    cls=Program,
    context_settings=CONTEXT,
    epilog=examples(
        "list",
        "train ddpm-mnist --minutes 5 --out runs",
        "sample runs/ddpm-mnist.safetensors --count 64 --out digits.png",
        "evaluate ddpm-mnist",
    ),
)
@click.version_option(__version__, prog_name="diffusion-teach")
def main() -> None:
    """Train, sample and measure the diffusion models of the book "From ink to images"."""


@main.command("list", short_help="Show recipes and checkpoints.", epilog=examples("list", "list --json"))
@as_json
def list_(as_json: bool) -> None:
    """Show the recipes, and the shipped checkpoints with size, parameters and quality."""
    from diffusion_teach.cli import report

    made, kept = report.recipe_rows(), report.checkpoint_rows()
    click.echo(_json({"recipes": made, "checkpoints": kept}) if as_json else report.listing(made, kept))


@main.command(
    short_help="Train a recipe, with a time limit if you like.",
    epilog=examples(
        "train ddpm-mnist --out runs",
        "train ddpm-mnist --minutes 5 --seed 1 --out runs/short.safetensors",
        "train ddpm-mnist --out runs --resume",
    )
    + "\n\n\b\nIn many processes, with the same result within rounding:\n"
    "  torchrun --nproc-per-node 2 -m diffusion_teach.cli train ddpm-mnist --out runs",
)
@click.argument("recipe")
@click.option("--minutes", type=MORE_THAN_0, metavar="M", help="About how long to train.")
@click.option("--steps", type=SOME, metavar="N", help="How many steps.  [default: the recipe's]")
@click.option("--seed", type=SEED, metavar="K", help="Decides all randomness.  [default: the recipe's]")
@device
@click.option(
    "--precision", type=Named(PRECISIONS), metavar="P", help=f"{', '.join(PRECISIONS)}.  [default: the recipe's]"
)
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped, however it was.")
@overwrite
@click.option("--out", type=PATH, default=".", help="A folder, or a .safetensors file.  [default: this folder]")
@click.pass_context
def train(
    ctx: click.Context,
    recipe: str,
    minutes: float | None,
    steps: int | None,
    seed: int | None,
    device: str,
    precision: str | None,
    resume: bool,
    overwrite: bool,
    out: Path,
) -> None:
    """Train RECIPE and write its checkpoint with a model card.

    Ctrl-C keeps what was trained so far, and so does a crash; --resume goes on from there, to the very weights that an
    undisturbed training gives.
    """
    if minutes is not None and steps is not None:
        raise click.UsageError("Give --minutes or --steps, not both.")
    if resume and overwrite:
        raise click.UsageError("--resume goes on with what is there, --overwrite replaces it: give one of them.")
    chosen = usage.recipe(recipe)
    if precision is not None:
        chosen = dataclasses.replace(chosen, precision=precision)
    from diffusion_teach import checkpoints
    from diffusion_teach.cli import report
    from diffusion_teach.training import run

    try:
        path = run.train(
            chosen,
            out,
            steps=steps,
            minutes=minutes,
            seed=seed,
            device=device,
            resume=resume,
            overwrite=overwrite,
        )
    except run.Interrupted as stopped:
        click.echo(usage.said(stopped), err=True)
        ctx.exit(128 + stopped.signal)
    if os.environ.get("RANK", "0") == "0":
        card = checkpoints.card(path)
        click.echo(f"{path}: {report.size(card['bytes'])}, {card['steps']:,} steps in {card['seconds']:,.0f} s")
        click.echo(report.quality(card["metrics"]))


@main.command(
    short_help="Draw images from a checkpoint.",
    epilog=examples(
        "sample ddpm-mnist --count 100 --out digits.png",
        "sample ddpm-mnist --count 24 --steps 20 --sampler dpm_solver --out digits.gif",
        "sample ddpm-mnist-conditional --count 100 --label all --guidance 1 --out digits.npz",
        'sample ldm-digits --prompt "a thick seven leaning right" --count 16 --out seven.png',
    ),
)
@click.argument("name_or_file")
@click.option("--count", type=MANY, metavar="N", default=64, show_default=True, help="How many images.")
@steps
@sampler
@click.option("--label", "labels", metavar="L", multiple=True, help="A digit, several (3,7), or all, given in turn.")
@click.option("--prompt", "prompts", metavar="TEXT", multiple=True, help="A caption; several are given in turn.")
@click.option(
    "--guidance",
    type=click.FloatRange(min=0),
    metavar="W",
    help="How far past label or caption; 0: not.  [default: 0; with --prompt the card's]",
)
@between
@seed
@device
@precision
@overwrite
@click.option(
    "--out",
    type=PATH,
    required=True,
    help=".npz: samples (N, H, W) as bytes, stacks side by side; labels; .png: a grid; .gif: the reverse process.",
)
def sample(
    name_or_file: str,
    count: int,
    steps: int | None,
    sampler: str | None,
    labels: tuple[str, ...],
    prompts: tuple[str, ...],
    guidance: float | None,
    between: tuple[float, float],
    seed: int | None,
    device: str,
    precision: str,
    overwrite: bool,
    out: Path,
) -> None:
    """Draw images from a checkpoint, NAME_OR_FILE."""
    usage.check_out(out, overwrite)
    usage.check_prompts(prompts)
    if guidance and not labels and not prompts:
        raise click.UsageError("--guidance pulls towards a label: give --label too, such as --label all.")
    if out.suffix == ".gif" and count > usage.MOST_ANIMATED:
        message = f"a .gif shows at most {usage.MOST_ANIMATED} images, got {count}."
        raise click.BadParameter(message, param_hint="--count")
    card, model = usage.model(name_or_file, device)
    from diffusion_teach import _files
    from diffusion_teach.cli import pictures
    from diffusion_teach.generate import Sampling

    if guidance is None:
        guidance = float(card["metrics"].get("guidance", 0)) if prompts else 0.0
    how = Sampling(sampler, steps, guidance, seed or 0, precision=precision, between=between)
    how = how.of(model, *usage.measured_with(card))
    data = pictures.drawn(model, out.suffix, count, usage.asked(labels, prompts, model), how)
    usage.check_out(out, overwrite)  # another program may have been as quick
    _files.write_atomically(out, data)
    click.echo(f"{out}: {count} images {how}, seed {how.seed}")


@main.command(
    short_help="Measure a checkpoint.",
    epilog=examples("evaluate ddpm-mnist", "evaluate runs/ddpm-mnist.safetensors --steps 10 --json"),
)
@click.argument("name_or_file")
@click.option("--count", type=click.IntRange(100, 10_000), metavar="N", help="Images.  [default: the recipe's, 2000]")
@steps
@sampler
@guidance
@between
@seed
@click.option("--repeats", type=SOME, metavar="R", help="Sets of samples, for a mean.  [default: 1]")
@device
@precision
@as_json
@click.option("--card", "to_card", is_flag=True, help="Measure as the recipe does, and write it into the model card.")
def evaluate(
    name_or_file: str,
    count: int | None,
    steps: int | None,
    sampler: str | None,
    guidance: float,
    between: tuple[float, float],
    seed: int | None,
    repeats: int | None,
    device: str,
    precision: str,
    as_json: bool,
    to_card: bool,
) -> None:
    """Measure a checkpoint, NAME_OR_FILE, beside real digits and blurred ones."""
    card, model = usage.model(name_or_file, device)
    from diffusion_teach import checkpoints
    from diffusion_teach.cli import report
    from diffusion_teach.denoisers import Denoiser
    from diffusion_teach.generate import Sampling
    from diffusion_teach.networks.network import OneStepGenerator

    how = Sampling(sampler, steps, guidance, seed or 0, precision=precision, between=between)
    if seed is not None and not isinstance(model, (Denoiser, OneStepGenerator)):
        raise click.UsageError(f"--seed decides which images are drawn, and a {type(model).__name__} draws none.")
    if to_card and (how != Sampling() or (seed, count, repeats) != (None, None, None)):
        raise click.UsageError("--card measures as the recipe does: leave out what says otherwise.")
    how = dataclasses.replace(how, seed=card["seed"]) if to_card else how
    found = usage.recipe_of(card).measure(model, how, count=count, repeats=None if to_card else repeats or 1)
    if to_card:
        checkpoints.restate(name_or_file, found)
    click.echo(_json(found) if as_json else report.evaluation(name_or_file, found))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)  # in ASCII, so that it is the same JSON on every console


if __name__ == "__main__":
    main()
