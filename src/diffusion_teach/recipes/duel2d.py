r"""The recipe of chapter 11's duel: how each contender is built and trained, and the search for its settings.

    python -m diffusion_teach.recipes.duel2d

Four contenders, a plain GAN, the same with R₁ + R₂, that with the relativistic loss (RpGAN), and a diffusion model,
learn the ring and the grid of `datasets.toy2d` with or without Fourier features. They get the same points, batch and
number of steps. The diffusion model's one network has as many parameters as a GAN's two together (within 5 %). On each
data set, each has six trials of its settings (`TRIALS`). The trial that covers most modes wins; where two tie, the one
with more samples of high quality. The search trains five members on a seed of its own, takes about seven minutes on one
core, and writes `duel2d.json` beside this file, which the chapter reads. It keeps what every member scored, so that
`outcomes` can tell how often a contender trains well, whatever its settings. `duel2d_seeds` trains more than ten seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import _checks, _files, samplers
from diffusion_teach.adversarial import fit_gan
from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import Modes, mode_coverage
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.schedules import Cosine
from diffusion_teach.score_matching import diffusion_loss
from diffusion_teach.training import EMA, fit

MEMBERS = 10
STEPS = 800
BATCH = 64
POINTS = 100_000  # training points, as in Lin et al. 2018
OCTAVES = 5
WIDTH_GAN = 64  # of both networks
WIDTH_DIFFUSION = 87
NOISE = 2  # dimensions of the GAN's noise z, as in Lin et al. 2018
EVALUATIONS = 25  # steps of the diffusion sampler
AVERAGE = 0.995  # decay of the moving average from which all contenders are sampled
SEARCH_SEED = 1000  # no seed that a chapter is run with
SEARCH_MEMBERS = 5

RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2)
PENALISED = tuple({"lr": lr, "penalty": gamma} for lr in (4e-3, 8e-3, 1.6e-2) for gamma in (0.02, 0.1))
TRIALS: dict[str, tuple[dict[str, float], ...]] = {
    "GAN": tuple({"lr": lr} for lr in RATES),
    "GAN + R1 + R2": PENALISED,
    "RpGAN + R1 + R2": PENALISED,
    "diffusion": tuple({"lr": lr} for lr in RATES),
}
RESULTS = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Trained:
    """A contender after training: `draw(n)` gives n samples of each member, (M, n, 2)."""

    draw: Callable[[int], Tensor]
    parameters: int
    evaluations: int


def train_gan(
    points: Tensor,
    octaves: int,
    g: torch.Generator,
    *,
    lr: float,
    game: str = "non-saturating",
    penalty: float = 0.0,
    members: int = MEMBERS,
    watch: Watch | None = None,
) -> Trained:
    """Train a batch of GANs on points (N, 2) with a loss of `adversarial.GAMES`; `penalty` is γ of R₁ + R₂."""
    generator_net = MLP(NOISE, 2, WIDTH_GAN, 2, octaves, members, generator=g)
    discriminator = MLP(2, 1, WIDTH_GAN, 2, octaves, members, generator=g)
    average = EMA(generator_net, AVERAGE)

    def real() -> Tensor:
        return points[torch.randint(len(points), (members, BATCH), generator=g)]

    def noise(n: int = BATCH, g: torch.Generator = g) -> Tensor:
        return torch.randn(members, n, NOISE, generator=g)

    def on_step(step: int, loss: float) -> None:
        if watch is not None:
            watch.look(step, loss, lambda n, its: average.model(noise(n, its)))

    rules: dict[str, Any] = {"game": game, "r1": penalty, "r2": penalty, "lr": lr, "ema": average, "on_step": on_step}
    fit_gan(generator_net, discriminator, real, noise, steps=STEPS, **rules)
    parameters = generator_net.parameters_per_member + discriminator.parameters_per_member
    return Trained(lambda n: average.model(noise(n)).detach(), parameters, evaluations=1)


def train_diffusion(
    points: Tensor,
    octaves: int,
    g: torch.Generator,
    *,
    lr: float,
    members: int = MEMBERS,
    watch: Watch | None = None,
) -> Trained:
    """Train a batch of diffusion models on points (N, 2), v-prediction on the cosine schedule, sampled by DDIM."""
    network = TimeMLP(2, width=WIDTH_DIFFUSION, depth=2, fourier_octaves=octaves, members=members, generator=g)
    denoiser = Learned(network, Cosine(), target="v")
    average = EMA(denoiser, AVERAGE)

    def loss() -> Tensor:
        real = points[torch.randint(len(points), (members, BATCH), generator=g)]
        return diffusion_loss(denoiser, real, generator=g)

    def draw(n: int, g: torch.Generator = g) -> Tensor:
        start = samplers.prior(denoiser.schedule, (members, n, 2), generator=g)
        times = samplers.time_grid(denoiser.schedule, EVALUATIONS)
        return samplers.sample(cast(Learned, average.model), samplers.ddim(), start, times)

    def on_step(step: int, value: float) -> None:
        if watch is not None:
            watch.look(step, value, draw)

    fit(denoiser, loss, steps=STEPS, lr=lr, ema=average, on_step=on_step)
    return Trained(draw, network.parameters_per_member, EVALUATIONS)


def train(
    contender: str,
    points: Tensor,
    octaves: int,
    g: torch.Generator,
    chosen: Mapping[str, float],
    members: int = MEMBERS,
    watch: Watch | None = None,
) -> Trained:
    """Train a contender by its name in `TRIALS`, with the settings of one of its trials; `watch` looks in on it."""
    _checks.choice("contender", contender, TRIALS)
    if contender == "diffusion":
        return train_diffusion(points, octaves, g, members=members, watch=watch, **chosen)
    game = "relativistic" if contender.startswith("RpGAN") else "non-saturating"
    return train_gan(points, octaves, g, game=game, members=members, watch=watch, **chosen)


def score(x: Tensor, mixture: GaussianMixture) -> Modes:
    """Modes covered, share of high quality and reverse KL of samples (M, N, 2)."""
    return mode_coverage(x, mixture.means, std=float(mixture.covariances[0, 0, 0].sqrt()))


def data() -> dict[str, GaussianMixture]:
    """The two distributions of the duel, at unit spread."""
    return {"ring": toy2d.unit_spread(toy2d.ring()), "grid": toy2d.unit_spread(toy2d.grid())}


def search(contender: str, octaves: int, mixture: GaussianMixture) -> list[dict[str, Any]]:
    """Every trial of a contender: its settings, and the modes covered and share of high quality.

    "covered" (a share) and "quality" are means over members; "members_covered" (a number) and "members_quality" have
    each member's.
    """
    rows: list[dict[str, Any]] = []
    for trial in TRIALS[contender]:
        g = torch.Generator().manual_seed(SEARCH_SEED)
        trained = train(contender, mixture.sample(POINTS, generator=g), octaves, g, trial, SEARCH_MEMBERS)
        result = score(trained.draw(2500), mixture)
        covered = float(result.covered.double().mean()) / len(mixture.means)
        row: dict[str, Any] = {
            **trial,
            "covered": round(covered, 3),
            "quality": round(float(result.high_quality.mean()), 3),
        }
        row["members_covered"] = result.covered.tolist()
        row["members_quality"] = [round(share, 4) for share in result.high_quality.tolist()]
        print(contender, octaves, len(mixture.means), row, flush=True)
        rows.append(row)
    return rows


def judge(row: Mapping[str, Any]) -> tuple[float, float]:
    """What the best trial has most of: modes covered, to a per cent; where they tie, samples of high quality."""
    return round(row["covered"], 2), row["quality"]


def results() -> dict[str, dict[str, dict[str, list[dict[str, Any]]]]]:
    """The stored search: features ("fourier" or "raw") → data set → contender → trials."""
    found: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def best(features: str, name: str, contender: str) -> dict[str, Any]:
    """The trial that won the stored search on a data set: its settings and what it scored."""
    _checks.choice("features", features, ("fourier", "raw"))
    _checks.choice("name", name, ("ring", "grid"))
    _checks.choice("contender", contender, TRIALS)
    return max(results()[features][name][contender], key=judge)


def settings(features: str, name: str, contender: str) -> dict[str, float]:
    """The settings of the trial that won the stored search on a data set, as `train` takes them."""
    return {key: value for key, value in best(features, name, contender).items() if key in ("lr", "penalty")}


OUTCOMES = ("drops modes", "blurred", "usable")


def outcomes(features: str, name: str) -> dict[str, list[list[str]]]:
    """How each run of the stored search ended, one of `OUTCOMES`: contender → trial → member.

    A run that does not cover every mode drops modes. Of the others one is usable if its share of high quality is at
    least half of the best contender's on this data set and input, which is the highest of the chosen trials' means.
    """
    bar = max(best(features, name, contender)["quality"] for contender in TRIALS) / 2
    count = len(data()[name].means)

    def outcome(covered: int, quality: float) -> str:
        return OUTCOMES[0 if covered < count else 1 + (quality >= bar)]

    return {
        contender: [list(map(outcome, row["members_covered"], row["members_quality"])) for row in rows]
        for contender, rows in results()[features][name].items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Run the search and store what it found."""
    parser = argparse.ArgumentParser(description="Search the settings of the contenders of the 2D duel.")
    parser.add_argument("--file", type=Path, default=RESULTS, help="where to write (default: beside the recipe)")
    options = parser.parse_args(arguments)
    found = {
        features: {
            name: {contender: search(contender, octaves, mixture) for contender in TRIALS}
            for name, mixture in data().items()
        }
        for features, octaves in (("fourier", OCTAVES), ("raw", 0))
    }
    _files.write_atomically(options.file, (json.dumps(found, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
