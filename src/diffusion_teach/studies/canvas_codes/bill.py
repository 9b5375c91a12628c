"""What diffusion of canvases costs at equal width: in the latent, in folded pixels, and in pixels as they are.

Counted, the same on every machine: multiplications, and the bytes that tensors take at most. Measured: seconds, the
latent and a row in turns, so that whatever else the machine does slows both; the median is taken of the ratios of
neighbours. All are for a canvas. A training step is the loss and its gradients; what an optimiser does besides is done
once a batch, whatever its size. A sample is drawn with guidance, each step asking the network twice, and in the latent
decoded. What the latent needs once is stored with it: the training of the autoencoder, and the encoding of the data.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints, devices
from diffusion_teach.datasets import canvases
from diffusion_teach.denoisers import Latent, Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import cost, memory
from diffusion_teach.recipes.autoencoder import CANVAS_AUTOENCODER
from diffusion_teach.recipes.latent import CANVAS_PIXELS, LDM_DIGITS, CaptionedRecipe
from diffusion_teach.studies import stored
from diffusion_teach.studies.canvas_codes.obedience import SAMPLER, SEED, STEPS
from diffusion_teach.studies.canvas_codes.terms import step_cost

RESULTS = Path(__file__).with_name("bill.json")
ROWS: Mapping[str, int] = MappingProxyType({"latent": 0, "folded 4 × 4": 4, "folded 2 × 2": 2, "pixels": 1})
"""By name the side of the blocks of pixels that are folded; 0 for the latent."""
GUIDED = 2.0
BATCH, ROUNDS = 32, 5
"""Canvases that are drawn for a row, and how often a step and a sample are timed."""
AT_ONCE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"latent": (32, 16), "folded 4 × 4": (32, 16), "folded 2 × 2": (8, 8), "pixels": (4, 2)}
)
"""How many canvases a step and a draw have in each row: enough that the work outweighs the calls."""


def recipe(name: str) -> CaptionedRecipe:
    """The training of a row, with no more canvases than a step needs."""
    patch, small = ROWS[name], {"pictures": BATCH, "glyphs": 200, "batch": BATCH}
    if not patch:
        return dataclasses.replace(LDM_DIGITS, **cast(Any, small))
    network = MappingProxyType({**CANVAS_PIXELS.network, "patch": patch})
    return dataclasses.replace(CANVAS_PIXELS, network=network, **cast(Any, small))


class Work:
    """A row's model, ready to train and to draw."""

    def __init__(self, name: str) -> None:
        made = recipe(name)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(SEED)
            self.model = cast(Learned, made.model())
        self.recipe = made
        self.drawn = made.draw(made.data(devices.CPU), torch.Generator().manual_seed(SEED))
        self.precision = devices.precision(made.precision, devices.CPU)

    def train(self, count: int = 1) -> None:
        """The loss of so many canvases, and its gradients."""
        with devices.autocast(devices.CPU, self.precision):
            loss = self.recipe.loss(self.model, *(part[:count] for part in self.drawn))
        loss.backward()
        self.model.zero_grad(set_to_none=True)

    def sample(self, count: int = 1) -> Tensor:
        """So many canvases, drawn with guidance."""
        how = Sampling(SAMPLER, STEPS, GUIDED, SEED, precision=self.precision)
        return generate(self.model, count, how, labels=self.drawn[3][:count], progress=False)


def row(name: str) -> dict[str, Any]:
    """What a row stores: of a training step and of a sample, for a canvas, multiplications, bytes and seconds."""
    work, base = Work(name), Work("latent")
    found: dict[str, Any] = {}
    for part, *counts in zip(("train", "sample"), AT_ONCE[name], AT_ONCE["latent"], strict=True):
        do, beside = getattr(work, part), getattr(base, part)
        found[part] = {"multiplications": cost.counted(do, 1)[1].multiplications, "at_once": counts[0]}
        found[part]["bytes"] = round(memory.peak_bytes(do, counts[0])[1] / counts[0])
        found[part] |= paced(do, beside, counts)
    found |= {"parameters": sum(p.numel() for p in work.model.network.parameters()), "once": once(work.model)}
    found["training"] = found["train"]["multiplications"] * LDM_DIGITS.batch * LDM_DIGITS.steps
    found |= {"precision": work.precision, "machine": devices.machine(devices.CPU, torch.get_num_threads())}
    found["autoencoder"] = checkpoints.card("canvas-autoencoder")["sha256"]
    print(name, {part: round(found[part]["times_latent"], 2) for part in ("train", "sample")}, flush=True)
    return found


def paced(mine: Callable[[int], object], base: Callable[[int], object], counts: Sequence[int]) -> dict[str, float]:
    """Median seconds a canvas, of as many at once, and the median of their ratios to the base's, taken in turns."""
    taken = [(_seconds(mine, counts[0]), _seconds(base, counts[1])) for _ in range(ROUNDS + 1)][1:]
    return {"seconds": median(a for a, _ in taken), "times_latent": median(a / b for a, b in taken)}


def _seconds(do: Callable[[int], object], count: int) -> float:
    began = time.perf_counter()
    do(count)
    return (time.perf_counter() - began) / count


def once(model: Learned) -> dict[str, int]:
    """Multiplications that the latent needs once: to train the autoencoder, and to encode the data; and for a sample,
    to decode it. None of them for pixels.
    """
    if not isinstance(model, Latent):
        return {"autoencoder": 0, "encoding": 0, "decoding": 0}
    x = torch.full((1, 1, *2 * [canvases.SIZE_OF_CANVAS]), -1.0)
    z, encoding = cost.counted(model.encode, x)
    trained = step_cost(CANVAS_AUTOENCODER) * CANVAS_AUTOENCODER.batch * CANVAS_AUTOENCODER.steps
    return {
        "autoencoder": trained,
        "encoding": encoding.multiplications * LDM_DIGITS.pictures,
        "decoding": cost.counted(model.pictures, z)[1].multiplications,
    }


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
