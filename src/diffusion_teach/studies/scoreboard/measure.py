"""How each shipped generator of digits is measured, and where the rows are kept.

Each contender draws some sets of images, most of them five of 2,000, see `metrics.evaluation`; means are kept, and of
several sets the standard deviation of the Fréchet distance. They lie in `results.json` beside this file, a row a
contender, with the hash of the weights that it was measured on. The book's page and chapter 11 draw it from there.

The table compares shipped models, each as large and as long trained as its recipe says, not methods on equal terms:
that is what the duel of chapter 11 is for.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from diffusion_teach import checkpoints, devices
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.evaluation import averaged, evaluate
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import stored

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Contender:
    """A row of the scoreboard.

    Attributes:
        label: its name in tables and figures.
        checkpoint: the shipped weights.
        sampler, steps: see `generate.generate`; without a sampler it draws in one evaluation, or in as many
            steps of its own. Of annealed Langevin dynamics the steps are noise levels, with five steps at each: 75 down
            to .1 are technique 2 of Song and Ermon (2020), as chapter 5 teaches it.
        count, repeats: images a draw, and draws.
    """

    label: str
    checkpoint: str
    sampler: str | None = None
    steps: int = 1
    count: int = 2000
    repeats: int = 5


CONTENDERS: dict[str, Contender] = {
    "vae": Contender("VAE", "vae-mnist"),
    "gan": Contender("GAN, plain", "gan-mnist"),
    "rpgan": Contender("RpGAN + R1 + R2", "rpgan-mnist"),
    "ncsn": Contender("NCSN, 375 steps", "ncsn-mnist", "annealed_langevin", 75, count=500, repeats=1),
    "ddpm-4": Contender("DDPM, 4 steps", "ddpm-mnist", "sde_dpm_solver", 4),
    "ddpm-10": Contender("DDPM, 10 steps", "ddpm-mnist", "sde_dpm_solver", 10),
    "ddpm-15": Contender("DDPM, 15 steps", "ddpm-mnist", "sde_dpm_solver", 15),
    "ddpm-50": Contender("DDPM, 50 steps", "ddpm-mnist", "ancestral", 50, repeats=2),
    "ddpm-1000": Contender("DDPM, 1,000 steps", "ddpm-mnist", "ancestral", 1000, count=500, repeats=1),
    "ddpm-conditional": Contender("DDPM with labels, 15 steps", "ddpm-mnist-conditional", "sde_dpm_solver", 15),
    "consistency": Contender("consistency, 1 step", "consistency-mnist"),
    "consistency-2": Contender("consistency, 2 steps", "consistency-mnist", steps=2),
    "add": Contender("adversarial distillation, 1 step", "add-mnist"),
}
"""By name, in the order of the history; those that draw in few steps of their own at the end."""
ROWS = CONTENDERS


def measure(contender: Contender) -> dict[str, Any]:
    """The row of a contender."""
    model, card = checkpoints.model(contender.checkpoint), checkpoints.card(contender.checkpoint)
    how = Sampling(sampler=contender.sampler, steps=contender.steps)
    about = {"label": contender.label, "checkpoint": contender.checkpoint, "sha256": card["sha256"]}
    about |= {"parameters": card["parameters"], "training_steps": card["steps"], "training_seconds": card["seconds"]}
    about |= {"judges": stored.judges(), "machine": devices.machine(torch.device("cpu"), 1)}
    once = functools.partial(evaluate, cast(Any, model), count=contender.count)
    return about | averaged(once, how, repeats=contender.repeats)


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by contender, in the order of `CONTENDERS`."""
    return stored.rows(path, CONTENDERS)


def row(name: str) -> dict[str, Any]:
    """The row of a contender by its name."""
    found = measure(ROWS[name])
    times = " and ".join(f"{found[judge]['times_floor']:.1f} by the {judge}" for judge in JUDGES)
    print(f"{name}: {times} times the floor", flush=True)
    return found
