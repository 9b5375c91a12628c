"""How well captions are obeyed, and what digits look like: in the latent and in pixels, by strength of guidance.

Four groups of whole captions: single digits and pairs, of combinations that the training showed and of such that it did
not. What is asked for is the same for all rows. Beside them stand the canvases themselves, as they are and through the
autoencoder: what the measures say of handwriting that shows what was asked for. A model whose digits are more typical
than handwriting may score more. Distances are of digits cut out at measured boxes, against other canvases in the same
hand with the same captions, by two judges: the reader's features, and the encoder's. Of the reconstructions there is
the distance to their own originals, too: what the autoencoder loses, "rFID" in the literature.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints, devices
from diffusion_teach.datasets import canvases, captions
from diffusion_teach.datasets.captions import LAYOUT
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import cost, reading
from diffusion_teach.metrics.features import predict, seen_by
from diffusion_teach.metrics.frechet import frechet_distance, gaussian_fit
from diffusion_teach.recipes.canvas import TEST_GLYPHS
from diffusion_teach.recipes.latent import through
from diffusion_teach.studies import stored
from diffusion_teach.studies.canvas_codes.terms import first_digits

RESULTS = Path(__file__).with_name("obedience.json")
MODELS = ("ldm-digits", "canvas-pixels")
GUIDANCE = (0.0, 2.0)
COUNT, SAMPLER, STEPS, SEED = 500, "sde_dpm_solver", 10, 1
ROWS: tuple[str, ...] = ("canvases", "reconstructed", *(f"{m}, w = {w:g}" for m in MODELS for w in GUIDANCE))
GROUPS = ("single", "pair", "single held out", "pair held out")
JUDGES: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "reader": lambda x: predict(reading.reader(), x, features=True),
        "encoder": lambda x: seen_by("encoder", x),
    }
)


def asked(count: int = COUNT) -> Tensor:
    """What is asked for, (4·count, 7): the groups one after another."""
    found = []
    for unseen in (False, True):
        about = canvases.fields_of(8 * count, unseen=unseen, generator=torch.Generator().manual_seed(SEED))
        found += [about[about[:, LAYOUT] == 0][:count], about[about[:, LAYOUT] > 0][:count]]
    return torch.cat(found)


def real(about: Tensor, seed: int) -> Tensor:
    """Canvases (B, 1, 64, 64) of captions (B, 7) in the hand of MNIST's test digits."""
    g = torch.Generator().manual_seed(seed)
    drawn = canvases.draw(len(about), "test", about=about, glyph_count=TEST_GLYPHS, generator=g)
    return canvases.to_model(drawn.images)


def drawn(name: str, about: Tensor) -> tuple[Tensor, dict[str, Any]]:
    """The canvases of a row (B, 1, 64, 64), and what drawing one has cost."""
    if name == "canvases":
        return real(about, SEED + 1), {}
    if name == "reconstructed":
        return through(cast(Learned, checkpoints.model(MODELS[0])), real(about, SEED + 1)), {}
    model_name, w = name.split(", w = ")
    model = cast(Learned, checkpoints.model(model_name))
    how = Sampling(SAMPLER, STEPS, float(w), SEED, precision="auto")
    words = captions.encode(about)
    begun = time.perf_counter()
    made = generate(model, len(about), how, labels=words, progress=False)
    took = (time.perf_counter() - begun) / len(about)
    spent = cost.counted(generate, model, 1, how, labels=words[:1], progress=False)[1]
    return made, {
        "seconds": took,
        "machine": devices.machine(torch.device("cpu"), torch.get_num_threads()),
        "multiplications": spent.multiplications,
        "model": checkpoints.card(model_name)["sha256"],
    }


def row(name: str) -> dict[str, Any]:
    """What a row stores: obedience by group and field, distances by judge, cost."""
    about = asked()
    x, spent = drawn(name, about)
    found: dict[str, Any] = {}
    for number, group in enumerate(GROUPS):
        rows_of = slice(number * COUNT, (number + 1) * COUNT)
        table = reading.obedience(about[rows_of], x[rows_of])
        found[group] = table["pair" if "pair" in group else "single"]
    seen = slice(0, 2 * COUNT)
    digits = first_digits(x[seen], about[seen])
    found["frechet"] = distances(digits, first_digits(real(about[seen], SEED + 2), about[seen]))
    if name == "reconstructed":
        found["to_originals"] = distances(digits, first_digits(real(about, SEED + 1)[seen], about[seen]))
    found |= {**spent, "count": COUNT, "reader": checkpoints.card("canvas-reader")["sha256"]}
    print(name, {group: round(found[group]["all"], 3) for group in GROUPS}, found["frechet"], flush=True)
    return found


def distances(digits: Tensor, reference: Tensor) -> dict[str, float]:
    """The Fréchet distance of digits to others, both (B, 1, 28, 28), by judge."""
    return {
        judge: frechet_distance(*gaussian_fit(of(digits)), *gaussian_fit(of(reference))) for judge, of in JUDGES.items()
    }


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
