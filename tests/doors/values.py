"""Small right values, of which the tables of doors are made: the same ones each time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from diffusion_teach import checkpoints, denoisers, schedules
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.probabilistic_pca import ProbabilisticPCA
from diffusion_teach.networks import mlp
from diffusion_teach.networks.denoising_gan import LatentUNet, StepDiscriminator
from diffusion_teach.networks.unet import UNet


def points(*shape: int) -> torch.Tensor:
    """Normal numbers, the same each time."""
    return torch.randn(*(shape or (4, 2)), generator=torch.Generator().manual_seed(len(shape)))


def images(count: int = 6, channels: int = 1) -> torch.Tensor:
    """Grey noise in [−1, 1]."""
    return points(count, channels, 28, 28).clamp(-1, 1)


def mixture() -> GaussianMixture:
    return GaussianMixture(torch.ones(2), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.ones(2))


def exact() -> denoisers.Exact:
    return denoisers.Exact(mixture(), schedules.VP())


def learned() -> denoisers.Learned:
    return denoisers.Learned(mlp.TimeMLP(width=4, depth=1), schedules.VP(), "v")


def labelled() -> denoisers.Learned:
    return denoisers.Learned(unet(), schedules.VP(), "v")


def unet() -> UNet:
    return UNet((8, 8), blocks=1, dense=0, embedding=8, classes=3, image_size=8)


def unlabelled() -> UNet:
    return UNet((8, 8), blocks=1, dense=0, embedding=8, image_size=8)


def latent_unet() -> LatentUNet:
    return LatentUNet(3, width=(8, 8), blocks=1, dense=0, embedding=8, image_size=8)


def judge() -> StepDiscriminator:
    return StepDiscriminator(2, (4, 4), dense=4)


def pca() -> ProbabilisticPCA:
    return ProbabilisticPCA(points(2, 1), torch.zeros(2), 0.5)


def line() -> tuple[torch.Tensor, torch.Tensor]:
    """A grid and a density on it."""
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    return x, torch.distributions.Normal(0.0, 1.0).log_prob(x).exp()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


PLACES = tempfile.TemporaryDirectory()
"""What `new_place` makes lies here, until the tests end."""


def new_place(name: str, made: bool = False) -> Path:
    """A path in a new folder, with a checkpoint there where `made`."""
    place = Path(tempfile.mkdtemp(dir=PLACES.name)) / name
    if made:
        checkpoints.save(place.stem, {"weight": points()}, checkpoints.card("classifier"), folder=place.parent)
    return place
