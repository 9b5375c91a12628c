"""Diffusion models of digits: a U-Net learns v at random noise levels, as chapter 6 does in half a minute, for longer.

NCSN is DDPM's recipe on a schedule whose noise grows to the size of the data and beyond, with fewer steps, see
`NCSN_MNIST`.

The shipped recipes draw the log-SNR from a logistic distribution and weigh the error of v alike (`times="logistic"`,
`weight="none"`). With `times="time"` and `weight="simple"` the loss is L_simple, the error of the noise at times
that are drawn evenly (Ho et al. 2020, eq. 14): at a fixed x_t it differs from the error of another target by the factor
(α/D)², see `parameterizations`. For v that is α².
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, schedules
from diffusion_teach.datasets import mnist, stacked_mnist
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.diffusion import diffusion_loss, sample_times
from diffusion_teach.parameterizations import TARGETS, determinant
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.samplers.time_grids import LOGISTIC_WIDTHS
from diffusion_teach.schedules import Schedule
from diffusion_teach.training.optimizers import muon_and_adamw
from diffusion_teach.training.recipe import plain

SCHEDULES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "linear": {"name": "linear"},
        "cosine": {"name": "cosine"},
        "continuous-cosine": {"name": "continuous-cosine"},
        "ve": {"name": "ve", "sigma_min": 0.02, "sigma_max": 33.0},
        "sigmoid": {"name": "sigmoid"},
        "stable-diffusion": {"name": "stable-diffusion"},
        "stable-diffusion-zero": {"name": "stable-diffusion-zero"},
        "shifted-cosine": {"name": "shifted-cosine", "shift": -1.386},
        "edm": {"name": "edm"},
        "ve-fine": {"name": "ve", "sigma_min": 1e-3, "sigma_max": 33.0},
    }
)
"""DDPM's table of 1,000 "linear" betas, that of "cosine" betas, the cosine schedule in continuous time, NCSN's "ve",
what `studies.schedules` compares, and "ve-fine" of `recipes.likelihood`.

