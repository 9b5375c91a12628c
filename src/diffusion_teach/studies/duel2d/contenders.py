r"""The contenders of the duel in the plane: how each is built, trained and judged.

A plain GAN, the same with R₁ + R₂, that with the relativistic loss (RpGAN), and a diffusion model learn the ring and
the grid of `datasets.toy2d` with or without Fourier features. They get the same points, batch and number of steps. The
diffusion model's one network has as many parameters as a GAN's two together (within 5 %).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import _checks, samplers
from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import Modes, mode_coverage
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.schedules import Cosine
from diffusion_teach.training import EMA, fit, fit_gan

CONTENDERS = ("GAN", "GAN + R1 + R2", "RpGAN + R1 + R2", "diffusion")
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
    steps: int,
    members: int = MEMBERS,
    watch: Watch | None = None,
) -> Trained:
    """Train a batch of GANs on points (N, 2); `penalty` is γ of R₁ + R₂.

    The loss is one of `adversarial.GAMES`.
    """
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

    fit_gan(
        generator_net,
        discriminator,
        real,
        noise,
        steps=steps,
        game=game,
        r1=penalty,
        r2=penalty,
        lr=lr,
        ema=average,
        on_step=on_step,
    )
    networks = (generator_net, discriminator)
    parameters = sum(network.parameters_per_member for network in networks)
    return Trained(lambda n: average.model(noise(n)).detach(), parameters, 1)


def train_diffusion(
    points: Tensor,
    octaves: int,
    g: torch.Generator,
    *,
    lr: float,
    steps: int,
    members: int = MEMBERS,
    watch: Watch | None = None,
) -> Trained:
    """Train a batch of diffusion models on points (N, 2).

    They predict v on the cosine schedule, and are sampled by DDIM.
    """
    network = TimeMLP(2, WIDTH_DIFFUSION, 2, octaves, members, generator=g)
    denoiser = Learned(network, Cosine(), target="v")
    average = EMA(denoiser, AVERAGE)

    def loss() -> Tensor:
        real = points[torch.randint(len(points), (members, BATCH), generator=g)]
        return diffusion_loss(denoiser, real, generator=g)

    def draw(n: int, g: torch.Generator = g) -> Tensor:
        start = samplers.prior(denoiser.schedule, (members, n, 2), generator=g)
        times = samplers.time_grid(denoiser.schedule, EVALUATIONS)
        model = cast(Learned, average.model)
        return samplers.sample(model, samplers.ddim(), start, times)

    def on_step(step: int, value: float) -> None:
        if watch is not None:
            watch.look(step, value, draw)

    fit(denoiser, loss, steps=steps, lr=lr, ema=average, on_step=on_step)
    return Trained(draw, network.parameters_per_member, EVALUATIONS)


def train(
    contender: str,
    points: Tensor,
    octaves: int,
    g: torch.Generator,
    chosen: Mapping[str, float],
    members: int = MEMBERS,
    *,
    steps: int | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Train a contender by its name, with the settings of one of its trials.

    For `STEPS` steps, or for as many as are given; `watch` looks in on it.
    """
    _checks.choice("contender", contender, CONTENDERS)
    rules: dict[str, Any] = {**chosen, "steps": STEPS if steps is None else steps, "members": members, "watch": watch}
    if contender == "diffusion":
        return train_diffusion(points, octaves, g, **rules)
    game = "relativistic" if contender.startswith("RpGAN") else "non-saturating"
    return train_gan(points, octaves, g, game=game, **rules)


def measure(x: Tensor, mixture: GaussianMixture) -> Modes:
    """Modes covered, share of high quality and reverse KL of samples (M, N, 2)."""
    return mode_coverage(x, mixture.means, std=float(mixture.covariances[0, 0, 0].sqrt()))


def data() -> dict[str, GaussianMixture]:
    """The two distributions of the duel, at unit spread."""
    return {"ring": toy2d.unit_spread(toy2d.ring()), "grid": toy2d.unit_spread(toy2d.grid())}


def blind_shape(name: str, members: int, n: int, *, generator: torch.Generator) -> Tensor:
    """Points (members, n, 2) of a shape that knows nothing of the modes, as a control.

    It is the circle through the ring's centres, or the smallest square that holds the grid up to three standard
    deviations, filled evenly.
    """
    _checks.choice("name", name, ("ring", "grid"))
    mixture, u = data()[name], torch.rand(members, n, 2, generator=generator)
    if name == "ring":
        angle = 2 * math.pi * u[..., 0]
        return float(mixture.means[0].norm()) * torch.stack([angle.cos(), angle.sin()], dim=-1)
    std = float(mixture.covariances[0, 0, 0].sqrt())
    return (float(mixture.means.abs().max()) + 3 * std) * (2 * u - 1)
