"""Every public function of the library, and how it is called rightly: what `test_hostile_input` changes one at a time.

A door is a public function, constructor or method of a module below `diffusion_teach`, found by looking. A right value
for each of its parameters is what EXAMPLES says of the door, else of the parameter's name, else its default.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

import diffusion_teach
from diffusion_teach import checkpoints, denoisers, recipes, samplers, schedules
from diffusion_teach.datasets import mnist
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.exact.probabilistic_pca import ProbabilisticPCA
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.modes import mode_coverage
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.networks import autoregressive, flow, mlp, spectral, vae
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.encoder import Encoder
from diffusion_teach.networks.gan import GAN, Discriminator, Generator
from diffusion_teach.networks.hierarchical_vae import HierarchicalVAE
from diffusion_teach.networks.packing import Packed
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.objectives.diffusion import ImportanceTimes
from diffusion_teach.training import EMA
from diffusion_teach.training.optimizers import Muon

BARE = {
    "papers": "in the papers' letters, short, as its docstring says",
    "cli": "the command line: tests/cli",
    "claims": "tables of the chapters: tests/test_claims.py",
    "exercises": "learners' answers: tests/test_exercise_battery.py",
    "studies": "programs with stored results: tests/studies",
    "plots": "figures: tests/plots",
    "training.distributed": "the engine of training.run, which checks what it hands on",
    "training.resume": "the same",
    "training.session": "the same",
    "networks.unet.ChannelNorm": "a part of UNet, which checks what enters",
    "networks.unet.ResidualBlock": "the same",
    "networks.unet.DenseBlock": "the same",
    "recipes.diffusion": "recipes are handed on by training.run, and stated by whoever writes one: tests/recipes",
    "recipes.classifier.ClassifierRecipe": "the same",
    "recipes.digits": "the same",
    "recipes.encoder.EncoderRecipe": "the same",
    "recipes.gan": "the same",
    "recipes.likelihood": "the same",
    "recipes.vae": "the same",
    "training.recipe": "the same",
    "*.check_*": "a check, tried through whoever calls it",
    "metrics.neighbours.flattened": "the same",
    "metrics.neighbours.more_than": "the same",
    "schedules.*.log_alpha": "what a schedule states; who asks it asks `alpha`, which checks",
    "schedules.*.log_sigma": "the same",
}
"""Modules, classes and functions that are not tried here, and why."""
SLOW = ("metrics.evaluation.evaluate*", "metrics.frechet.floor", "metrics.stacked_modes.evaluate", "recipes.*accuracy")
SLOW += ("training.run.train*",)
"""What takes seconds: only what it refuses at the door is tried."""


@dataclass(frozen=True)
class Door:
    """Something public that can be called: its name below `diffusion_teach`, what is called, and the class it is of."""

    name: str
    function: Callable[..., Any]
    of: type | None = None

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Those that a caller gives, by name."""
        found = dict(inspect.signature(self.function).parameters)
        found.pop("self", None)
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {name: p for name, p in found.items() if p.kind not in variadic}

    @cached_property
    def examples(self) -> list[Callable[[], dict[str, Any]]]:
        """What EXAMPLES says of it, from the widest pattern to its own name."""
        return [example for pattern, example in EXAMPLES.items() if fnmatch(self.name, pattern)]

    def right(self) -> dict[str, Any]:
        """Right values for all parameters, fresh ones each time.

        Raises:
            LookupError: a parameter has none.
        """
        torch.manual_seed(0)
        said = {name: value for example in self.examples for name, value in example().items()}
        values = {}
        for name, parameter in self.parameters.items():
            if name in said:
                values[name] = said[name]
            elif parameter.default is not inspect.Parameter.empty:
                values[name] = parameter.default
            elif name in SHARED:
                values[name] = SHARED[name]()
            else:
                raise LookupError(f"{self.name} has a parameter {name!r} without a right value: add one to EXAMPLES.")
        return values

    def call(self, arguments: Mapping[str, Any]) -> Any:
        """Call it with the same random numbers each time; what it yields is collected."""
        torch.manual_seed(0)
        if self.of is not None and self.function is not self.of:
            function = getattr(INSTANCES[self.of.__name__](), self.function.__name__)
        else:
            function = self.function
        result = function(**arguments)
        return list(result) if inspect.isgenerator(result) else result


def doors() -> Iterator[Door]:
    """All of them, in the order of their modules."""
    for found in pkgutil.walk_packages(diffusion_teach.__path__, "diffusion_teach."):
        module = found.name.removeprefix("diffusion_teach.")
        if _private(module) or _bare(module):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            door = f"{module}.{name}"
            if name.startswith("_") or getattr(value, "__module__", None) != found.name or _bare(door):
                continue
            if inspect.isfunction(value):
                yield Door(door, value)
            elif inspect.isclass(value) and not _only_holds(value):
                yield from (door for door in _of_class(door, value) if not _bare(door.name))


