r"""The recipe of chapter 11's duel: how each contender is built and trained, and the search for its settings.

    python -m diffusion_teach.recipes.duel2d

Three contenders, a plain GAN, the same with R₁ + R₂, and a diffusion model, learn the ring and the grid of
`datasets.toy2d` with or without Fourier features. They get the same points, batch and number of steps. The diffusion
model's one network has as many parameters as the GAN's two together (within 5 %). Each has eight trials of its settings
(`TRIALS`); the one with the largest mean `overlap` over both data sets wins. The search trains on a seed of its own,
takes about ten minutes on one core, and writes `duel2d.json` beside this file, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from diffusion_teach import _checks, _files, samplers
from diffusion_teach.adversarial import fit_gan
from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.schedules import Cosine
from diffusion_teach.score_matching import diffusion_loss
from diffusion_teach.training import EMA, fit

MEMBERS = 10
STEPS = 1500
BATCH = 64
POINTS = 100_000  # training points, as in Lin et al. 2018
OCTAVES = 5
WIDTH_GAN = 64  # of both networks
WIDTH_DIFFUSION = 87
NOISE = 2  # dimensions of the GAN's noise z, as in Lin et al. 2018
EVALUATIONS = 25  # steps of the diffusion sampler
AVERAGE = 0.995  # decay of the moving average from which all contenders are sampled
SEARCH_SEED = 1000  # no seed that a chapter is run with

RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)
TRIALS: dict[str, tuple[dict[str, float], ...]] = {
    "GAN": tuple({"lr": lr} for lr in RATES),
    "GAN + R1 + R2": tuple({"lr": lr, "penalty": g} for lr in (2e-3, 4e-3, 8e-3, 1.6e-2) for g in (0.02, 0.1)),
    "diffusion": tuple({"lr": lr} for lr in RATES),
}
RESULTS = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Trained:
    """A contender after training: `draw(n)` gives n samples of each member, (M, n, 2)."""

    draw: Callable[[int], Tensor]
    parameters: int
    evaluations: int


def train_gan(points: Tensor, octaves: int, g: torch.Generator, *, lr: float, penalty: float = 0.0) -> Trained:
    """Train a batch of GANs on points (N, 2); `penalty` is γ of R₁ + R₂."""
    generator_net = MLP(NOISE, 2, WIDTH_GAN, 2, octaves, MEMBERS, generator=g)
    discriminator = MLP(2, 1, WIDTH_GAN, 2, octaves, MEMBERS, generator=g)
    average = EMA(generator_net, AVERAGE)

    def real() -> Tensor:
        return points[torch.randint(len(points), (MEMBERS, BATCH), generator=g)]

    def noise(n: int = BATCH) -> Tensor:
        return torch.randn(MEMBERS, n, NOISE, generator=g)

    fit_gan(generator_net, discriminator, real, noise, steps=STEPS, penalty=penalty, lr=lr, ema=average)
    parameters = generator_net.parameters_per_member + discriminator.parameters_per_member
    return Trained(lambda n: average.model(noise(n)).detach(), parameters, evaluations=1)


def train_diffusion(points: Tensor, octaves: int, g: torch.Generator, *, lr: float) -> Trained:
    """Train a batch of diffusion models on points (N, 2), v-prediction on the cosine schedule, sampled by DDIM."""
    network = TimeMLP(2, width=WIDTH_DIFFUSION, depth=2, fourier_octaves=octaves, members=MEMBERS, generator=g)
    denoiser = Learned(network, Cosine(), target="v")
    average = EMA(denoiser, AVERAGE)

    def loss() -> Tensor:
        real = points[torch.randint(len(points), (MEMBERS, BATCH), generator=g)]
        return diffusion_loss(denoiser, real, generator=g)

    def draw(n: int) -> Tensor:
        start = samplers.prior(denoiser.schedule, (MEMBERS, n, 2), generator=g)
        times = samplers.time_grid(denoiser.schedule, EVALUATIONS)
        return samplers.sample(cast(Learned, average.model), samplers.ddim(), start, times)

    fit(denoiser, loss, steps=STEPS, lr=lr, ema=average)
    return Trained(draw, network.parameters_per_member, EVALUATIONS)


def train(contender: str, points: Tensor, octaves: int, g: torch.Generator, settings: Mapping[str, float]) -> Trained:
    """Train a contender by its name in `TRIALS`."""
    _checks.choice("contender", contender, TRIALS)
    method = train_diffusion if contender == "diffusion" else train_gan
    return method(points, octaves, g, **settings)


def overlap(x: Tensor, mixture: GaussianMixture) -> Tensor:
    """Σₖ min(p̂ₖ, 1/K): samples x (M, N, 2) that lie within 3 std of mode k count up to its fair share. (M,), 1 is best.

    One minus the total variation between where the good samples are and where they should be: it falls for a lost mode,
    for an uneven share, and for a bad sample alike.
    """
    means, std = mixture.means.to(x), mixture.covariances[0, 0, 0].sqrt().to(x)
    distance, mode = torch.cdist(x, means.expand(len(x), -1, -1)).min(dim=-1)
    good = torch.nn.functional.one_hot(mode, len(means)) * (distance < 3 * std).unsqueeze(-1)
    return good.to(x).mean(dim=1).clamp(max=1 / len(means)).sum(dim=-1)


def data() -> dict[str, GaussianMixture]:
    """The two distributions of the duel, at unit spread."""
    return {"ring": toy2d.unit_spread(toy2d.ring()), "grid": toy2d.unit_spread(toy2d.grid())}


def search(contender: str, octaves: int) -> list[dict[str, float]]:
    """Every trial of a contender, with its mean overlap on each data set."""
    rows = []
    for settings in TRIALS[contender]:
        row = dict(settings)
        for name, mixture in data().items():
            g = torch.Generator().manual_seed(SEARCH_SEED)
            trained = train(contender, mixture.sample(POINTS, generator=g), octaves, g, settings)
            row[name] = round(float(overlap(trained.draw(2500), mixture).mean()), 4)
        print(contender, octaves, row, flush=True)
        rows.append(row)
    return rows


def results() -> dict[str, dict[str, list[dict[str, float]]]]:
    """The stored search: features ("fourier" or "raw") → contender → trials with their overlaps."""
    found: dict[str, dict[str, list[dict[str, float]]]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def best(features: str, contender: str) -> dict[str, float]:
    """The settings that won the stored search."""
    _checks.choice("features", features, ("fourier", "raw"))
    _checks.choice("contender", contender, TRIALS)
    row = max(results()[features][contender], key=lambda row: row["ring"] + row["grid"])
    return {name: value for name, value in row.items() if name in ("lr", "penalty")}


def main(arguments: list[str] | None = None) -> None:
    """Run the search and store what it found."""
    parser = argparse.ArgumentParser(description="Search the settings of the contenders of the 2D duel.")
    parser.add_argument("--file", type=Path, default=RESULTS, help="where to write (default: beside the recipe)")
    options = parser.parse_args(arguments)
    found = {
        features: {contender: search(contender, octaves) for contender in TRIALS}
        for features, octaves in (("fourier", OCTAVES), ("raw", 0))
    }
    _files.write_atomically(options.file, (json.dumps(found, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
