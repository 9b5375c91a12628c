"""A right value for a parameter by its name alone, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from diffusion_teach import checkpoints, recipes, schedules
from diffusion_teach.networks import mlp
from diffusion_teach.networks.autoencoder import Autoencoder
from tests.doors.values import exact, generator, images, labelled, points

PARAMETERS: Mapping[str, Callable[[], Any]] = {
    "a": points,
    "alpha": lambda: 0.8,
    "autoencoder": lambda: Autoencoder((8, 8), image_size=16),
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