def _of_class(door: str, kind: type) -> Iterator[Door]:
    if "__init__" in vars(kind) and not inspect.isabstract(kind):
        yield Door(door, kind, kind)
    for name, method in vars(kind).items():
        method = getattr(method, "__wrapped__", method)
        abstract = getattr(method, "__isabstractmethod__", False)
        if inspect.isfunction(method) and not abstract and (not name.startswith("_") or name == "__call__"):
            yield Door(f"{door}.{name}", method, kind)


def _private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


def _bare(door: str) -> bool:
    return any(fnmatch(door, pattern) or fnmatch(door, f"{pattern}.*") for pattern in BARE)


def _only_holds(kind: type) -> bool:
    """What the library found is held by tuples and dataclasses that check nothing; protocols and errors do nothing."""
    holds = issubclass(kind, tuple) or (is_dataclass(kind) and not hasattr(kind, "__post_init__"))
    return holds or issubclass(kind, Exception) or getattr(kind, "_is_protocol", False)


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


def pca() -> ProbabilisticPCA:
    return ProbabilisticPCA(points(2, 1), torch.zeros(2), 0.5)


def line() -> tuple[torch.Tensor, torch.Tensor]:
    """A grid and a density on it."""
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    return x, torch.distributions.Normal(0.0, 1.0).log_prob(x).exp()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


