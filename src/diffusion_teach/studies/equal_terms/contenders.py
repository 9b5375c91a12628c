"""Who competes, and what may be tuned."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.evaluation import averaged, evaluate
from diffusion_teach.networks.network import OneStepGenerator
from diffusion_teach.recipes.diffusion import SHORT
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.recipes.gan import GAN_MNIST, RPGAN_MNIST
from diffusion_teach.recipes.vae import VAE_MNIST
from diffusion_teach.samplers.time_grids import LOGISTIC_WIDTHS
from diffusion_teach.studies import tuning
from diffusion_teach.studies.tuning import around
from diffusion_teach.training import run

BATCH, STEPS = 64, 3000
COUNT = 2000
"""Images of a set of samples."""


@dataclass(frozen=True)
class Contender:
    """A generator of digits, and two settings of it that are tuned.

    Attributes:
        label: its name in tables and figures.
        recipe: how it is trained, but for the settings.
        settings: by name the values that may be tried, in order; the search begins in the middle.
        sampling: how it is drawn from.
    """

    label: str
    recipe: DigitsRecipe
    settings: Mapping[str, tuple[float, ...]]
    sampling: Sampling = field(default_factory=Sampling)

    def tuned(self, chosen: Mapping[str, float]) -> DigitsRecipe:
        """The recipe with chosen settings."""
        return tuning.tuned(self.recipe, chosen, batch=BATCH)

    def scores(self, chosen: Mapping[str, float], seed: int, repeats: int) -> dict[str, Any]:
        """Train with chosen settings, and what some sets of samples score; seeds of samples follow that of training.

        Beside the scores, `training_seconds`.
        """
        began = time.perf_counter()
        model = run.trained(self.tuned(chosen), steps=STEPS, seed=seed)
        took = time.perf_counter() - began
        how = dataclasses.replace(self.sampling, seed=1000 * seed)
        generator = cast(Denoiser | OneStepGenerator, model)
        found = averaged(lambda how: evaluate(generator, how, count=COUNT, progress=False), how, repeats=repeats)
        return found | {"training_seconds": took}


_PENALISED = {"lr": around(4e-3), "gamma": around(0.5, 4.0)}
CONTENDERS: dict[str, Contender] = {
    "vae": Contender("VAE", VAE_MNIST, {"lr": around(3e-3), "latents": (12, 16, 20, 24, 28)}),
    "gan": Contender("GAN, plain", GAN_MNIST, {"lr": around(4e-3), "beta1": (0.0, 0.25, 0.5, 0.75, 0.9)}),
    "gan-penalised": Contender("GAN + R1 + R2", dataclasses.replace(RPGAN_MNIST, game="non-saturating"), _PENALISED),
    "rpgan": Contender("RpGAN + R1 + R2", RPGAN_MNIST, _PENALISED),
    "ddpm": Contender(
        "DDPM, 15 steps",
        dataclasses.replace(
            SHORT,
            network=MappingProxyType({"blocks": 5, "dense": 216, "planes": 16}),
            widths=LOGISTIC_WIDTHS,
            precision="float32",
        ),
        {"muon": around(0.025), "adamw": around(3e-3)},
        Sampling("sde_dpm_solver", 15),
    ),
}
"""By name, in the order of the history."""
SHIPPED = {"vae": "vae", "gan": "gan", "rpgan": "rpgan", "ddpm": "ddpm-15"}
"""The line of `studies.scoreboard` that is drawn as the contender is, where one is shipped."""
