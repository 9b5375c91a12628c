"""Which term of an autoencoder's loss buys what: a short training with each, at two strengths of compression.

All are trained alike, by AdamW, from the same weights and on the same canvases; what differs is stated by the row. What
a row measures is of canvases in a fresh hand: the squared error, how far the reconstruction is in the eye's features,
what the reader reads, the Fréchet distance of cut-out digits, and how sharp strokes are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import checkpoints
from diffusion_teach.datasets import canvases
from diffusion_teach.datasets.captions import LAYOUT
from diffusion_teach.metrics import cost, reading
from diffusion_teach.metrics.features import seen_by
from diffusion_teach.metrics.frechet import frechet_distance, gaussian_fit
from diffusion_teach.networks.autoencoder import Autoencoder
from diffusion_teach.objectives.perceptual import perceptual_distance
from diffusion_teach.recipes.autoencoder import AutoencoderRecipe, Judged, eye
from diffusion_teach.recipes.canvas import DATA, LICENCE, USE, in_fresh_hand
from diffusion_teach.studies import stored
from diffusion_teach.training import run
from diffusion_teach.training.optimizers import adamw

RESULTS = Path(__file__).with_name("terms.json")
STEPS, BATCH, COUNT = 500, 24, 1000
PERCEPTUAL, ADVERSARIAL = 5.0, 0.25
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Row:
    """Channels of the latent, and the weights of the two terms."""

    latent: int
    perceptual: float = 0.0
    adversarial: float = 0.0


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "4 channels, plain": Row(4),
        "4 channels, perceptual": Row(4, PERCEPTUAL),
        "4 channels, patch": Row(4, adversarial=ADVERSARIAL),
        "4 channels, both": Row(4, PERCEPTUAL, ADVERSARIAL),
        "1 channel, plain": Row(1),
        "1 channel, both": Row(1, PERCEPTUAL, ADVERSARIAL),
    }
)
"""By name; one channel is a harder compression than the shipped autoencoder's four."""


@dataclass(frozen=True, kw_only=True)
class Alike(AutoencoderRecipe):
    """An autoencoder's recipe, by AdamW with and without a discriminator."""

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        parts = (model.autoencoder, model.discriminator) if isinstance(model, Judged) else (model,)
        return [adamw(part.parameters(), lr=self.lr, betas=(0.5, 0.99)) for part in parts]


def recipe(row: Row) -> Alike:
    """The training of a row."""
    return Alike(
        name="terms",
        summary="an autoencoder of the study",
        intended_use=USE,
        data_from=DATA,
        licence=LICENCE,
        pictures=8_000,
        glyphs=4_000,
        batch=BATCH,
        steps=STEPS,
        warmup=30,
        decay="cosine",
        network=(("latent", row.latent),),
        perceptual=row.perceptual,
        adversarial=row.adversarial,
    )


def sharpness(x: Tensor) -> float:
    """The share of pixels of pictures x (B, 1, H, W) that are neither ink nor paper, over those of the ink."""
    between = ((x > -0.6) & (x < 0.6)).double().sum()
    return float(between / (x > 0).double().sum())


def measured(autoencoder: Autoencoder) -> dict[str, Any]:
    """What a row stores of its autoencoder."""
    images, about = in_fresh_hand(COUNT, CPU, unseen=False)
    x = canvases.to_model(images)
    with torch.no_grad():
        y = torch.cat([autoencoder.decode(autoencoder.encode(part)[0]) for part in x.split(250)]).clamp(-1, 1)
        seen = float(perceptual_distance(eye(CPU).features, x, y))
        one = x[:1]
        spent = cost.counted(lambda: autoencoder.decode(autoencoder.encode(one)[0]))[1].multiplications
    found, real = reading.obedience(about, y), reading.obedience(about, x)
    features = [gaussian_fit(seen_by("encoder", first_digits(part, about))) for part in (y, x)]
    return {
        "squared_error": float((x - y).square().mean()),
        "in_the_eye": seen,
        "read": {kind: found[kind]["all"] for kind in found},
        "read_originals": {kind: real[kind]["all"] for kind in real},
        "frechet": frechet_distance(*features[0], *features[1]),
        "blur": sharpness(y),
        "blur_originals": sharpness(x),
        "multiplications": spent,
    }


def first_digits(x: Tensor, about: Tensor) -> Tensor:
    """The (first) digits of canvases (B, 1, 64, 64), cut out at their measured boxes, (B, 1, 28, 28)."""
    half = reading.halves(x, about[:, LAYOUT])[0]
    return reading.cut_out(half, reading.boxes(half)).clamp(-1, 1)


def row(name: str) -> dict[str, Any]:
    """Train one, and measure it; the multiplications of a step are of a training canvas, all terms together."""
    made = recipe(ROWS[name])
    model = run.trained(made, steps=STEPS)
    autoencoder = cast(Autoencoder, model.autoencoder if isinstance(model, Judged) else model)
    found = measured(autoencoder) | {"step": step_cost(made)}
    found |= {"reader": checkpoints.card("canvas-reader")["sha256"], "eye": checkpoints.card("canvas-eye")["sha256"]}
    print(name, {key: value for key, value in found.items() if isinstance(value, float)}, flush=True)
    return {"steps": STEPS, "batch": BATCH, **found}


def step_cost(made: AutoencoderRecipe) -> int:
    """Multiplications of a training step's losses and their gradients, for one canvas."""
    model = made.model()
    x, eps = torch.zeros(1, 1, 64, 64), torch.zeros(1, int(dict(made.network).get("latent", 4)), 16, 16)

    def step() -> None:
        for loss in made.losses():
            loss(model, x, eps).backward()

    return cost.counted(step)[1].multiplications


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
