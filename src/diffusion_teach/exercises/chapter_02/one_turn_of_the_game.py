"""`one-turn-of-the-game`: one turn of the Dirac GAN, the discriminator first."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def turn(theta: Tensor, psi: Tensor, rate: float) -> Tensor:
    """(θ, ψ) after one turn, the discriminator first: numbers in, a tensor (2,) out."""
    psi = psi - rate * theta
    theta = theta + rate * psi
    return torch.stack([theta, psi])


def _examine(answer: Answer) -> None:
    theta, psi = torch.tensor([0.8, -0.5], dtype=torch.float64)
    rate = 0.3
    value = answer(theta, psi, rate)
    right = turn(theta, psi, rate)
    near = functools.partial(same, tolerance=1e-5)
    if near(value, right):
        return
    generator_first = theta + rate * psi
    named: dict[str, Sequence[Tensor]] = {
        "both players step from the same place. That is the simultaneous game, which spins outwards; the generator has "
        "to see the discriminator's new ψ.": (theta + rate * psi, psi - rate * theta),
        "the generator steps first. Here the discriminator does, and the generator answers.": (
            generator_first,
            psi - rate * generator_first,
        ),
        "both signs are turned: each player climbs its loss.": (
            theta - rate * (psi + rate * theta),
            psi + rate * theta,
        ),
        "the generator climbs its loss: it goes down −ψθ, whose slope in θ is −ψ.": (
            theta - rate * (psi - rate * theta),
            psi - rate * theta,
        ),
        "the discriminator climbs its loss: it goes down +ψθ, whose slope in ψ is +θ.": (
            theta + rate * (psi + rate * theta),
            psi + rate * theta,
        ),
        "you return (ψ, θ). The generator comes first: (θ, ψ).": (right[1], right[0]),
        "only the discriminator has moved.": (theta, psi - rate * theta),
        "only the generator has moved.": (theta + rate * psi, psi),
        "the learning rate is missing: you take each slope whole.": (psi, psi - theta),
        "that is where two turns lead. Take one.": turn(right[0], right[1], rate).unbind(),
    }
    diagnose(
        value,
        ((diagnosis, torch.stack(list(wrong))) for diagnosis, wrong in named.items()),
        f"from θ = 0.8, ψ = −0.5 with η = 0.3 you come to θ = {float(value[0]):.4g}, ψ = {float(value[1]):.4g}; the "
        f"new ψ is {float(right[1]):.4g}, and with it θ becomes {float(right[0]):.4g}.",
        near=near,
    )


def _simultaneous(theta: Tensor, psi: Tensor, rate: float) -> Tensor:
    return torch.stack([theta + rate * psi, psi - rate * theta])


def _generator_first(theta: Tensor, psi: Tensor, rate: float) -> Tensor:
    theta = theta + rate * psi
    return torch.stack([theta, psi - rate * theta])


def _two_turns(theta: Tensor, psi: Tensor, rate: float) -> Tensor:
    theta, psi = turn(theta, psi, rate)
    return turn(theta, psi, rate)


def _trial(g: torch.Generator) -> Trial:
    theta, psi = torch.randn(2, generator=g)
    return Trial((theta, psi, uniform(g, 0.1, 0.9)))


EXERCISE = Exercise(
    id="one-turn-of-the-game",
    chapter="02_gan",
    examine=_examine,
    solution=turn,
    mistakes=(
        Mistake(_simultaneous, "spins outwards"),
        Mistake(_generator_first, "the generator steps first"),
        Mistake(lambda t, p, r: torch.stack([t - r * (p + r * t), p + r * t]), "both signs"),
        Mistake(lambda t, p, r: turn(t, p, r).flip(0), "you return (ψ, θ)"),
        Mistake(lambda t, p, r: torch.stack([t, p - r * t]), "only the discriminator"),
        Mistake(lambda t, p, r: torch.stack([t + r * p, p]), "only the generator"),
        Mistake(lambda t, p, r: torch.stack([t - r * (p - r * t), p - r * t]), "the generator climbs"),
        Mistake(lambda t, p, r: torch.stack([t + r * (p + r * t), p + r * t]), "the discriminator climbs"),
        Mistake(lambda t, p, r: turn(t, p, 1.0), "rate is missing"),
        Mistake(_two_turns, "two turns"),
    ),
    praise="who moves first matters: this order stays on an ellipse, where the simultaneous one spins out.",
    trial=_trial,
)
