"""An object of each public class, for its methods to be called on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from diffusion_teach import denoisers, schedules
from diffusion_teach.exact import Empirical
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.modes import mode_coverage
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.networks import autoregressive, flow, mlp, spectral, vae
from diffusion_teach.networks.autoencoder import Autoencoder, Eye, PatchDiscriminator
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.control import ControlNet
from diffusion_teach.networks.denoising_gan import OfStep
from diffusion_teach.networks.denoising_points import LatentMLP, StepMLP
from diffusion_teach.networks.encoder import Encoder
from diffusion_teach.networks.gan import GAN, Discriminator, Generator
from diffusion_teach.networks.hierarchical_vae import HierarchicalVAE
from diffusion_teach.networks.lora import LoRA
from diffusion_teach.networks.packing import Packed
from diffusion_teach.networks.text_unet import TextUNet
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.objectives.diffusion import ImportanceTimes
from diffusion_teach.training import EMA
from diffusion_teach.training.optimizers import Muon
from tests.doors.values import (
    exact,
    generator,
    judge,
    labelled,
    latent_unet,
    mixture,
    pca,
    points,
    unet,
    unlabelled,
)

INSTANCES: Mapping[str, Callable[[], Any]] = {
    "AffineCoupling": lambda: flow.AffineCoupling(2, flip=False, width=4),
    "Autoencoder": lambda: Autoencoder((8, 8), image_size=16),
    "BatchedLinear": lambda: mlp.BatchedLinear(1, 2, 3),
    "CausalPixels": lambda: autoregressive.CausalPixels(4, 1, 1, 4, 1),
    "Classifier": Classifier,
    "ClassifierGuided": lambda: denoisers.ClassifierGuided(exact(), lambda x, t: x.flatten(1).sum(1)),
    "Conditioned": lambda: denoisers.Conditioned(labelled(), torch.tensor([0, 1, 2, 3])),
    "ControlNet": lambda: ControlNet(unet()),
    "Cosine": schedules.Cosine,
    "Cut": lambda: schedules.Cut(schedules.VP()),
    "Denoiser": labelled,
    "DenoisingGAN": lambda: denoisers.DenoisingGAN(latent_unet(), schedules.VP(), 2),
    "Discrete": lambda: schedules.Discrete(schedules.linear_betas(100)),
    "Discriminator": lambda: Discriminator(dense=4),
    "Distilled": lambda: denoisers.Distilled(unlabelled(), schedules.VP(), stop=0.01, most=2),
    "EDM": schedules.EDM,
    "EMA": lambda: EMA(nn.Linear(1, 1)),
    "Empirical": lambda: Empirical(points()),
    "Encoder": Encoder,
    "Exact": exact,
    "Eye": lambda: Eye((2, 3)),
    "FewStepGenerator": lambda: denoisers.Distilled(unlabelled(), schedules.VP(), most=3),
    "FlowMatching": schedules.FlowMatching,
    "GAN": lambda: GAN(dense=4),
    "Game": lambda: Game(name="relativistic", r1=0.1, gp=0.1),
    "GaussianMixture": mixture,
    "Generator": lambda: Generator(dense=4),
    "Guided": lambda: denoisers.Guided(exact(), exact(), 1.0),
    "ImportanceTimes": lambda: ImportanceTimes(torch.tensor([1.0, 2.0])),
    "HierarchicalVAE": lambda: HierarchicalVAE((2, 1), 4, 16, inner=4),
    "Latent": lambda: denoisers.Latent(Autoencoder((8, 8), image_size=16), nn.Conv2d(4, 4, 1), schedules.Cosine()),
    "Learned": labelled,
    "LatentUNet": latent_unet,
    "LinearLogSNR": schedules.LinearLogSNR,
    "LatentMLP": LatentMLP,
    "LoRA": lambda: LoRA(nn.Linear(2, 2), 1),
    "MLP": lambda: mlp.MLP(2, 1, 4),
    "Muon": lambda: Muon([nn.Parameter(points())]),
    "OfStep": lambda: OfStep(judge(), points(4, 1, 28, 28), torch.tensor([1, 2, 1, 2])),
    "Packed": lambda: Packed(mlp.MLP(4, 1, 4), 2),
    "Observed": lambda: denoisers.Observed(exact(), torch.neg, points(), 0.5),
    "PatchDiscriminator": lambda: PatchDiscriminator(width=4),
    "PixelVAE": lambda: vae.PixelVAE(vae.VAE(2, 4, 16), autoregressive.CausalPixels(4, 1, 1, 4, 1)),
    "ProbabilisticPCA": pca,
    "Rescaled": lambda: denoisers.Rescaled(labelled(), schedules.Cosine()),
    "RealNVP": lambda: flow.RealNVP(2, 2, 4),
    "Sampling": lambda: Sampling("ddim", 3),
    "Schedule": schedules.VP,
    "Shifted": lambda: schedules.Shifted(schedules.VP(), -1.0),
    "Sigmoid": schedules.Sigmoid,
    "SpectralNorm": lambda: spectral.SpectralNorm(points()),
    "StepDiscriminator": judge,
    "SubVP": schedules.SubVP,
    "StepMLP": StepMLP,
    "TextUNet": lambda: TextUNet(5, 3, (8, 8), blocks=1, image_size=4, embedding=8, text=8),
    "TimeMLP": lambda: mlp.TimeMLP(width=4),
    "UNet": unet,
    "VAE": lambda: vae.VAE(2, 4, 16),
    "VE": schedules.VE,
    "VP": schedules.VP,
    "Watch": lambda: watching(),
}
"""By class: what its methods are called on."""


def watching() -> Watch:
    """One that has looked once."""
    watch = Watch(lambda x: mode_coverage(x, points(), 1.0), generator(), every=1)
    watch.look(0, 0.5, lambda n, g: points(1, 4, 2))
    return watch
