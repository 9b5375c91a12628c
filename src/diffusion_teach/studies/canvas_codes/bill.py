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
from collections.abc import Callable, Mapping
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
BATCH, SAMPLES, ROUNDS = 8, 2, 7
"""Canvases of a training step and of a draw, and how often each is timed."""


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

    def train(self, count: int = BATCH) -> None:
        """The loss of so many canvases, and its gradients."""
        with devices.autocast(devices.CPU, self.precision):
            loss = self.recipe.loss(self.model, *(part[:count] for part in self.drawn))
        loss.backward()
        self.model.zero_grad(set_to_none=True)

    def sample(self, count: int = SAMPLES) -> Tensor:
        """So many canvases, drawn with guidance."""
        how = Sampling(SAMPLER, STEPS, GUIDED, SEED, precision=self.precision)
        return generate(self.model, count, how, labels=self.drawn[3][:count], progress=False)


def row(name: str) -> dict[str, Any]:
    """What a row stores: of a training step and of a sample, for a canvas, multiplications, bytes and seconds."""
    work, base = Work(name), Work("latent")
    found: dict[str, Any] = {}
    for part, count in (("train", BATCH), ("sample", SAMPLES)):
        do, beside = getattr(work, part), getattr(base, part)
        counted = {"multiplications": cost.counted(do, 1)[1].multiplications}
        found[part] = counted | {"bytes": round(memory.peak_bytes(do, count)[1] / count)} | paced(do, beside, count)
    found |= {"parameters": sum(p.numel() for p in work.model.network.parameters()), "once": once(work.model)}
    found["training"] = found["train"]["multiplications"] * LDM_DIGITS.batch * LDM_DIGITS.steps
    found |= {"precision": work.precision, "machine": devices.machine(devices.CPU, torch.get_num_threads())}
    found["autoencoder"] = checkpoints.card("canvas-autoencoder")["sha256"]
    print(name, {part: round(found[part]["times_latent"], 2) for part in ("train", "sample")}, flush=True)
    return found


def paced(mine: Callable[[], object], base: Callable[[], object], count: int) -> dict[str, float]:
    """Median seconds for one of `count` canvases, and the median of their ratios to the base's, taken in turns."""
    for do in (mine, base):
        do()
    taken = [(_seconds(mine), _seconds(base)) for _ in range(ROUNDS)]
    return {"seconds": median(a for a, _ in taken) / count, "times_latent": median(a / b for a, b in taken)}


def _seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


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
