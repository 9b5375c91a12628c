"""The model whose likelihood is measured: a diffusion model of dequantised digits, trained on the bound itself.

A byte's pixel is a cell of 1/128 in [−1, 1]. To tell what a cell costs, a model must see noise that is finer than the
cell: here log-SNRs from −6.9 to 13.3, σ = .0013, where DDPM's first step has σ = .01. And it must see where in its cell
a pixel lies, which are its last digits: so the network gets the waves of 128 and 256 cycles for the picture's range
(Kingma et al. 2021, section 3.4). Log-SNRs are drawn evenly, and the error of the noise counts alike at all of them:
that is the variational bound, ½∫E‖ε − ε̂‖² dλ, and no choice (section 5 there).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.generate import Sampling
from diffusion_teach.likelihood import bits_per_dimension, dequantise, log_likelihood, variational_bound
from diffusion_teach.recipes.diffusion import DATA, DDPM_MNIST, LARGE, DiffusionRecipe, make_schedule
from diffusion_teach.samplers.time_grids import time_grid
from diffusion_teach.training.recipe import draws_no_images

LOW, HIGH = -1.0, 1.0
"""The units: where byte 0's cell begins, and byte 255's ends."""
IMAGES, BATCH, STEPS = 1000, 100, 1000
"""Test images that a card's figures are the mean of, images at a time, and steps of the bound."""


@dataclass(frozen=True, kw_only=True)
class LikelihoodRecipe(DiffusionRecipe):
    """A denoiser of dequantised digits.

    Args:
        log_snrs: the least and the largest that are trained; the flow stops at the latter.
    """

    log_snrs: tuple[float, float] = (-6.9, 13.3)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """x₀ (B, 1, 28, 28), t (B,) of evenly drawn log-SNRs, ε like x₀."""
        images, device = data[0], data[0].device
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=device)
        x0 = dequantise(images[rows], low=LOW, high=HIGH, generator=generator).unsqueeze(1)
        low, high = self.log_snrs
        shift = torch.rand((), generator=generator, device=device)
        share = (shift + torch.arange(self.batch, device=device) / self.batch) % 1
        t = make_schedule(self.schedule).time_of(low + (high - low) * share)
        return x0, t, torch.randn(x0.shape, generator=generator, device=device)

    def rehearse(self, model: nn.Module) -> None:
        """Measure one image."""
        self.measure(model, Sampling(), count=1)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """Bits per dimension of test images by the flow and by the bound of ancestral sampling, with conventions."""
        draws_no_images("a likelihood", sampling, None, repeats)
        denoiser = cast(Denoiser, model)
        generator = torch.Generator(denoiser.device).manual_seed(sampling.seed or 0)
        images = mnist.load("test")[0][: count or IMAGES].to(denoiser.device)
        found = [bits(denoiser, batch, largest=self.log_snrs[1], generator=generator) for batch in images.split(BATCH)]
        flow, bound = (torch.cat(parts) for parts in zip(*found, strict=True))
        return {
            "bits_per_dimension": float(flow.mean()),
            "standard_error": float(flow.std(correction=0)) / math.sqrt(len(flow)),
            "bound": float(bound.mean()),
            "images": len(images),
            "largest_log_snr": self.log_snrs[1],
            "low": LOW,
            "high": HIGH,
        }


def bits(
    denoiser: Denoiser,
    images: Tensor,
    *,
    largest: float,
    tolerance: float = 1e-4,
    steps: int = STEPS,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Bits per dimension of images, by the flow and by the bound, (N,) each.

    Both are upper bounds of what the bytes cost, since the images are dequantised with one
    draw of noise. The flow's density is that of log q at the log-SNR `largest`, by the
    adaptive solver, with Hutchinson's estimator and one draw of signs an image.

    Args:
        denoiser: of pictures in the units of `LOW` and `HIGH`.
        images: (N, 28, 28) bytes.
        largest: log-SNR where the flow stops.
        tolerance: of the solver.
        steps: of the bound.
        generator: of all that is drawn.
    """
    x = dequantise(images, low=LOW, high=HIGH, generator=generator).unsqueeze(1)
    t_min = float(denoiser.schedule.time_of(torch.tensor(largest, dtype=torch.float64)))
    flow = log_likelihood(
        denoiser, x, t_min=t_min, steps=None, tolerance=tolerance, trace="rademacher", generator=generator
    )
    times = time_grid(denoiser.schedule, steps, stop=t_min, spacing="log_snr")
    bound = variational_bound(denoiser, x, times, generator=generator)
    by_flow, by_bound = (
        bits_per_dimension(density.double(), x[0].numel(), low=LOW, high=HIGH) for density in (flow.log_density, bound)
    )
    return by_flow, by_bound


LIKELIHOOD_MNIST = LikelihoodRecipe(
    name="likelihood-mnist",
    summary="a diffusion model of MNIST's digits with its bits per dimension",
    intended_use=(
        "Teaching: to measure the likelihood of 28 × 28 digits like MNIST's. It is trained on the last digits of "
        "pixels as much as on shapes; to draw digits take ddpm-mnist."
    ),
    data_from=DATA + ", dequantised",
    licence=DDPM_MNIST.licence,
    network=MappingProxyType({**LARGE, "fourier": (7, 8)}),
    schedule="ve-fine",
    unit_variance=True,
    weight="simple",
    adamw=3e-3,
    batch=64,
    steps=12_000,
    warmup=40,
    ema=0.999,
    half=True,
)
