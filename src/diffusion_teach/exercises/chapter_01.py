"""The exercises of chapter 01."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.exercise import (
    Answer,
    Exercise,
    Law,
    Mistake,
    Trial,
    Wrong,
    diagnose,
    same,
    within,
)

CHAPTER = "01_vae"


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)) of each row: (B, J) and (B, J) in, (B,) out."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


Term = Callable[[Tensor, Tensor], Tensor]
_KL_MISTAKES: dict[str, Term] = {
    "the factor ½ is missing.": lambda m, v: (m**2 + v.exp() - 1 - v).sum(1),
    "the sign is turned: a divergence is never negative. The paper's formula is that of −KL.": (
        lambda m, v: -0.5 * (m**2 + v.exp() - 1 - v).sum(1)
    ),
    "you read the logarithm of the variance as that of the deviation: exp(2·log_variance) is σ⁴.": (
        lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 1 - 2 * v).sum(1)
    ),
    "you take the deviation exp(log_variance/2) where the formula has the variance.": (
        lambda m, v: 0.5 * (m**2 + (v / 2).exp() - 1 - v).sum(1)
    ),
    "the variance is its own logarithm in your sum: take exp(log_variance).": (
        lambda m, v: 0.5 * (m**2 + v - 1 - v).sum(1)
    ),
    "you average over the latents. The divergences of independent latents add up.": (
        lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).mean(1)
    ),
    "the −1 is missing: at mean 0 and variance 1 the divergence is 0.": lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1),
    "you add log σ². It is subtracted: a narrow q costs more.": lambda m, v: 0.5 * (m**2 + v.exp() - 1 + v).sum(1),
    "you subtract 1 once. Each latent has a −1 of its own: it stands inside the sum.": (
        lambda m, v: 0.5 * ((m**2 + v.exp() - v).sum(1) - 1)
    ),
    "that is KL(N(0, I) ‖ q), the divergence the other way round.": (
        lambda m, v: 0.5 * ((m**2 + 1) / v.exp() - 1 + v).sum(1)
    ),
    "the mean is not squared: a mean of −1 costs as much as one of 1.": lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(1),
    "the mean plays no part: a q far from 0 costs nothing in your sum.": lambda m, v: 0.5 * (v.exp() - 1 - v).sum(1),
}


def _examine_gaussian_kl(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    mean, log_variance = torch.randn(2, 6, 5, generator=g, dtype=torch.float64)
    value = answer(mean, log_variance)
    expected = gaussian_kl(mean, log_variance)
    if isinstance(value, Tensor) and value.shape == ():
        if same(value, expected.sum()) or same(value, expected.mean()):
            raise Wrong("you reduce over the batch too. The answer has one number for each row, (B,).")
        raise Wrong("you return one number. The answer has one for each row, (B,): sum over the latents, dim=1, alone.")
    if same(value, expected):
        return
    row = int((value - expected).abs().argmax())
    diagnose(
        value,
        ((diagnosis, wrong(mean, log_variance)) for diagnosis, wrong in _KL_MISTAKES.items()),
        f"the divergence of row {row} should be {float(expected[row]):.4f}, yours is {float(value[row]):.4f}. Try one "
        "latent: with mean 0 and variance 1 it is 0, with mean 1 and variance 1 it is ½.",
    )


def reparameterise(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """A draw of N(mean, variance), (B, J), that one can differentiate."""
    eps = torch.randn(mean.shape, generator=generator)
    return mean + (log_variance / 2).exp() * eps


def _examine_reparameterise(answer: Answer) -> None:
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


def iwae_bound(log_w: Tensor) -> Tensor:
    """The bound log (1/k) Σ w of each image, from log-weights (k, B): (B,) out."""
    return log_w.logsumexp(dim=0) - math.log(len(log_w))


def _examine_iwae_bound(answer: Answer) -> None:
    g = torch.Generator().manual_seed(2)
    log_w = 2 * torch.randn(5, 7, generator=g, dtype=torch.float64) - 3
    value = answer(log_w)
    expected = iwae_bound(log_w)
    if isinstance(value, Tensor) and value.shape == (5,):
        raise Wrong("you average over the images, dim=1. The k draws stand in the rows: reduce dim=0.")
    if same(value, expected):
        far = answer(log_w - 2000)
        if not isinstance(far, Tensor) or not torch.isfinite(far).all() or not same(far, expected - 2000):
            raise Wrong(
                "right for these, but log-weights of images are near −100 and below, where exp underflows to 0. Use "
                "logsumexp."
            )
        return
    named = {
        "that is the mean of the logarithms, the ELBO. IWAE takes the logarithm of the mean.": log_w.mean(0),
        "log k is missing: the weights are averaged, not summed.": log_w.logsumexp(0),
        "you add log k. The mean divides by k, so its logarithm is subtracted.": log_w.logsumexp(0) + math.log(5),
        "you divide by k − 1. This is a mean of all k weights, not a variance.": log_w.logsumexp(0) - math.log(4),
        "you divide by the number of images. The mean is over the draws, and there are k.": (
            log_w.logsumexp(0) - math.log(7)
        ),
        "you divide the logarithm by k. The division stands inside the logarithm: subtract log k.": (
            log_w.logsumexp(0) / 5
        ),
        "you take the largest weight alone.": log_w.max(0).values,
        "you return the mean weight. Its logarithm is the bound.": expected.exp(),
    }
    image = int((value - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"for image {image} the bound should be {float(expected[image]):.4f}, yours is {float(value[image]):.4f}.",
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


def _try_kl(g: torch.Generator) -> Trial:
    return Trial((torch.randn(7, 3, generator=g), torch.randn(7, 3, generator=g)))


def _try_reparameterise(g: torch.Generator) -> Trial:
    mean, log_variance = 5 * torch.randn(10_000, 2, generator=g), torch.randn(10_000, 2, generator=g)
    return Trial((mean, log_variance), Law(mean, (log_variance / 2).exp()))


def _try_iwae_bound(g: torch.Generator) -> Trial:
    return Trial((3 * torch.randn(6, 9, dtype=torch.float64, generator=g) - 50,))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "gaussian-kl",
        CHAPTER,
        _examine_gaussian_kl,
        gaussian_kl,
        (
            *(Mistake(wrong, diagnosis) for diagnosis, wrong in _KL_MISTAKES.items()),
            Mistake(lambda m, v: gaussian_kl(m, v).mean(), "over the batch too"),
        ),
        "it is zero where q is the prior, and each latent pays for itself.",
        _try_kl,
    ),
    Exercise(
        "reparameterise",
        CHAPTER,
        _examine_reparameterise,
        reparameterise,
        (
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
        "the noise comes from outside, so the gradient finds its way through the draw.",
        _try_reparameterise,
    ),
    Exercise(
        "iwae-bound",
        CHAPTER,
        _examine_iwae_bound,
        iwae_bound,
        (
            Mistake(lambda w: w.mean(0), "mean of the logarithms"),
            Mistake(lambda w: w.logsumexp(0), "log k is missing"),
            Mistake(lambda w: w.logsumexp(0) + math.log(len(w)), "add log k"),
            Mistake(lambda w: w.logsumexp(0) / len(w), "divide the logarithm"),
            Mistake(lambda w: w.max(0).values, "largest weight alone"),
            Mistake(lambda w: w.exp().mean(0), "mean weight"),
            Mistake(lambda w: w.exp().mean(0).log(), "underflows"),
            Mistake(lambda w: w.logsumexp(0) - math.log(len(w) - 1), "divide by k − 1"),
            Mistake(lambda w: w.logsumexp(0) - math.log(w.shape[1]), "number of images"),
            Mistake(lambda w: w.logsumexp(1) - math.log(w.shape[1]), "reduce dim=0"),
        ),
        "one draw gives the ELBO, and many come close to the likelihood itself.",
        _try_iwae_bound,
    ),
)
