"""`bits-per-dimension`: from the log-density of pictures to bits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def bits(log_density: Tensor, d: int, low: float, high: float) -> Tensor:
    """Bits per dimension from log p in nats (B,), for pictures of d bytes."""
    cell = (high - low) / 256
    return -(log_density / d + math.log(cell)) / math.log(2)


def _examine(answer: Answer) -> None:
    for d, low, high in ((784, -1.0, 1.0), (12, 0.0, 1.0)):
        log_density = torch.tensor([650.0, -100.0, 1500.0], dtype=torch.float64) * d / 784
        value, right = answer(log_density, d, low, high), bits(log_density, d, low, high)
        two, cell = math.log(2), math.log((high - low) / 256)
        named = {
            "the size of a cell is not in it: a density is per unit of x, and a byte's share is p·Δᵈ.": -log_density
            / d
            / two,
            "log Δ has the wrong sign. A cell holds the probability p·Δᵈ.": -(log_density / d - cell) / two,
            "those are nats: divide by log 2.": right * two,
            "those are the bits of a whole picture: divide by d.": right * d,
            "log Δ is counted once. A picture's cell has the volume Δᵈ, one Δ for each pixel.": -(log_density + cell)
            / d
            / two,
            "the sign is turned: likely pictures cost few bits.": -right,
            "Δ is (high − low)/255: that is the spacing of 256 points, and 256 cells are narrower.": -(
                log_density / d + math.log((high - low) / 255)
            )
            / two,
        }
        if not same(value, right, tolerance=1e-5):
            diagnose(
                value,
                named.items(),
                "try it on a uniform density: log p = −d·log(high − low) has to give exactly 8.",
                near=lambda a, b: same(a, b, tolerance=1e-5),
            )


def _trial(g: torch.Generator) -> Trial:
    low = uniform(g, -2, 2)
    log_density = 500 * torch.randn(5, generator=g, dtype=torch.float64)
    return Trial((log_density, int(torch.randint(2, 1000, (), generator=g)), low, low + uniform(g, 0.5, 4)))


EXERCISE = Exercise(
    id="bits-per-dimension",
    chapter="08_score_sde",
    examine=_examine,
    solution=bits,
    mistakes=(
        Mistake(lambda p, d, a, b: -p / d / math.log(2), "size of a cell is not in it"),
        Mistake(lambda p, d, a, b: -(p / d - math.log((b - a) / 256)) / math.log(2), "wrong sign"),
        Mistake(lambda p, d, a, b: -(p / d + math.log((b - a) / 256)), "those are nats"),
        Mistake(lambda p, d, a, b: bits(p, d, a, b) * d, "a whole picture"),
        Mistake(lambda p, d, a, b: -(p + math.log((b - a) / 256)) / d / math.log(2), "counted once"),
        Mistake(lambda p, d, a, b: -bits(p, d, a, b), "sign is turned"),
        Mistake(lambda p, d, a, b: -(p / d + math.log((b - a) / 255)) / math.log(2), "narrower"),
    ),
    praise="your figure no longer depends on the unit in which pixels are measured.",
    trial=_trial,
)
