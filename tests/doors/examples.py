"""Right values for the parameters of single doors, or of all that a pattern names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from diffusion_teach import samplers, schedules
from diffusion_teach.datasets import mnist
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.generate import Sampling
from diffusion_teach.networks import mlp
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.encoder import Encoder
from tests.doors.instances import INSTANCES
from tests.doors.values import (
    exact,
    generator,
    images,
    judge,
    labelled,
    latent_unet,
    learned,
    line,
    mixture,
    new_place,
    points,
    unet,
    unlabelled,
)


def a_step() -> dict[str, Any]:
    return {"state": None, "noise": samplers.gaussian(generator())}


def canvas_fields() -> torch.Tensor:
    """What two canvases show: a thick seven that leans, and a pair."""
    return torch.tensor([[0, 7, -1, 2, 2, 1, 0], [1, 4, 9, 0, 0, 0, 0]])


def balanced() -> dict[str, Any]:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    return {"reconstruction": weight.square().sum(), "adversarial": weight.sum(), "weight": weight}


EXAMPLES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "checkpoints.architectures.build": lambda: {"architecture": {"kind": "classifier"}},
    "checkpoints.architectures.shapes": lambda: {"architecture": {"kind": "classifier"}},
    "checkpoints.files.*": lambda: {"name": "classifier"},
    "checkpoints.files.difference": lambda: {"expected": {"w": points()}, "found": {"w": points()}},
    "checkpoints.files.restate": lambda: {"name": new_place("x.safetensors", True), "metrics": {}},
    "checkpoints.files.save": lambda: {"name": "mine", "folder": new_place("runs")},
    "datasets.augmentation.*": lambda: {"x": images()},
    "datasets.canvases.*": lambda: {
        "images": mnist.to_uint8(images()),
        "ink": points(2, 6, 6) > 0,
        "points": points(3, 5, 2),
        "height": 20 * torch.ones(3),
        "stroke": 3 * torch.ones(3),
        "shear": torch.zeros(3),
        "place": 32 * torch.ones(3, 2),
        "fields": canvas_fields(),
        "about": canvas_fields(),
        "glyph_count": 50,
        "most": 50,
        "split": "test",
    },
    "datasets.captions.*": lambda: {
        "about": canvas_fields(),
        "caption": "a thick seven",
        "captions": ["a thick seven", "a pair: 4 above 9"],
    },
    "datasets.captions.write": lambda: {"about": canvas_fields()[0]},
    "datasets.mnist.*": lambda: {"images": mnist.to_uint8(images()), "x": images()},
    "datasets.stacked_mnist.*": lambda: {
        "digits": torch.tensor([[1, 2, 3]]),
        "images": mnist.to_uint8(images()),
        "rows": torch.tensor([[0, 1, 2]]),
    },
    "datasets.stacked_mnist.strip": lambda: {"images": images(2, 3)},
    "datasets.toy2d.unit_spread": lambda: {"mixture": mixture()},
    "denoisers.by_classifier.ClassifierGuided": lambda: {"log_p": lambda x, t: x.flatten(1).sum(1)},
    "denoisers.denoising_gan.DenoisingGAN": lambda: {"network": latent_unet()},
    "denoisers.denoising_gan.DenoisingGAN.*": lambda: {
        "x_t": points(4, 1, 8, 8),
        "eps": points(4, 1, 8, 8),
        "k": torch.tensor([1, 2, 1, 2]),
        "z": points(4, 3),
        "x0": points(4, 1, 8, 8),
        "more": points(4, 1, 8, 8),
    },
    "denoisers.distilled.Distilled": lambda: {"network": unlabelled()},
    "denoisers.distilled.Distilled.*": lambda: {"x_t": points(4, 1, 8, 8)},
    "denoisers.exact.Exact": lambda: {"distribution": mixture()},
    "denoisers.guided.Guided": lambda: {"guidance": 1.0},
    "denoisers.latent.Latent": lambda: {"target": "v", "network": nn.Conv2d(4, 4, 1)},
    "denoisers.latent.Latent.*": lambda: {"x": points(2, 1, 16, 16)},
    "denoisers.latent.Latent.pictures": lambda: {"x": points(2, 4, 4, 4)},
    "denoisers.learned.Learned": lambda: {"target": "v"},
    "denoisers.learned.*": lambda: {"x_t": points(4, 1, 8, 8), "source": labelled(), "rows": 4},
    "denoisers.observed.Observed": lambda: {"see": torch.neg, "std": 0.5},
    "denoisers.rescaled.Rescaled.*": lambda: {"x_t": points(4, 1, 8, 8)},
    "devices.*": lambda: {"name": "float32"},
    "devices.pick": lambda: {"name": "cpu"},
    "divergences.jensen_shannon": lambda: {"p": line()[1], "q": line()[1], "x": line()[0]},
    "divergences.kullback_leibler": lambda: {"p": torch.full((4,), 0.25), "q": torch.full((4,), 0.25)},
    "exact.densities.gaussian_kl_full": lambda: {"mean_a": points(), "mean_b": points()},
    "exact.densities.bernoulli_log_prob": lambda: {"x": (points() > 0).float(), "logits": points()},
    "exact.dirac_gan.play": lambda: {"start": points()},
    "exact.distributions.GaussianMixture": lambda: {
        "weights": torch.ones(4),
        "covariances": torch.ones(4),
    },
    "exact.distributions.Empirical.score": lambda: {"sigma": 0.5},
    "exact.distributions.GaussianMixture.at_deviations": lambda: {"z": points()},
    "exact.quadrature.expectation": lambda: {"mixture": mixture(), "function": lambda x: x[..., 0], "nodes": 3},
    "exact.quadrature.entropy": lambda: {"mixture": mixture(), "nodes": 3},
    "exact.flow.*": lambda: {
        "gaussian": GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1)),
    },
    "exact.heartbeat.*": lambda: {"x_t": torch.ones(1, 20), "ᾱ": 0.5, "T": 3},
    "exact.labels.*": lambda: {"parts": [mixture(), mixture()], "prior": torch.ones(2), "label": 1, "w": 1.0},
    "exact.reverse_step.*": lambda: {
        "mixture": GaussianMixture(torch.ones(2), torch.tensor([[-1.0], [1.0]]), torch.full((2,), 0.01)),
        "s": torch.tensor(0.25),
        "t": torch.tensor(0.5),
        "x_t": points(4, 1)[:, 0],
        "nodes": 3,
    },
    "exact.observation.observed": lambda: {
        "mixture": mixture(),
        "matrix": points(3, 2),
        "y": torch.zeros(3),
        "std": 0.5,
    },
    "exact.probabilistic_pca.ProbabilisticPCA": lambda: {"weights": points(2, 1), "offset": torch.zeros(2)},
    "exact.probabilistic_pca.ProbabilisticPCA.elbo": lambda: {"mean": points(4, 1), "covariance": torch.eye(1)},
    "generate.*": lambda: {"sampling": Sampling("ddim", 2), "frames": 2},
    "generate.sampling.Sampling.times": lambda: {"schedule": schedules.VP()},
    "likelihood.*": lambda: {"t_min": 0.01, "steps": 4, "times": torch.tensor([0.9, 0.5, 0.1])},
    "likelihood.bits_per_dimension": lambda: {"log_density": points(4), "dimensions": 2, "low": -1.0, "high": 1.0},
    "likelihood.dequantise": lambda: {"images": torch.tensor([[0, 255]]), "low": -1.0, "high": 1.0},
    "metrics.cost.counted": lambda: {"draw": points},
    "metrics.memory.peak_bytes": lambda: {"draw": points},
    "metrics.evaluation.averaged": lambda: {"measure": lambda how: {"seed": how.seed}, "repeats": 1},
    "metrics.evaluation.evaluate_images": lambda: {"images": images(100)},
    "metrics.evaluation.illegible": lambda: {"logits": points(3, 10)},
    "metrics.features.in_batches": lambda: {"compute": torch.neg, "x": images()},
    "metrics.features.predict": lambda: {"model": Classifier(), "x": images()},
    "metrics.features.of_training_images": lambda: {"rows": torch.tensor([0, 1])},
    "metrics.frechet.gaussian_fit": lambda: {"features": points()},
    "metrics.frechet.leading_order_bias": lambda: {"eigenvalues": torch.ones(2)},
    "metrics.labels.*": lambda: {
        "labels": torch.arange(len(images())),
        "features": points(),
        "covariances": torch.eye(2).expand(len(points()), 2, 2),
    },
    "metrics.modes.kl_floor": lambda: {"modes": 8},
    "metrics.modes.mode_coverage": lambda: {"centres": points(3, 2), "std": 0.5},
    "metrics.modes.expected*": lambda: {"samples": 10},
    "metrics.parzen.estimate": lambda: {"validation": points(7, 2), "sigmas": (1e-3, 0.5, 1e3)},
    "metrics.reading.*": lambda: {
        "x": points(2, 1, 64, 64).clamp(-1, 1),
        "box": torch.tensor([[10.0, 10.0, 30.0, 40.0], [5.0, 20.0, 50.0, 40.0]]),
        "layout": torch.tensor([0, 1]),
        "asked": canvas_fields(),
    },
    "metrics.spoilt.*": lambda: {"x": images(), "known": 3},
    "metrics.stacked_modes.*": lambda: {"images": images(2, 3), "sampling": Sampling()},
    "metrics.transport.null_value": lambda: {"distance": lambda a, b: 0.0},
    "metrics.transport.wasserstein_null": lambda: {"points": points(9)},
    "metrics.watch.Watch": lambda: {"measure": lambda x: x},
    "metrics.watch.Watch.look": lambda: {"loss": 0.5, "draw": lambda n, g: points(1, 4, 2)},
    "networks.autoregressive.CausalPixels.*": lambda: {"x": (points(3, 16) > 0).float()},
    "networks.[ce]*er.*": lambda: {"x": images()},
    "networks.denoising_gan.*": lambda: {
        "x_s": points(4, 1, 28, 28),
        "x_t": points(4, 1, 28, 28),
        "x": points(4, 1, 28, 28),
        "k": torch.tensor([1, 2, 1, 2]),
        "discriminator": judge(),
    },
    "networks.denoising_gan.LatentUNet.forward": lambda: {"x_t": points(4, 1, 8, 8), "cond": points(4, 3)},
    "networks.denoising_points.LatentMLP.forward": lambda: {"x_t": points(4, 2), "cond": points(4, 4)},
    "networks.denoising_points.StepMLP.forward": lambda: {
        "x_s": points(4, 2),
        "x_t": points(4, 2),
        "k": torch.tensor([1, 2, 3, 4]),
    },
    "networks.control.ControlNet": lambda: {"base": unet()},
    "networks.control.ControlNet.given": lambda: {"control": points(4, 1, 8, 8)},
    "networks.flow.AffineCoupling": lambda: {"dim": 2, "flip": True},
    "networks.flow.RealNVP.inverse": lambda: {"z": points()},
    "networks.gan.Discriminator.*": lambda: {"x": images()},
    "networks.gan.Generator.*": lambda: {"z": points(3, 64)},
    "networks.hierarchical_vae.HierarchicalVAE.*": lambda: {"x": (points(3, 16) > 0).float(), "z": points(3, 2)},
    "networks.lora.LoRA": lambda: {"rank": 2},
    "networks.autoencoder.Autoencoder.*": lambda: {"x": points(2, 1, 16, 16), "z": points(2, 4, 4, 4)},
    "networks.autoencoder.PatchDiscriminator.*": lambda: {"x": points(2, 1, 16, 16)},
    "networks.autoencoder.Eye": lambda: {"answers": (2, 3)},
    "networks.autoencoder.Eye.*": lambda: {"x": points(2, 1, 64, 64)},
    "networks.text_unet.TextUNet": lambda: {"classes": 5, "length": 3},
    "networks.text_unet.TextUNet.*": lambda: {"x_t": points(2, 4, 4, 4), "cond": torch.tensor([[0, 1, 5], [2, 3, 4]])},
    "networks.mlp.BatchedLinear": lambda: {"members": 2, "in_dim": 2, "out_dim": 3},
    "networks.mlp.BatchedLinear.forward": lambda: {"x": points(1, 4, 2)},
    "networks.mlp.MLP": lambda: {"in_dim": 2, "out_dim": 1},
    "networks.mlp.fourier_features": lambda: {"octaves": 2},
    "networks.network.device_of": lambda: {"module": nn.Linear(1, 1)},
    "networks.packing.Packed": lambda: {"size": 2},
    "networks.spectral.power_iteration": lambda: {"u": points(4)},
    "networks.unet.UNet.forward": lambda: {"x_t": points(4, 1, 8, 8)},
    "networks.vae.PixelVAE": lambda: {"vae": INSTANCES["VAE"](), "pixels": INSTANCES["CausalPixels"]()},
    "networks.vae.*VAE.*": lambda: {"x": (points(3, 16) > 0).float(), "z": points(3, 2)},
    "objectives.adversarial.*": lambda: {"game": "relativistic", "u": torch.full((4,), 0.5), "real": -points()},
    "objectives.bound.*": lambda: {"mixture": mixture(), "schedule": schedules.LinearLogSNR(), "nodes": 3},
    "objectives.bound.bound_draws": lambda: {"t": torch.full((4,), 0.5)},
    "objectives.bound.continuous_bound": lambda: {"cells": 2},
    "objectives.bound.discrete_bound": lambda: {"levels": 3},
    "objectives.bound.noise_error": lambda: {"t": torch.tensor([0.5])},
    "objectives.classification.noisy_cross_entropy": lambda: {
        "classifier": lambda x, t: x,
        "labels": torch.zeros(len(points()), dtype=torch.int64),
    },
    "objectives.diffusion.ImportanceTimes": lambda: {"density": torch.tensor([1.0, 2.0])},
    "objectives.diffusion.ImportanceTimes.sample": lambda: {"shape": (4,)},
    "objectives.weights.bare_weight": lambda: {"name": "edm"},
    "objectives.weights.loss_weight": lambda: {"denoiser": learned(), "name": "edm"},
    "objectives.diffusion.diffusion_loss": lambda: {"denoiser": learned()},
    "objectives.distillation.*": lambda: {
        "student": lambda x, t: x,
        "target": lambda x, t: x,
        "teacher": exact(),
        "fake": exact(),
        "real": exact(),
        "middle": torch.tensor(0.45),
    },
    "objectives.gradient_penalties.*": lambda: {"real": -points(), "u": torch.full((4,), 0.5), "gradients": points()},
    "objectives.gradient_penalties.input_gradients": lambda: slopes(),
    "objectives.perceptual.perceptual_distance": lambda: {
        "features": lambda x: [x],
        "x": points(2, 3, 4, 4),
        "y": -points(2, 3, 4, 4),
    },
    "objectives.perceptual.balance": balanced,
    "objectives.score_matching.*": lambda: {"model": lambda x: -x, "score": -points()},
    "objectives.diffusion.sample_times": lambda: {"shape": (4,)},
    "objectives.variational.*": lambda: {"log_w": points()},
    "objectives.variational.elbo": lambda: {"model": INSTANCES["VAE"](), "x": torch.ones(3, 16)},
    "objectives.variational.log_weights": lambda: {"model": INSTANCES["VAE"](), "x": torch.ones(3, 16)},
    "parameterizations.add_more_noise": lambda: {"x_s": points()},
    "physics.fokker_planck.*": lambda: {"p": line()[1], "x": line()[0]},
    "physics.heat.discretise": lambda: {"log_prob": lambda x: -x.square().sum(-1)},
    "physics.heat.*": lambda: {"time": 0.1, "share": 0.1},
    "physics.heat.reverse_walk": lambda: {"score": lambda x, t: -x, "times": torch.tensor([0.2, 0.1])},
    "physics.runge_kutta.*": lambda: {
        "slope": lambda u, y: -y,
        "grid": torch.tensor([0.0, 0.5, 1.0]),
        "start": 0.0,
        "stop": 1.0,
    },
    "recipes.get": lambda: {"name": "classifier"},
    "recipes.classifier.accuracy": lambda: {"model": Classifier()},
    "recipes.encoder.neighbour_accuracy": lambda: {"model": Encoder()},
    "samplers.ddim_family.*": a_step,
    "samplers.churn.churned": lambda: {"churn": 0.1, "noise": samplers.gaussian(generator())},
    "samplers.exponential.step_means": lambda: {"h": torch.tensor(0.7), "order": 3},
    "samplers.exponential.weights": lambda: {
        "places": torch.tensor([0.0, -1.0]),
        "means": torch.tensor([1.0, 0.6]),
    },
    "samplers.optimised_times.optimise_times": lambda: {
        "step": samplers.ddim(0.0),
        "target": points() / 2,
        "rounds": 2,
    },
    "samplers.inpainting.inpaint": lambda: {"noise": None},
    "samplers.langevin.langevin": lambda: {"h": 0.1, "noise": None},
    "samplers.langevin.stationary_variance": lambda: {"variance": 1.0, "h": 0.1},
    "samplers.langevin.ladder": lambda: {"levels": 3, "schedule": schedules.VE()},
    "samplers.ode.*": a_step,
    "samplers.sde.predictor_corrector": lambda: {"step": samplers.ancestral},
    "samplers.walk.*": lambda: {"step": samplers.ancestral, "shape": (4, 2)},
    "samplers.walk.noise_of": lambda: {"noise": None},
    "schedules.changed.resolution_shift": lambda: {"side": 32},
    "schedules.changed.Shifted": lambda: {"shift": -1.0},
    "schedules.tables.*": lambda: {"betas": schedules.linear_betas(100)},
    "schedules.tables.*_betas": lambda: {"steps": 100},
    "training.ema.EMA": lambda: {"model": nn.Linear(1, 1)},
    "training.gan.fit_gan": lambda: {
        "generator_net": mlp.MLP(2, 2, 4),
        "real": points,
        "noise": points,
    },
    "training.loop.loop": lambda: {"update": float},
    "training.loop.fit": lambda: one_weight(),
    "training.optimizers.*": lambda: {"parameters": [nn.Parameter(points())], "matrix": points()},
    "training.optimizers.muon_and_adamw": lambda: inner_weight(),
    "training.places.*": lambda: {"out": new_place("runs"), "checkpoint": new_place("x.safetensors")},
    "training.run.*": lambda: {"out": new_place("runs")},
}
"""By door, or a pattern of doors: right values, where its parameters' names do not tell them."""


def slopes() -> dict[str, Any]:
    x = points().requires_grad_()
    return {"x": x, "logits": x.sum(-1)}


def one_weight() -> dict[str, Any]:
    model = nn.Linear(2, 1)
    return {"model": model, "loss": lambda: model(points()).square().mean()}


def inner_weight() -> dict[str, Any]:
    model = nn.Linear(2, 1)
    return {"model": model, "inside": [model.weight]}