The exploding noise of "ve" grows from well below a pixel's grey level to the largest distance between two training
images, 33: pixels lie in [−1, 1] (Song and Ermon 2020, technique 1). That of "ve-fine" begins below a cell's tenth.
"""
WEIGHTS = ("simple", "none")


@functools.cache
def make_schedule(name: str) -> Schedule:
    """A schedule of `SCHEDULES`."""
    about = dict(SCHEDULES[name])
    return schedules.SCHEDULES[about.pop("name")](**about)


@dataclass(frozen=True, kw_only=True)
class DiffusionRecipe(DigitsRecipe):
    """A denoiser of MNIST's digits.

    Args:
        network: what `networks.unet.UNet` is called with; `classes` makes it conditional.
        schedule: one of `SCHEDULES`.
        target: what the network is asked for, see `parameterizations`.
        weight: "simple", the error of the noise; "none", the error of the target as it is.
        muon, adamw: the highest learning rates, see `optimizers.muon_and_adamw`.
        unit_variance: what the network sees and says, see `denoisers.Learned`; the schedule "ve" needs it.
        times, widths: which noise levels are drawn, see `objectives.diffusion.sample_times`.
        label_dropout: how often the label is replaced by "no label", which guidance needs.
        sampler, sampler_steps: how the card's metrics are measured, see `generate`.
    """

    schedule: str = "linear"
    target: str = "v"
    unit_variance: bool = False
    weight: str = "simple"
    times: str = "time"
    widths: tuple[float, float] = LOGISTIC_WIDTHS
    muon: float = 0.025
    adamw: float = 5e-3
    label_dropout: float = 0.0
    sampler: str = "sde_dpm_solver"
    sampler_steps: int = 15

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.choice("schedule", self.schedule, SCHEDULES)
        _checks.choice("target", self.target, TARGETS)
        _checks.choice("weight", self.weight, WEIGHTS)
        Sampling(self.sampler, self.sampler_steps)  # refuses what could only be found out after the training
        _checks.number("label_dropout", self.label_dropout, least=0, most=1)
        if self.label_dropout and not self.classes:
            raise ValueError(f"label_dropout needs labels, got {self.label_dropout} without network={{'classes': …}}.")

    @property
    def classes(self) -> int:
        """How many labels there are; 0 for an unconditional model."""
        return int(self.network.get("classes", 0))

    def architecture(self) -> dict[str, Any]:
        return {
            "kind": "denoiser",
            "network": {"kind": "unet", **plain(self.network)},
            "schedule": SCHEDULES[self.schedule],
            "target": self.target,
            "unit_variance": self.unit_variance,
        }

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        network = cast(UNet, cast(Learned, model).network)
        return muon_and_adamw(model, network.inside(), lr=self.muon, adamw_lr=self.adamw)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """x₀ (B, C, 28, 28), t (B,), ε like x₀, and for a conditional model labels (B,), some of them "no label"."""
        images, labels = data
        device = images.device
        rows = torch.randint(len(images), (self.batch, self.image_channels), generator=generator, device=device)
        x0 = stacked_mnist.of_rows(images, rows)
        path, size = make_schedule(self.schedule), (self.batch,)
        t = sample_times(path, size, spacing=self.times, widths=self.widths, generator=generator)
        eps = torch.randn(x0.shape, generator=generator, device=device)
        if not self.classes:
            return x0, t, eps
        dropped = torch.rand(self.batch, generator=generator, device=device) < self.label_dropout
        return x0, t, eps, torch.where(dropped, self.classes, labels[rows[:, 0]])

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The error of the target, or with weight "simple" that of the noise, at x₀, t, ε and labels."""
        denoiser = cast(Learned, model)
        x0, t, eps, *labels = drawn

        def simple(t: Tensor) -> Tensor:
            schedule = denoiser.schedule
            return (denoiser.unit(t) * schedule.alpha(t) / determinant(denoiser.target, schedule, t)).square()

        weight = simple if self.weight == "simple" else None
        return diffusion_loss(denoiser, x0, t=t, eps=eps, cond=labels[0] if labels else None, weight=weight)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The table of `metrics.evaluation`, means over twenty sets of samples; for stacks, their modes."""
        how = sampling.of(cast(Learned, model), self.sampler, self.sampler_steps)
        return super().measure(model, how, count=count, repeats=repeats)


INTENDED_USE = (
    "Teaching: to sample 28 × 28 digits like MNIST's, and to compare samplers. It knows nothing but these digits; its "
    "samples are no data to train a reader of handwriting on."
)
STACKED_USE = (
    "Teaching: to count the modes of a generator of stacked digits, three of MNIST's as the channels of a picture. It "
    "knows nothing but these digits."
)
STACKED_STEPS = 3000
LARGE = {"blocks": 3, "dense": 512, "planes": 16}
"""A U-Net with more room than the default one, for a minute of training and more."""
DEEP = {**LARGE, "blocks": 8}
"""One for hours: it learns more from each image, and takes longer for it."""
DATA = f"MNIST's 60,000 training images ({mnist.LICENCE})"
LICENCE = "the code's licence; trained on MNIST, " + mnist.LICENCE

DDPM_MNIST = DiffusionRecipe(
    name="ddpm-mnist",
    summary="a diffusion model of MNIST's digits, unconditional",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType(DEEP),
    weight="none",
    times="logistic",
    adamw=3e-3,
    batch=128,
    steps=40_000,
    warmup=200,
    decay="cosine",
    ema=0.999,
    precision="float32",
    half=True,
)
DDPM_MNIST_CONDITIONAL = dataclasses.replace(
    DDPM_MNIST,
    name="ddpm-mnist-conditional",
    summary="a diffusion model of MNIST's digits that takes a label, ready for guidance",
    network=MappingProxyType({**DEEP, "classes": 10}),
    label_dropout=0.15,
)
SHORT = dataclasses.replace(
    DDPM_MNIST,
    network=MappingProxyType(LARGE),
    widths=(1.3, 1.3),
    batch=64,
    warmup=40,
    decay="linear",
    precision="auto",
)
"""The settings for minutes: smaller batches make more steps, see `studies.ablation`."""
DDPM_STACKED = dataclasses.replace(
    SHORT,
    name="ddpm-stacked",
    summary="a diffusion model of stacked digits, three of MNIST's as channels",
    intended_use=STACKED_USE,
    network=MappingProxyType({"image_channels": 3, "planes": 16, "dense": 176}),
    muon=0.05,
    adamw=1.5e-3,
    steps=STACKED_STEPS,
    sampler_steps=10,
)
NCSN_MNIST = dataclasses.replace(
    SHORT,
    name="ncsn-mnist",
    summary="a noise-conditional score network of MNIST's digits",
    schedule="ve",
    unit_variance=True,
    steps=12_000,
)
"""A score network for all noise levels (Song and Ermon 2019 and 2020): what differs from `SHORT` is the noise, and
the unit that the network sees.

α = 1, so the network is fed x/√(1 + σ²), which has about unit variance, as in DDPM; the score is −ε̂/σ.
Its card is measured with the sampler of the others' cards; annealed Langevin dynamics has its lines on the scoreboard.
"""
