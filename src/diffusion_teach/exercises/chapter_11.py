"""The exercises of chapter 11."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Trial, Wrong, diagnose, same, uniform

CHAPTER = "11_gan_vs_diffusion"
Discriminator = Callable[[Tensor], Tensor]


def generator_loss(fake_logits: Tensor) -> Tensor:
    """−E log D(G(z)) from logits (B,)."""
    return -torch.nn.functional.logsigmoid(fake_logits).mean()


def _examine_generator_loss(answer: Answer) -> None:
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


def r1(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, gamma: float) -> Tensor:
    """γ/2 · E‖∇D‖² at real points (B, 2)."""
    x = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gamma / 2 * gradient.square().sum(dim=1).mean()


def _quadratic(c: Tensor) -> Discriminator:
    """D(x) = c·‖x‖²/2, whose gradient is c·x."""
    return lambda x: c * x.square().sum(dim=1, keepdim=True) / 2


def _examine_r1(answer: Answer) -> None:
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


def count_modes(x: Tensor, means: Tensor, std: float) -> Tensor:
    """How many of the centres (K, 2) have a sample of x (N, 2) within 3 std."""
    distance = torch.cdist(x, means)
    return (distance < 3 * std).any(dim=0).sum()


def _examine_count_modes(answer: Answer) -> None:
    means = 10 * torch.cartesian_prod(torch.arange(5.0), torch.arange(3.0))
    std = 0.5
    # Mode 0: four points at its middle. 1, 2 and 3: one at 2.95, 2.5 and 3.2 std along a diagonal. 4, 5 and 6: one at
    # 1, 2 and 6 std along an axis. The other eight: none.
    diagonal = [[d / 2**0.5, d / 2**0.5] for d in (2.95, 2.5, 3.2)]
    where = torch.tensor([[0, 0], [0.1, 0], [0, 0.1], [0.1, 0.1], *diagonal, [1, 0], [2, 0], [6, 0]])
    x = means[[0, 0, 0, 0, 1, 2, 3, 4, 5, 6]] + std * where
    value = int(answer(x, means, std))
    named = {
        2: "you compare the distance with 3·std², the variance. High quality means within 3 standard deviations.",
        6: "you test each coordinate by itself, a square around the mode. The protocol's region is a disc: use the "
        "Euclidean distance.",
        8: "you count good samples, not the modes that hold one.",
        7: "you count the nearest mode of every sample, however far away. A mode is covered by a sample within 3·std.",
        10: "you count the modes that hold no sample.",
    }
    if value == 5:
        return
    raise Wrong(named.get(value, f"five of these fifteen modes hold a sample within 3·std, you count {value}."))


def _square_modes(x: Tensor, means: Tensor, std: float) -> Tensor:
    return ((x[:, None] - means).abs() < 3 * std).all(dim=2).any(dim=0).sum()


def expected_modes(shares: Tensor, n: int) -> Tensor:
    """How many modes n draws reach on average; mode k has the share shares[k], (K,)."""
    return (1 - (1 - shares) ** n).sum()


def _examine_expected_modes(answer: Answer) -> None:
    shares, n = torch.tensor([0.4, 0.3, 0.2, 0.08, 0.02], dtype=torch.float64), 6
    value, modes = answer(shares, n), len(shares)
    missed = (1 - shares) ** n
    named = {
        "you count the modes that are missed: a mode is missed when all n draws go elsewhere.": missed.sum(),
        "you give the share of the modes that are reached. Sum over them instead of averaging.": (1 - missed).mean(),
        "you take all modes for equally frequent. A rare one is missed more often: use its share.": (
            torch.as_tensor(modes * (1 - (1 - 1 / modes) ** n), dtype=torch.float64)
        ),
        "you subtract pⁿ, the chance that every draw is of this mode. It is missed when none is: (1 − p)ⁿ.": (
            (1 - shares**n).sum()
        ),
        "you count visits, at most one a mode on average. A mode with n·p = 1 is still missed by more than a third of "
        "all samples.": (n * shares).clamp(max=1).sum(),
        "you take the number of visits for Poisson's, e⁻ⁿᵖ. That is near for many draws; with n draws a mode is missed "
        "with (1 − p)ⁿ.": (1 - (-n * shares).exp()).sum(),
        "a mode is missed when all n draws go elsewhere, and you let n − 1 do so.": (
            (1 - (1 - shares) ** (n - 1)).sum()
        ),
        "you count the modes that are met exactly once. Those met more often are reached, too.": (
            (n * shares * (1 - shares) ** (n - 1)).sum()
        ),
        "you count as if no draw met a mode that another has met already.": (
            torch.tensor(float(min(n, modes)), dtype=torch.float64)
        ),
    }
    expected = expected_modes(shares, n)
    if same(value, expected):
        return
    diagnose(
        value,
        named.items(),
        f"six draws of five modes with the shares .4, .3, .2, .08 and .02 reach {float(expected):.3f} of them on "
        f"average, you say {float(value):.3f}.",
    )


def _try_generator_loss(g: torch.Generator) -> Trial:
    return Trial((6 * torch.randn(40, generator=g),))


def _try_r1(g: torch.Generator) -> Trial:
    real, fake, slopes = (torch.randn(shape, generator=g) for shape in ((20, 2), (20, 2), (2, 3)))
    slopes.requires_grad_()
    return Trial((lambda x: (x @ slopes).sin().sum(1, keepdim=True), real, fake, uniform(g, 0.1, 5)))


def _try_count_modes(g: torch.Generator) -> Trial:
    std = uniform(g, 0.3, 0.8)
    apart = 7 * std * torch.cartesian_prod(torch.arange(5.0), torch.arange(3.0))  # no sample is within 3 std of two
    x = apart[torch.randint(len(apart), (12,), generator=g)] + 2.2 * std * torch.randn(12, 2, generator=g)
    return Trial((x, apart, std))


def _try_expected_modes(g: torch.Generator) -> Trial:
    shares = torch.randn(8, dtype=torch.float64, generator=g).softmax(0)
    return Trial((shares, int(torch.randint(2, 30, (), generator=g))))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "generator-loss",
        CHAPTER,
        _examine_generator_loss,
        generator_loss,
        (
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
        "it pushes hardest where the discriminator is surest, which is where a beginner needs it.",
        _try_generator_loss,
    ),
    Exercise(
        "r1-penalty",
        CHAPTER,
        _examine_r1,
        r1,
        (
            Mistake(_r1_with(lambda g: 2 * g.square().sum(1).mean()), "factor ½"),
            Mistake(_r1_with(lambda g: g.norm(dim=1).mean()), "averages its square"),
            Mistake(_r1_with(lambda g: g.square().sum(1).mean(), on_fake=True), "That is R₂"),
            Mistake(_mistaken_mean_gradient, "1/B"),
            Mistake(_r1_with(lambda g: g.square().mean()), "over the coordinates"),
            Mistake(_r1_with(lambda g: (g.norm(dim=1) - 1).square().mean()), "WGAN-GP"),
            Mistake(_r1_with(lambda g: g.square().sum(1).mean() / 0.4), "γ is missing"),
            Mistake(_r1_with(lambda g: g.square().sum(1).mean(), graph=False), "create_graph"),
        ),
        "it is zero where the discriminator is flat, so equilibrium costs nothing.",
        _try_r1,
    ),
    Exercise(
        "count-modes",
        CHAPTER,
        _examine_count_modes,
        count_modes,
        (
            Mistake(lambda x, m, s: (torch.cdist(x, m) < 3 * s**2).any(0).sum(), "3 standard deviations"),
            Mistake(_square_modes, "disc"),
            Mistake(lambda x, m, s: (torch.cdist(x, m) < 3 * s).sum(), "not the modes"),
            Mistake(lambda x, m, s: torch.cdist(x, m).argmin(1).unique().numel(), "nearest mode"),
            Mistake(lambda x, m, s: (torch.cdist(x, m) >= 3 * s).all(0).sum(), "no sample"),
            Mistake(lambda x, m, s: (torch.cdist(x, m) < 2.9 * s).any(0).sum(), "you count 4."),
            Mistake(lambda x, m, s: ((x[:, None] - m).abs().sum(2) < 3 * s).any(0).sum(), "you count 3."),
        ),
        "one good sample covers a mode, which is why the share of good samples has to stand beside it.",
        _try_count_modes,
    ),
    Exercise(
        "expected-modes",
        CHAPTER,
        _examine_expected_modes,
        expected_modes,
        (
            Mistake(lambda p, n: ((1 - p) ** n).sum(), "that are missed"),
            Mistake(lambda p, n: (1 - (1 - p) ** n).mean(), "instead of averaging"),
            Mistake(lambda p, n: p.new_tensor(len(p) * (1 - (1 - 1 / len(p)) ** n)), "equally frequent"),
            Mistake(lambda p, n: (1 - p**n).sum(), "every draw is of this mode"),
            Mistake(lambda p, n: (n * p).clamp(max=1).sum(), "count visits"),
            Mistake(lambda p, n: p.new_tensor(float(min(n, len(p)))), "no draw met a mode"),
            Mistake(lambda p, n: (1 - (-n * p).exp()).sum(), "Poisson"),
            Mistake(lambda p, n: (1 - (1 - p) ** (n - 1)).sum(), "you let n − 1 do so"),
            Mistake(lambda p, n: (n * p * (1 - p) ** (n - 1)).sum(), "exactly once"),
        ),
        "a model that scores less than this has dropped modes, and one that scores as much need not have.",
        _try_expected_modes,
    ),
)
