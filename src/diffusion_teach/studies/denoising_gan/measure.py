"""What four steps come to when their generator has played, and before: where it begins, it answers with a mean.

The weights are not shipped: with them chapter 12's would be 7.5 MB, and 6 are what they may be. The recipe is
`ddgan-mnist`. Five sets of 2,000 digits are judged as the scoreboard's are. The rows lie in `results.json` beside this
file, in the form of its rows.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, cast

import torch

from diffusion_teach import checkpoints, devices
from diffusion_teach.denoisers import DenoisingGAN
from diffusion_teach.metrics.evaluation import averaged, evaluate
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.recipes.denoising_gan import DDGAN_MNIST
from diffusion_teach.studies import stored
from diffusion_teach.training import run

RESULTS = Path(__file__).with_name("results.json")
ROWS = {"start": "four means, 4 steps", "ddgan": "denoising GAN, 4 steps"}
"""Labels by name: the generator as it begins, and as it is after the recipe's steps."""
COUNT, REPEATS = 2000, 5


def generator(name: str) -> DenoisingGAN:
    """The generator of a row: fresh, or trained."""
    if name == "start":
        return cast(DenoisingGAN, DDGAN_MNIST.shipped(DDGAN_MNIST.model()).eval().requires_grad_(False))
    return cast(DenoisingGAN, run.trained(DDGAN_MNIST, device="auto"))


def row(name: str) -> dict[str, Any]:
    """The scores of a row, and what they depend on."""
    return measure(name, generator(name))


def measure(name: str, model: DenoisingGAN) -> dict[str, Any]:
    """The scores of a generator."""
    about: dict[str, Any] = {"label": ROWS[name], "recipe": DDGAN_MNIST.settings(), "judges": stored.judges()}
    about["teacher"] = checkpoints.card(DDGAN_MNIST.teacher)["sha256"]
    about["machine"] = devices.machine(torch.device("cpu"), 1)
    found = averaged(functools.partial(evaluate, cast(Any, model), count=COUNT), repeats=REPEATS)
    print(name, *(f"{found[judge]['times_floor']:.2f} by the {judge}" for judge in JUDGES), flush=True)
    return about | found


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by name."""
    return stored.rows(path, ROWS)
