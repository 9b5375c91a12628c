"""`r1-penalty`: R₁, the gradient penalty at real points."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform

Discriminator = Callable[[Tensor], Tensor]


def r1(
    discriminator: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    gamma: float,
) -> Tensor:
    """γ/2 · E‖∇D‖² at real points (B, 2)."""
    x = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gamma / 2 * gradient.square().sum(dim=1).mean()


def _quadratic(c: Tensor) -> Discriminator:
    """D(x) = c·‖x‖²/2, whose gradient is c·x."""
    return lambda x: c * x.square().sum(dim=1, keepdim=True) / 2


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    real = torch.randn(64, 2, generator=g, dtype=torch.float64)
    fake = 3 + torch.randn(64, 2, generator=g, dtype=torch.float64)
    c = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    gamma = 0.4
    value = answer(_quadratic(c), real, fake, gamma)
    slope = c.detach()
    square, norm = (slope * real).square().sum(1), (slope * real).norm(dim=1)
    on_fake = (slope * fake).square().sum(1).mean()
    named = {
        "the factor ½ is missing: R₁ = γ/2 · E‖∇D‖².": gamma * square.mean(),
        "you average the norm; R₁ averages its square.": gamma / 2 * norm.mean(),
        "you penalise generated points. That is R₂; R₁ looks at real ones.": gamma / 2 * on_fake,
        "you differentiate the mean over the batch, so each gradient is 1/B of what it is. Sum the outputs first: the "
        "output at a point depends on no other point.": gamma / 2 * square.mean() / len(real) ** 2,
        "you average over the coordinates too. ‖∇D‖² is their sum.": gamma / 2 * square.mean() / 2,
        "you pull the norm to 1. That is WGAN-GP's penalty; R₁ pulls it to 0.": gamma / 2 * (norm - 1).square().mean(),
        "γ is missing.": square.mean() / 2,
    }
    if same(value, gamma / 2 * square.mean()):
        if not value.requires_grad:
            raise Wrong(
                "the number is right, but nothing can learn from it: the discriminator's weights have no gradient. Use "
                "create_graph=True, and do not detach."
            )
        return
    diagnose(
        value,
        named.items(),
        f"for D(x) = 0.85·‖x‖² the penalty of these points is {float(gamma / 2 * square.mean()):.4f}, yours is "
        f"{float(value.detach()):.4f}.",
    )


def _r1_with(change: Callable[[Tensor], Tensor], *, on_fake: bool = False, graph: bool = True) -> Answer:
    def answer(discriminator: Discriminator, real: Tensor, fake: Tensor, gamma: float) -> Tensor:
        x = (fake if on_fake else real).clone().requires_grad_()
        (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=graph)
        return gamma / 2 * change(gradient)

    return answer


def _mistaken_mean_gradient(discriminator: Discriminator, real: Tensor, fake: Tensor, gamma: float) -> Tensor:
    x = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x).mean(), x, create_graph=True)
    return gamma / 2 * gradient.square().sum(dim=1).mean()


def _trial(g: torch.Generator) -> Trial:
    real, fake, slopes = (torch.randn(shape, generator=g) for shape in ((20, 2), (20, 2), (2, 3)))
    slopes.requires_grad_()
    return Trial((lambda x: (x @ slopes).sin().sum(1, keepdim=True), real, fake, uniform(g, 0.1, 5)))


EXERCISE = Exercise(
    id="r1-penalty",
    chapter="11_gan_vs_diffusion",
    examine=_examine,
    solution=r1,
    mistakes=(
        Mistake(_r1_with(lambda g: 2 * g.square().sum(1).mean()), "factor ½"),
        Mistake(_r1_with(lambda g: g.norm(dim=1).mean()), "averages its square"),
        Mistake(_r1_with(lambda g: g.square().sum(1).mean(), on_fake=True), "That is R₂"),
        Mistake(_mistaken_mean_gradient, "1/B"),
        Mistake(_r1_with(lambda g: g.square().mean()), "over the coordinates"),
        Mistake(_r1_with(lambda g: (g.norm(dim=1) - 1).square().mean()), "WGAN-GP"),
        Mistake(_r1_with(lambda g: g.square().sum(1).mean() / 0.4), "γ is missing"),
        Mistake(_r1_with(lambda g: g.square().sum(1).mean(), graph=False), "create_graph"),
    ),
    praise="it is zero where the discriminator is flat, so equilibrium costs nothing.",
    trial=_trial,
)
