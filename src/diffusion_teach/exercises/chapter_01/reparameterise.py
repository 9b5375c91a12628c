"""`reparameterise`: a draw of a Gaussian through which gradients flow."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial


def reparameterise(
    mean: Tensor,
    log_variance: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """A draw of N(mean, variance), (B, J), that one can differentiate."""
    eps = torch.randn(mean.shape, generator=generator)
    return mean + (log_variance / 2).exp() * eps


def _examine(answer: Answer) -> None:
    n, shift, log_variance = 50_000, 1.0, math.log(0.25)
    mean = torch.full((n, 1), shift, requires_grad=True)
    log_v = torch.full((n, 1), log_variance, requires_grad=True)
    value = answer(mean, log_v, torch.Generator().manual_seed(1))
    same(value, mean.detach())  # a tensor of the right shape, and finite
    if not value.requires_grad:
        raise Wrong("no gradient reaches mean and log_variance: that was the point. Do not detach, do not sample N.")
    drawn = value.detach()
    centre, spread = float(drawn.mean()), float(drawn.std())
    different = len(drawn.unique())
    if different == 1:
        if abs(centre - shift) < 1e-6:
            raise Wrong("there is no noise in what you return.")
        raise Wrong("all rows share the same noise. Each row, and each latent, needs its own: noise of mean's shape.")
    if different < n / 10:
        raise Wrong(
            f"among {n} draws only {different} are different: noise of N(0, 1) hardly ever repeats. Use `randn`."
        )
    if abs(spread - 0.5) > 0.02 or abs(centre - shift) > 0.02:
        named = {
            "the noise is uniform: `rand` where N(0, I) belongs. Use `randn`.": (shift + 0.25, 0.5 / 12**0.5),
            "you scale the noise by the variance. A draw is scaled by the deviation, exp(log_variance/2).": (
                shift,
                0.25,
            ),
            "you scale the noise by the logarithm of the variance: it is not exponentiated.": (
                shift,
                abs(log_variance),
            ),
            "you scale the noise by half the logarithm: exponentiate it.": (shift, abs(log_variance) / 2),
            "you scale by exp(2·log_variance).": (shift, 0.0625),
            "the noise is not scaled: its deviation is 1 for every input.": (shift, 1.0),
            "you divide the noise by the deviation.": (shift, 2.0),
            "the mean is missing: your draw is centred at 0.": (0.0, 0.5),
        }
        diagnose(
            (centre, spread),
            named.items(),
            f"for mean 1 and variance ¼ your draws have mean {centre:.3f}, and deviation {spread:.3f} for ½.",
            near=within(0.02, 0.015),
        )
    if float((drawn - centre).abs().max()) < 2.5 * spread:
        raise Wrong("mean and deviation are right, the shape is not: the noise is no Gaussian. Use `randn`.")
    _examine_its_gradients(value, drawn, mean, log_v)
    wide = answer(torch.zeros(n, 2), torch.zeros(n, 2), torch.Generator().manual_seed(2)).detach()
    if abs(float((wide[:, 0] * wide[:, 1]).mean())) > 0.03:
        raise Wrong("the latents of a row share their noise: draw noise of the full shape (B, J).")


def _examine_its_gradients(value: Tensor, drawn: Tensor, mean: Tensor, log_v: Tensor) -> None:
    of_mean, of_log_v = torch.autograd.grad(value.sum(), (mean, log_v), allow_unused=True)
    if of_mean is None or not same(of_mean, torch.ones_like(mean)):
        raise Wrong("the draws are right, but dz/dmean is not 1: let the gradient flow through the mean.")
    if of_log_v is None or not same(of_log_v, (drawn - mean.detach()) / 2, tolerance=1e-3):
        raise Wrong(
            "the draws are right, but no gradient reaches the log-variance: the noise has none, its scale must."
        )


def _draw(scale: Callable[[Tensor], Tensor], noise: Callable[..., Tensor] = torch.randn) -> Answer:
    def answer(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
        return mean + scale(log_variance) * noise(mean.shape, generator=generator)

    return answer


def _signs(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator).sign()


def _shared_noise(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return mean + (log_variance / 2).exp() * torch.randn(1, mean.shape[1], generator=generator)


def _noise_per_row(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return mean + (log_variance / 2).exp() * torch.randn(len(mean), 1, generator=generator)


def _detached(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return torch.normal(mean.detach(), (log_variance.detach() / 2).exp(), generator=generator)


def _no_mean(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)


def _own_randomness(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def _trial(g: torch.Generator) -> Trial:
    mean, log_variance = 5 * torch.randn(10_000, 2, generator=g), torch.randn(10_000, 2, generator=g)
    return Trial((mean, log_variance), Law(mean, (log_variance / 2).exp()))


EXERCISE = Exercise(
    id="reparameterise",
    chapter="01_vae",
    examine=_examine,
    solution=reparameterise,
    mistakes=(
        Mistake(_draw(torch.exp), "scale the noise by the variance"),
        Mistake(_draw(lambda v: (v / 2).exp(), torch.rand), "noise is uniform"),
        Mistake(_draw(lambda v: v), "not exponentiated"),
        Mistake(_draw(lambda v: v / 2), "half the logarithm"),
        Mistake(_draw(torch.ones_like), "noise is not scaled"),
        Mistake(_draw(lambda v: (-v / 2).exp()), "divide the noise by the deviation"),
        Mistake(_draw(lambda v: (v / 2).exp(), _signs), "only 2 are different"),
        Mistake(_draw(lambda v: torch.zeros_like(v)), "there is no noise"),
        Mistake(_draw(lambda v: (v.detach() / 2).exp()), "no gradient reaches the log-variance"),
        Mistake(_shared_noise, "all rows share"),
        Mistake(_noise_per_row, "latents of a row share"),
        Mistake(_detached, "no gradient reaches mean and log_variance"),
        Mistake(_no_mean, "the mean is missing"),
        Mistake(_own_randomness, "not repeatable"),
    ),
    praise="the noise comes from outside, so the gradient finds its way through the draw.",
    trial=_trial,
)
