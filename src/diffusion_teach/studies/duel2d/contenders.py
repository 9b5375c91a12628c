r"""The contenders of the duel in the plane: how each is built, trained and judged.

A plain GAN, the same with R₁ + R₂, that with the relativistic loss (RpGAN), and a diffusion model learn the ring and
the grid of `datasets.toy2d` with or without Fourier features. They get the same points, batch and number of steps. The
diffusion model's one network has as many parameters as a GAN's two together (within 5 %).
"""

from __future__ import annotations

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
    """Train a contender by its name, with the settings of one of its trials; `watch` looks in on it."""
    _checks.choice("contender", contender, CONTENDERS)
    if contender == "diffusion":
        return train_diffusion(points, octaves, g, members=members, watch=watch, **chosen)
    game = "relativistic" if contender.startswith("RpGAN") else "non-saturating"
    return train_gan(points, octaves, g, game=game, members=members, watch=watch, **chosen)


def measure(x: Tensor, mixture: GaussianMixture) -> Modes:
    """Modes covered, share of high quality and reverse KL of samples (M, N, 2)."""
    return mode_coverage(x, mixture.means, std=float(mixture.covariances[0, 0, 0].sqrt()))


def data() -> dict[str, GaussianMixture]:
    """The two distributions of the duel, at unit spread."""
    return {"ring": toy2d.unit_spread(toy2d.ring()), "grid": toy2d.unit_spread(toy2d.grid())}
