"""`lipschitz-penalty`: WGAN-GP's penalty, which asks a critic for slopes of 1."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial

Critic = Callable[[Tensor], Tensor]


def lipschitz_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    u: Tensor,
) -> Tensor:
    """E(‖∇f(x̂)‖ − 1)² at x̂ between points (B, 2), with u (B, 1): a scalar."""
    x = (u * real + (1 - u) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    real = torch.randn(64, 2, generator=g, dtype=torch.float64)
    fake = 2 + torch.randn(64, 2, generator=g, dtype=torch.float64)
    u = torch.rand(64, 1, generator=g, dtype=torch.float64)
    c = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    value = answer(lambda x: c * x.square().sum(dim=1, keepdim=True) / 2, real, fake, u)  # ∇f(x) = c·x
    slope = c.detach()
    gradient = slope * (u * real + (1 - u) * fake)
    norm = gradient.norm(dim=1)
    named = {
        "you punish only slopes above 1. That is the one-sided penalty; this one pulls up slopes below 1 too.": (
            (norm - 1).clamp_min(0).square().mean()
        ),
        "the square is missing: slopes above 1 and below 1 cancel.": (norm - 1).mean(),
        "you look at the real points only. Look between the two: x̂ = u·real + (1 − u)·fake.": (
            ((slope * real).norm(dim=1) - 1).square().mean()
        ),
        "you look at the generated points only. Look between the two: x̂ = u·real + (1 − u)·fake.": (
            ((slope * fake).norm(dim=1) - 1).square().mean()
        ),
        "you pull the norm to 0. That is R₁'s target; here it is 1.": norm.square().mean(),
        "you pull each partial derivative to 1. It is the norm of the whole gradient that should be 1.": (
            (gradient - 1).square().mean()
        ),
        "you average over the coordinates too, instead of taking the norm.": (
            (gradient.square().mean(dim=1).sqrt() - 1).square().mean()
        ),
        "you compare the squared norm with 1. Compare the norm, and square the difference.": (
            (norm.square() - 1).square().mean()
        ),
        "you differentiate the mean over the batch, so that each gradient is 1/B of what it is. Sum first.": (
            (norm / len(real) - 1).square().mean()
        ),
        "real and fake have changed places: u = 1 is the real point.": (
            ((slope * ((1 - u) * real + u * fake)).norm(dim=1) - 1).square().mean()
        ),
        "you sum over the points: take the mean.": (norm - 1).square().sum(),
        "you average the norms before you square. Each point has a deviation of its own.": (norm.mean() - 1).square(),
        "that norm runs over the points. Each point has a norm of its own, over its coordinates.": (
            (gradient.norm(dim=0) - 1).square().mean()
        ),
        "the square is an absolute value.": (norm - 1).abs().mean(),
        "you look half-way between the points. Use the u that you are given.": (
            ((slope * (real + fake) / 2).norm(dim=1) - 1).square().mean()
        ),
    }
    if same(value, (norm - 1).square().mean()):
        if not value.requires_grad:
            raise Wrong(
                "the number is right, but the critic cannot learn from it. Use create_graph=True, and do not detach."
            )
        return
    diagnose(
        value,
        named.items(),
        f"for f(x) = 0.35·‖x‖² the penalty is {float((norm - 1).square().mean()):.4f}, yours "
        f"{float(value.detach()):.4f}.",
    )


def _penalty_with(
    change: Callable[[Tensor], Tensor], *, where: str = "between", mean: bool = False, graph: bool = True
) -> Answer:
    def answer(critic: Critic, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        x = {"between": u * real + (1 - u) * fake, "real": real.clone(), "swapped": (1 - u) * real + u * fake}[where]
        x = x.requires_grad_()
        out = critic(x).mean() if mean else critic(x).sum()
        (gradient,) = torch.autograd.grad(out, x, create_graph=graph)
        return change(gradient)

    return answer


def _to_one(gradient: Tensor) -> Tensor:
    return (gradient.norm(dim=1) - 1).square().mean()


def _trial(g: torch.Generator) -> Trial:
    real, fake, slopes = (torch.randn(shape, generator=g) for shape in ((20, 2), (20, 2), (2, 3)))
    slopes.requires_grad_()
    return Trial((lambda x: (x @ slopes).sin().sum(1, keepdim=True), real, fake, torch.rand(20, 1, generator=g)))


EXERCISE = Exercise(
    id="lipschitz-penalty",
    chapter="02_gan",
    examine=_examine,
    solution=lipschitz_penalty,
    mistakes=(
        Mistake(_penalty_with(lambda g: (g.norm(dim=1) - 1).clamp_min(0).square().mean()), "one-sided"),
        Mistake(_penalty_with(lambda g: (g.norm(dim=1) - 1).mean()), "square is missing"),
        Mistake(_penalty_with(_to_one, where="real"), "real points only"),
        Mistake(_penalty_with(lambda g: g.square().sum(1).mean()), "R₁'s target"),
        Mistake(_penalty_with(lambda g: (g - 1).square().mean()), "each partial derivative"),
        Mistake(_penalty_with(lambda g: (g.square().mean(1).sqrt() - 1).square().mean()), "over the coordinates"),
        Mistake(_penalty_with(lambda g: (g.square().sum(1) - 1).square().mean()), "squared norm with 1"),
        Mistake(_penalty_with(_to_one, mean=True), "1/B"),
        Mistake(_penalty_with(_to_one, where="swapped"), "changed places"),
        Mistake(_penalty_with(_to_one, graph=False), "create_graph"),
        Mistake(_penalty_with(lambda g: (g.norm(dim=1) - 1).square().sum()), "sum over the points"),
        Mistake(_penalty_with(lambda g: (g.norm(dim=1).mean() - 1).square()), "before you square"),
        Mistake(_penalty_with(lambda g: (g.norm(dim=0) - 1).square().mean()), "runs over the points"),
        Mistake(_penalty_with(lambda g: (g.norm(dim=1) - 1).abs().mean()), "an absolute value"),
        Mistake(lambda f, r, k, u: lipschitz_penalty(f, r, k, 0 * u + 0.5), "half-way"),
    ),
    praise="a critic of slope 1 between the points measures how far apart they are.",
    trial=_trial,
)
