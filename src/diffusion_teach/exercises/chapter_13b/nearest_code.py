"""`nearest-code`: vector quantisation, and a gradient that passes through it."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def nearest_code(z: Tensor, codes: Tensor) -> Tensor:
    """For each row of z (n, d) the nearest of codes (K, d); gradients go on to z."""
    chosen = codes[torch.cdist(z, codes).argmin(1)]
    return z + (chosen - z).detach()


def _draw(g: torch.Generator) -> tuple[Tensor, Tensor]:
    return torch.randn(7, 3, generator=g), 1.5 * torch.randn(5, 3, generator=g) + 0.3


def _examine(answer: Answer) -> None:
    z, codes = _draw(torch.Generator().manual_seed(4))
    value, distance = answer(z, codes), torch.cdist(z, codes)
    expected = codes[distance.argmin(1)]
    if isinstance(value, Tensor) and not value.is_floating_point():
        raise Wrong("those are the numbers of the codes: look the codes up.")
    if not same(value, expected):
        diagnose(
            value,
            {
                "that is the farthest code.": codes[distance.argmax(1)],
                "that is z itself: look for the nearest code.": z,
                "the largest product is not the smallest distance: codes have different lengths.": codes[
                    (z @ codes.T).argmax(1)
                ],
                "that is a mean of the codes; one of them is asked for.": (-distance).softmax(1) @ codes,
                "that is the difference: z and the difference together are the code.": expected - z,
            }.items(),
            "your rows are not the codes nearest to those of z.",
        )
    z, codes = z.requires_grad_(), codes.requires_grad_()
    value = answer(z, codes)
    if not value.requires_grad:
        raise Wrong("right, but no gradient passes to z: the encoder would never learn. Add to z what is missing.")
    weights = torch.arange(21.0).reshape(7, 3)
    to_z, to_codes = torch.autograd.grad((weights * value).sum(), (z, codes), allow_unused=True)
    if to_z is None or not to_z.any():
        raise Wrong("right, but the gradient stops at the choice: z gets none. Add to z what is missing, detached.")
    if not torch.allclose(to_z, weights):
        raise Wrong(
            "the gradient that arrives at z is not the one that left: it shall pass as if nothing had happened."
        )
    if to_codes is not None and to_codes.any():
        raise Wrong("the gradient goes to the codes as well: they have a loss of their own. Detach what you add.")


def _trial(g: torch.Generator) -> Trial:
    return Trial(_draw(g))


EXERCISE = Exercise(
    id="nearest-code",
    chapter="13b_open_weights",
    examine=_examine,
    solution=nearest_code,
    mistakes=(
        Mistake(lambda z, c: c[torch.cdist(z, c).argmax(1)], "farthest"),
        Mistake(lambda z, c: z * 1, "z itself"),
        Mistake(lambda z, c: c[(z @ c.T).argmax(1)], "largest product"),
        Mistake(lambda z, c: (-torch.cdist(z, c)).softmax(1) @ c, "a mean of the codes"),
        Mistake(lambda z, c: c[torch.cdist(z, c).argmin(1)] - z, "the difference"),
        Mistake(lambda z, c: torch.cdist(z, c).argmin(1), "numbers of the codes"),
        Mistake(lambda z, c: c[torch.cdist(z, c).argmin(1)], "stops at the choice"),
        Mistake(lambda z, c: c.detach()[torch.cdist(z, c).argmin(1)], "no gradient passes"),
        Mistake(lambda z, c: z + c[torch.cdist(z, c).argmin(1)] - z.detach(), "to the codes as well"),
        Mistake(lambda z, c: 2 * z + (c[torch.cdist(z, c).argmin(1)] - 2 * z).detach(), "not the one that left"),
    ),
    praise="a choice has no slope; the gradient is carried around it, and the latent is a list of numbers from 1 to K.",
    trial=_trial,
)
