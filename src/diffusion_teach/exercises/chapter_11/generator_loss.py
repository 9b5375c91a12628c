"""`generator-loss`: the non-saturating loss, from logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def generator_loss(fake_logits: Tensor) -> Tensor:
    """−E log D(G(z)) from logits (B,)."""
    return -torch.nn.functional.logsigmoid(fake_logits).mean()


def _examine(answer: Answer) -> None:
    logits = torch.linspace(-4, 3, 8, dtype=torch.float64)
    value = answer(logits)
    named = {
        "you descend −log(1 − D), which is the discriminator's own term: the generator would learn to be caught.": (
            softplus(logits).mean()
        ),
        "you descend log(1 − D), the minimax loss. Its gradient fades exactly where D is sure that a point is fake; "
        "descend −log D instead.": -softplus(logits).mean(),
        "you descend +log D. The sign is turned: the generator would make D say 'fake'.": logsigmoid(logits).mean(),
        "you average D itself, without the logarithm. Its gradient fades at both ends of the sigmoid.": (
            -logits.sigmoid().mean()
        ),
        "you take the logarithm of the average. The loss is the average of the logarithms, one a sample.": (
            -logits.sigmoid().mean().log()
        ),
        "you sum over the batch. The loss is a mean, or it would grow with the batch.": -logsigmoid(logits).sum(),
    }
    if same(value, generator_loss(logits)):
        sure = torch.full((2,), -200.0, requires_grad=True)
        loss = answer(sure)
        if not loss.requires_grad:
            raise Wrong(
                "the number is right, but nothing can learn from it: the logits have no gradient. Do not detach."
            )
        slope = float(torch.autograd.grad(loss, sure)[0].sum())
        if not (same(loss, generator_loss(sure)) and abs(slope + 1) < 1e-3):
            raise Wrong(
                f"right for moderate logits. At −200 it is {float(loss):.4g} with the slope {slope:.3g}, and should be "
                "200 with −1: in float32 the sigmoid is 0 there, and its push is gone. Use logsigmoid."
            )
        return
    diagnose(
        value,
        named.items(),
        f"on logits from −4 to 3 the loss is {float(generator_loss(logits)):.4f}, yours is {float(value):.4f}.",
    )


def _mistaken_log_of_sigmoid(fake_logits: Tensor) -> Tensor:
    return -fake_logits.sigmoid().log().mean()


def _trial(g: torch.Generator) -> Trial:
    return Trial((6 * torch.randn(40, generator=g),))


EXERCISE = Exercise(
    id="generator-loss",
    chapter="11_gan_vs_diffusion",
    examine=_examine,
    solution=generator_loss,
    mistakes=(
        Mistake(lambda v: softplus(v).mean(), "the discriminator's own term"),
        Mistake(lambda v: -softplus(v).mean(), "the minimax loss"),
        Mistake(lambda v: logsigmoid(v).mean(), "sign is turned"),
        Mistake(lambda v: -v.sigmoid().mean(), "without the logarithm"),
        Mistake(lambda v: -v.sigmoid().mean().log(), "logarithm of the average"),
        Mistake(lambda v: -logsigmoid(v).sum(), "sum over the batch"),
        Mistake(_mistaken_log_of_sigmoid, "NaN or infinite"),
        Mistake(lambda v: -v.sigmoid().clamp(min=1e-7).log().mean(), "its push is gone"),
        Mistake(lambda v: generator_loss(v.detach()), "Do not detach"),
    ),
    praise="it pushes hardest where the discriminator is surest, which is where a beginner needs it.",
    trial=_trial,
)
