r"""More than ten seeds of chapter 11's two penalised GANs, for what ten cannot tell: which game is better, and how bad
its worst seed is.

The GAN with R₁ + R₂ and the same with the relativistic loss are trained with Fourier features at equal settings: at
every γ of the search, and at the rate in the middle of it, forty seeds each on ring and grid, as one batched network.
That takes some ten minutes on one core, so each seed's modes covered, share of high quality and reverse KL are stored
in `seeds.json` beside this file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import Modes
from diffusion_teach.studies import stored
from diffusion_teach.studies.duel2d import contenders, search

MEMBERS = 40
SEED = 2000  # neither a seed that a chapter is run with nor the search's
CONTENDERS = ("GAN + R1 + R2", "RpGAN + R1 + R2")
RATE = 8e-3
SETTINGS = tuple({"lr": RATE, "penalty": gamma} for gamma in search.GAMMAS)
"""What both are trained with, the weakest penalties first."""
RESULTS = Path(__file__).with_suffix(".json")
ROWS = ("ring", "grid")


def measure(
    contender: str, mixture: GaussianMixture, settings: dict[str, float], members: int = MEMBERS
) -> dict[str, Any]:
    """Train a contender on a data set: its settings, and the modes of each member."""
    g = torch.Generator().manual_seed(SEED)
    trained = contenders.train(
        contender, mixture.sample(contenders.POINTS, generator=g), contenders.OCTAVES, g, settings, members
    )
    row = {"settings": settings, **search.scored(contenders.measure(trained.draw(2500), mixture))}
    print(contender, len(mixture.means), row, flush=True)
    return row


def results() -> dict[str, dict[str, list[Modes]]]:
    """The stored modes: data set → contender → for each of `SETTINGS` one value for each of `MEMBERS` seeds."""
    return {
        name: {contender: [search.modes_of(row) for row in rows] for contender, rows in found.items()}
        for name, found in stored.rows(RESULTS, ROWS).items()
    }


def how_often_worse(one: Tensor, other: Tensor, count: int) -> float:
    r"""How often the worst, the largest, of `count` seeds of `one` is worse than the worst of as many of `other`.

    The seeds of each are picked from its values (N,) without replacement. Of the sorted values the r-th is then the
    largest of those picked with probability C(r − 1, count − 1)/C(N, count), so no draw is needed. Ties count half:
    0.5 says that the worst seed tells the two apart no better than a coin.
    """
    _checks.tensor("one", one, ("N",), floating=False)
    _checks.tensor("other", other, ("M",), floating=False)
    _checks.integer("count", count, most=min(len(one), len(other)))

    def chances(total: int) -> Tensor:
        ways = [math.comb(rank - 1, count - 1) / math.comb(total, count) for rank in range(1, total + 1)]
        return torch.tensor(ways, dtype=torch.float64)

    difference = one.sort().values.double().unsqueeze(1) - other.sort().values.double()
    return float(chances(len(one)) @ ((difference.sign() + 1) / 2) @ chances(len(other)))


def row(name: str) -> dict[str, list[dict[str, Any]]]:
    """Both contenders trained on a data set with each of `SETTINGS`, and what every member scored."""
    mixture = contenders.data()[name]
    return {contender: [measure(contender, mixture, settings) for settings in SETTINGS] for contender in CONTENDERS}