INSTANCES: Mapping[str, Callable[[], Any]] = {
    "AffineCoupling": lambda: flow.AffineCoupling(2, flip=False, width=4),
    "BatchedLinear": lambda: mlp.BatchedLinear(1, 2, 3),
    "CausalPixels": lambda: autoregressive.CausalPixels(4, 1, 1, 4, 1),
    "Classifier": Classifier,
    "Conditioned": lambda: denoisers.Conditioned(labelled(), torch.tensor([0, 1, 2, 3])),
    "Cosine": schedules.Cosine,
    "Cut": lambda: schedules.Cut(schedules.VP()),
    "Denoiser": labelled,
    "Discrete": lambda: schedules.Discrete(schedules.linear_betas(100)),
    "Discriminator": lambda: Discriminator(dense=4),
    "EDM": schedules.EDM,
    "EMA": lambda: EMA(nn.Linear(1, 1)),
    "Empirical": lambda: Empirical(points()),
    "Encoder": Encoder,
    "Exact": exact,
    "FlowMatching": schedules.FlowMatching,
    "GAN": lambda: GAN(dense=4),
    "Game": lambda: Game(name="relativistic", r1=0.1, gp=0.1),
    "GaussianMixture": mixture,
    "Generator": lambda: Generator(dense=4),
    "Guided": lambda: denoisers.Guided(exact(), exact(), 1.0),
    "ImportanceTimes": lambda: ImportanceTimes(torch.tensor([1.0, 2.0])),
    "HierarchicalVAE": lambda: HierarchicalVAE((2, 1), 4, 16, inner=4),
    "Learned": labelled,
    "LinearLogSNR": schedules.LinearLogSNR,
    "MLP": lambda: mlp.MLP(2, 1, 4),
    "Muon": lambda: Muon([nn.Parameter(points())]),
    "Packed": lambda: Packed(mlp.MLP(4, 1, 4), 2),
    "Observed": lambda: denoisers.Observed(exact(), torch.neg, points(), 0.5),
    "PixelVAE": lambda: vae.PixelVAE(vae.VAE(2, 4, 16), autoregressive.CausalPixels(4, 1, 1, 4, 1)),
    "ProbabilisticPCA": pca,
    "Rescaled": lambda: denoisers.Rescaled(labelled(), schedules.Cosine()),
    "RealNVP": lambda: flow.RealNVP(2, 2, 4),
    "Sampling": lambda: Sampling("ddim", 3),
    "Schedule": schedules.VP,
    "Shifted": lambda: schedules.Shifted(schedules.VP(), -1.0),
    "Sigmoid": schedules.Sigmoid,
    "SpectralNorm": lambda: spectral.SpectralNorm(points()),
    "SubVP": schedules.SubVP,
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


SHARED: Mapping[str, Callable[[], Any]] = {
    "a": points,
    "alpha": lambda: 0.8,
    "away": exact,
    "b": lambda: -points(),
    "between": lambda: (-2.0, 2.0),
    "card": lambda: checkpoints.card("classifier"),
    "cond": lambda: torch.tensor([0, 1, 2, 3]),
    "context": lambda: points(3, 16),
    "count": lambda: 2,
    "cov_a": lambda: torch.eye(2),
    "cov_b": lambda: torch.eye(2),
    "denoiser": exact,
    "device": lambda: torch.device("cpu"),
    "discriminator": lambda: mlp.MLP(2, 1, 4),
    "distance": lambda: points(3).abs(),
    "eps": points,
    "fake": lambda: -points(),
    "found": lambda: torch.arange(20),
    "generated": lambda: -points(6, 2),
    "generator": generator,
    "images": images,
    "ink": lambda: torch.full((4, 4), 1 / 16),
    "judge": lambda: "classifier",
    "k": lambda: 2,
    "known": lambda: torch.tensor([[True, False]]),
    "labels": lambda: torch.tensor([0, 1, 1, 2]),
    "like": points,
    "log_snr": lambda: points(4),
    "log_variance": points,
    "lr": lambda: 0.1,
    "mean": points,
    "mean_a": lambda: torch.zeros(2),
    "mean_b": lambda: torch.ones(2),
    "means": points,
    "model": labelled,
    "n": lambda: 3,
    "name": lambda: "v",
    "network": lambda: nn.Linear(2, 2),
    "noise": lambda: 0.5,
    "point": points,
    "points": lambda: points(6, 2),
    "rate": lambda: 0.1,
    "real": lambda: points(6, 2),
    "recipe": lambda: recipes.get("classifier"),
    "samples": lambda: points(8, 2),
    "schedule": schedules.VP,
    "score": lambda: torch.neg,
    "shares": lambda: torch.full((4,), 0.25),
    "sigma": lambda: 0.5,
    "state": lambda: {"weight": points()},
    "step": lambda: 1,
    "steps": lambda: 3,
    "t": lambda: torch.tensor(0.5),
    "s": lambda: torch.tensor(0.4),
    "test": lambda: points(5, 2),
    "times": lambda: torch.tensor([1.0, 0.5, 0.0]),
    "towards": exact,
    "variances": lambda: torch.ones(3),
    "wall": lambda: 5.0,
    "weight": points,
    "x": points,
    "x_t": points,
    "x_g": lambda: -points(),
    "x0": points,
    "y": points,
    "z": lambda: points(4, 1),
}
"""By the name of a parameter: a right value, where EXAMPLES says no other."""


def a_step() -> dict[str, Any]:
    return {"state": None, "noise": samplers.gaussian(generator())}


EXAMPLES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "checkpoints.architectures.build": lambda: {"architecture": {"kind": "classifier"}},
    "checkpoints.architectures.shapes": lambda: {"architecture": {"kind": "classifier"}},
    "checkpoints.files.*": lambda: {"name": "classifier"},
    "checkpoints.files.difference": lambda: {"expected": {"w": points()}, "found": {"w": points()}},
    "checkpoints.files.restate": lambda: {"name": new_place("x.safetensors", True), "metrics": {}},
    "checkpoints.files.save": lambda: {"name": "mine", "folder": new_place("runs")},
    "datasets.augmentation.*": lambda: {"x": images()},
    "datasets.mnist.*": lambda: {"images": mnist.to_uint8(images()), "x": images()},
    "datasets.stacked_mnist.*": lambda: {
        "digits": torch.tensor([[1, 2, 3]]),
        "images": mnist.to_uint8(images()),
        "rows": torch.tensor([[0, 1, 2]]),
    },
    "datasets.stacked_mnist.strip": lambda: {"images": images(2, 3)},
    "datasets.toy2d.unit_spread": lambda: {"mixture": mixture()},
    "denoisers.exact.Exact": lambda: {"distribution": mixture()},
    "denoisers.guided.Guided": lambda: {"guidance": 1.0},
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
    "exact.observation.observed": lambda: {
        "mixture": mixture(),
        "matrix": points(3, 2),
        "y": torch.zeros(3),
        "std": 0.5,
    },
    "exact.probabilistic_pca.ProbabilisticPCA": lambda: {"weights": points(2, 1), "offset": torch.zeros(2)},
    "exact.probabilistic_pca.ProbabilisticPCA.elbo": lambda: {"mean": points(4, 1), "covariance": torch.eye(1)},
    "generate.*": lambda: {"sampling": Sampling("ddim", 2), "frames": 2},
    "generate.Sampling.times": lambda: {"schedule": schedules.VP()},
    "likelihood.*": lambda: {"t_min": 0.01, "steps": 4, "times": torch.tensor([0.9, 0.5, 0.1])},
    "likelihood.bits_per_dimension": lambda: {"log_density": points(4), "dimensions": 2, "low": -1.0, "high": 1.0},
    "likelihood.dequantise": lambda: {"images": torch.tensor([[0, 255]]), "low": -1.0, "high": 1.0},
    "metrics.cost.counted": lambda: {"draw": points},
    "metrics.evaluation.averaged": lambda: {"measure": lambda how: {"seed": how.seed}, "repeats": 1},
    "metrics.evaluation.evaluate_images": lambda: {"images": images(100)},
    "metrics.evaluation.illegible": lambda: {"logits": points(3, 10)},
    "metrics.features.in_batches": lambda: {"compute": torch.neg, "x": images()},
    "metrics.features.predict": lambda: {"model": Classifier(), "x": images()},
    "metrics.features.of_training_images": lambda: {"rows": torch.tensor([0, 1])},
    "metrics.frechet.gaussian_fit": lambda: {"features": points()},
    "metrics.frechet.leading_order_bias": lambda: {"eigenvalues": torch.ones(2)},
    "metrics.modes.kl_floor": lambda: {"modes": 8},
    "metrics.modes.mode_coverage": lambda: {"centres": points(3, 2), "std": 0.5},
    "metrics.modes.expected*": lambda: {"samples": 10},
    "metrics.parzen.estimate": lambda: {"validation": points(7, 2), "sigmas": (1e-3, 0.5, 1e3)},
    "metrics.spoilt.*": lambda: {"x": images(), "known": 3},
    "metrics.stacked_modes.*": lambda: {"images": images(2, 3), "sampling": Sampling()},
    "metrics.transport.null_value": lambda: {"distance": lambda a, b: 0.0},
    "metrics.transport.wasserstein_null": lambda: {"points": points(9)},
    "metrics.watch.Watch": lambda: {"measure": lambda x: x},
    "metrics.watch.Watch.look": lambda: {"loss": 0.5, "draw": lambda n, g: points(1, 4, 2)},
    "networks.autoregressive.CausalPixels.*": lambda: {"x": (points(3, 16) > 0).float()},
    "networks.[ce]*er.*": lambda: {"x": images()},
    "networks.flow.AffineCoupling": lambda: {"dim": 2, "flip": True},
    "networks.flow.RealNVP.inverse": lambda: {"z": points()},
    "networks.gan.Discriminator.*": lambda: {"x": images()},
    "networks.gan.Generator.*": lambda: {"z": points(3, 64)},
    "networks.hierarchical_vae.HierarchicalVAE.*": lambda: {"x": (points(3, 16) > 0).float(), "z": points(3, 2)},
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
    "objectives.diffusion.ImportanceTimes": lambda: {"density": torch.tensor([1.0, 2.0])},
    "objectives.diffusion.ImportanceTimes.sample": lambda: {"shape": (4,)},
    "objectives.weights.bare_weight": lambda: {"name": "edm"},
    "objectives.weights.loss_weight": lambda: {"denoiser": learned(), "name": "edm"},
    "objectives.diffusion.diffusion_loss": lambda: {"denoiser": learned()},
    "objectives.gradient_penalties.*": lambda: {"real": -points(), "u": torch.full((4,), 0.5), "gradients": points()},
    "objectives.gradient_penalties.input_gradients": lambda: slopes(),
    "objectives.score_matching.*": lambda: {"model": lambda x: -x, "score": -points()},
    "objectives.diffusion.sample_times": lambda: {"shape": (4,)},
    "objectives.variational.*": lambda: {"log_w": points()},
    "objectives.variational.elbo": lambda: {"model": INSTANCES["VAE"](), "x": torch.ones(3, 16)},
    "objectives.variational.log_weights": lambda: {"model": INSTANCES["VAE"](), "x": torch.ones(3, 16)},
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
    "training.run.*": lambda: {"out": new_place("runs"), "checkpoint": new_place("x.safetensors")},
}
"""By door, or a pattern of doors: right values that differ from `shared`."""


def slopes() -> dict[str, Any]:
    x = points().requires_grad_()
    return {"x": x, "logits": x.sum(-1)}


def one_weight() -> dict[str, Any]:
    model = nn.Linear(2, 1)
    return {"model": model, "loss": lambda: model(points()).square().mean()}


def inner_weight() -> dict[str, Any]:
    model = nn.Linear(2, 1)
    return {"model": model, "inside": [model.weight]}


PLACES = tempfile.TemporaryDirectory()
"""What `new_place` makes lies here, until the tests end."""


def new_place(name: str, made: bool = False) -> Path:
    """A path in a new folder, with a checkpoint there where `made`."""
    place = Path(tempfile.mkdtemp(dir=PLACES.name)) / name
    if made:
        checkpoints.save(place.stem, {"weight": points()}, checkpoints.card("classifier"), folder=place.parent)
    return place
