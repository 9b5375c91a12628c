"""The scoreboard of canvases: the models that read captions, with and without guidance, beside real canvases.

Two judges that were trained for canvases look at them, neither of which a shipped model was trained on or tuned by: the
*reader*, whose features are of the first digit, cut out at its measured box, and the *eye*, whose features are of the
whole canvas. What a model draws is asked for by whole captions, in the shares of the training. The reference are
canvases in the hand of MNIST's test digits, which neither models nor judges were trained on; the floor is what as many
others in the same hand score.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints, devices
from diffusion_teach.datasets import canvases, captions
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import reading
from diffusion_teach.metrics.density_coverage import density_coverage
from diffusion_teach.metrics.features import predict
from diffusion_teach.metrics.frechet import Floor, frechet_distance, gaussian_fit
from diffusion_teach.metrics.precision_recall import precision_recall
from diffusion_teach.recipes.autoencoder import eye
from diffusion_teach.recipes.canvas import in_fresh_hand
from diffusion_teach.studies import stored
from diffusion_teach.studies.canvas_codes.terms import first_digits

RESULTS = Path(__file__).with_name("canvases.json")
COUNT, REFERENCE, DRAWS, SAMPLER, STEPS, SEED = 1000, 4000, 5, "sde_dpm_solver", 10, 3
ROWS: Mapping[str, tuple[str, str, float]] = MappingProxyType(
    {
        f"{name}, w = {w:g}": (f"{label}, w = {w:g}", name, w)
        for name, label in (("ldm-digits", "latent diffusion"), ("canvas-pixels", "folded pixels"))
        for w in (0.0, 2.0)
    }
)
"""By name the label in tables, the checkpoint, and the guidance."""


@torch.no_grad()
def _whole(x: Tensor) -> Tensor:
    network = eye(x.device)
    return torch.cat([network.head[:-1](network.features(part)[-1]) for part in x.split(500)])


Judge = Callable[[Tensor, Tensor], Tensor]
JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        "reader": lambda x, about: predict(reading.reader(), first_digits(x, about), features=True),
        "eye": lambda x, about: _whole(x),
    }
)
"""From canvases (B, 1, 64, 64) and what they show (B, 7) to features (B, d)."""


def real(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Canvases (count, 1, 64, 64) in the hand of MNIST's test digits, and what they show."""
    images, about = in_fresh_hand(count, devices.CPU, seed=seed)
    return canvases.to_model(images), about


def row(name: str) -> dict[str, Any]:
    """A row: by judge the distance, its floor and the shares, each beside what real canvases score; obedience, cost."""
    label, checkpoint, w = ROWS[name]
    model, card = cast(Learned, checkpoints.model(checkpoint)), checkpoints.card(checkpoint)
    about = canvases.fields_of(COUNT, generator=torch.Generator().manual_seed(SEED))
    how = Sampling(SAMPLER, STEPS, w, SEED, precision="auto")
    began = time.perf_counter()
    x = generate(model, COUNT, how, labels=captions.encode(about), progress=False)
    took = time.perf_counter() - began
    found: dict[str, Any] = {"label": label, "checkpoint": checkpoint, "sha256": card["sha256"], "guidance": w}
    found |= {"parameters": card["parameters"], "training_steps": card["steps"], "count": COUNT}
    found |= {"seconds_per_sample": took / COUNT, "evaluations": how.of(model).evaluations(model)}
    found |= {"machine": devices.machine(devices.CPU, torch.get_num_threads())}
    truth = of_real()
    found |= {judge: _judged(judge, x, about, truth[judge]) for judge in JUDGES}
    found["obeyed"] = float(reading.obeyed(about, x)["all"].double().mean())
    found |= {"obeyed_real": truth["obeyed"], "judges": judges()}
    print(name, {judge: round(found[judge]["times_floor"], 2) for judge in JUDGES}, found["obeyed"], flush=True)
    return found


def judges() -> dict[str, str]:
    """The hashes of the judges' weights."""
    return {judge: str(checkpoints.card(f"canvas-{judge}")["sha256"]) for judge in JUDGES}


def _judged(judge: str, x: Tensor, about: Tensor, truth: Mapping[str, Any]) -> dict[str, float]:
    features = JUDGES[judge](x, about)
    distance = frechet_distance(*gaussian_fit(features), *gaussian_fit(truth["reference"]))
    scores = {"frechet": distance, "floor": truth["floor"].mean, "floor_std": truth["floor"].std}
    scores["times_floor"] = distance / truth["floor"].mean
    return scores | shares(truth["reference"], features) | {f"{k}_real": v for k, v in truth["shares"].items()}


def shares(reference: Tensor, features: Tensor) -> dict[str, float]:
    """Precision, recall, density and coverage, against as many of the reference."""
    pair = reference[: len(features)], features
    return precision_recall(*pair)._asdict() | density_coverage(*pair)._asdict()


@functools.cache
def of_real() -> dict[str, Any]:
    """By judge the reference's features, the floor and the shares of real canvases; and how many are read right."""
    x, about = real(REFERENCE, SEED + 1)
    draws = [real(COUNT, SEED + 2 + k) for k in range(DRAWS)]
    found: dict[str, Any] = {"obeyed": float(reading.obeyed(draws[0][1], draws[0][0])["all"].double().mean())}
    for judge, seen in JUDGES.items():
        reference, others = seen(x, about), [seen(*drawn) for drawn in draws]
        fit = gaussian_fit(reference)
        floor = Floor.of([frechet_distance(*gaussian_fit(other), *fit) for other in others])
        found[judge] = {"reference": reference, "floor": floor, "shares": shares(reference, others[0])}
    return found


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)
