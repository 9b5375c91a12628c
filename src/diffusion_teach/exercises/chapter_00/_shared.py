"""What the exercises of chapter 0 share."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import Answer, Mistake


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def mistakes(*tables: tuple[tuple[Answer, str], ...]) -> tuple[Mistake, ...]:
    return tuple(Mistake(wrong, diagnosis) for table in tables for wrong, diagnosis in table)


def drawn(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator)


def is_rand(noise: Tensor) -> bool:
    """Whether numbers that are not negative are spread as those of `rand` are, whatever their scale."""
    return math.isclose(float(noise.std() / noise.mean()), 1 / math.sqrt(3), rel_tol=0.05)
