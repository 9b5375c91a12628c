"""The exercises of chapter 2."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Trial, Wrong, diagnose, same, uniform

CHAPTER = "02_gan"
Critic = Callable[[Tensor], Tensor]


def turn(theta: Tensor, psi: Tensor, rate: float) -> Tensor:
    """(θ, ψ) after one turn, the discriminator first: numbers in, a tensor (2,) out."""
    psi = psi - rate * theta
    theta = theta + rate * psi
    return torch.stack([theta, psi])


def _examine_turn(answer: Answer) -> None:
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


def _examine_lipschitz_penalty(answer: Answer) -> None:
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


def largest_singular_value(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    """σ₁ of a matrix (o, i) by power iteration from u (o,)."""
    for _ in range(steps):
        v = torch.nn.functional.normalize(weight.T @ u, dim=0)
        u = torch.nn.functional.normalize(weight @ v, dim=0)
    return u @ weight @ v


# Singular values 3.83 and 0.78 for the first, eigenvalues 2 and 1.5, largest entry 3: no two wrong answers coincide.
_SQUARE = torch.tensor([[2.0, 3.0], [0.0, 1.5]], dtype=torch.float64)
_WIDE = torch.tensor([[3.0, 0.0, 4.0], [0.0, 1.0, 0.0]], dtype=torch.float64)  # σ = 5 and 1


def _examine_largest_singular_value(answer: Answer) -> None:
    start = torch.tensor([0.6, 0.8], dtype=torch.float64)
    value = answer(_SQUARE, start, 60)
    top = torch.linalg.svdvals(_SQUARE)[0]
    if isinstance(value, Tensor) and not (value.abs() < 1e6).all():
        raise Wrong(
            "the number explodes. Divide u and v by their length in each iteration; only their directions matter."
        )
    named = {
        "you found an eigenvalue. Without the transpose the iteration multiplies by W again and again; alternate Wᵀ "
        "and W.": torch.tensor(2.0, dtype=torch.float64),
        "you return σ², the eigenvalue of WᵀW. Take uᵀWv, or the root.": top.square(),
        "that is the Frobenius norm, the root of the sum of all σ². The spectral norm is the largest σ alone.": (
            _SQUARE.norm()
        ),
        "that is the length of one product from the first u: nothing is iterated.": (_SQUARE.T @ start).norm(),
        "that is the smallest singular value.": torch.linalg.svdvals(_SQUARE)[-1],
        "that is the largest entry of W.": _SQUARE.max(),
        "that is the length of the longest row of W.": _SQUARE.norm(dim=1).max(),
        "that is what one iteration finds. Take `steps` of them.": (largest_singular_value(_SQUARE, start, 1)),
    }
    near = functools.partial(same, tolerance=1e-5)
    if not near(value, top):
        diagnose(
            value,
            named.items(),
            f"after 60 iterations σ₁ of [[2, 3], [0, 1.5]] is {float(top):.4f}, yours is {float(value):.4f}.",
            near=near,
        )
    if not near(answer(_WIDE, start, 60), torch.tensor(5.0, dtype=torch.float64)):
        raise Wrong("right for a square matrix; of [[3, 0, 4], [0, 1, 0]] it is 5, and you find another number.")


def _without_transpose(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        v = normalize(weight @ u, dim=0)
        u = normalize(weight @ v, dim=0)
    return u @ weight @ v


def _without_normalising(weight: Tensor, u: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        v = weight.T @ u
        u = weight @ v
    return u @ weight @ v


def wasserstein(x: Tensor, y: Tensor) -> Tensor:
    """W₁ of two samples of n numbers each, (n,) and (n,), a scalar."""
    return (x.sort().values - y.sort().values).abs().mean()


def _examine_wasserstein(answer: Answer) -> None:
    x = torch.tensor([4.0, 0.0, 1.5, -2.0], dtype=torch.float64)
    y = torch.tensor([-1.0, 7.5, 2.5, -4.0], dtype=torch.float64)
    value = answer(x, y)
    difference = x.sort().values - y.sort().values
    every = (x[:, None] - y).abs()
    named = {
        "you pair the points as they come. The order of a sample means nothing: pair the smallest with the smallest, "
        "and so on.": (x - y).abs().mean(),
        "you compare the means only. Two samples may differ and have one mean.": (x.mean() - y.mean()).abs(),
        "you average over all pairs. Each point is moved once, to one place.": every.mean(),
        "you square the distances, which is W₂². W₁ adds the distances themselves.": difference.square().mean(),
        "you sum over the points. Each carries the mass 1/n: take the mean.": difference.abs().sum(),
        "you send each point to its nearest. Then several may go to one place, and others get nothing.": (
            every.min(dim=1).values.mean()
        ),
        "the absolute value is missing: moves to the left and to the right cancel.": difference.mean(),
        "you divide by n − 1, and n points are moved.": difference.abs().sum() / (len(x) - 1),
        "you have sorted x and not y.": (x.sort().values - y).abs().mean(),
        "you have sorted y and not x.": (x - y.sort().values).abs().mean(),
        "one of them is sorted the other way round: the smallest goes to the largest.": (
            (x.sort().values - y.sort(descending=True).values).abs().mean()
        ),
        "that is W₂, the root of the mean squared way. W₁ is the mean way.": difference.square().mean().sqrt(),
        "that is the longest way. W₁ is the mean way.": difference.abs().max(),
    }
    if same(value, wasserstein(x, y)):
        return
    diagnose(
        value,
        named.items(),
        f"for (4, 0, 1.5, −2) and (−1, 7.5, 2.5, −4) the least work is {float(wasserstein(x, y)):.4f}, yours "
        f"{float(value):.4f}.",
    )


def _try_turn(g: torch.Generator) -> Trial:
    theta, psi = torch.randn(2, generator=g)
    return Trial((theta, psi, uniform(g, 0.1, 0.9)))


def _try_penalty(g: torch.Generator) -> Trial:
    real, fake, slopes = (torch.randn(shape, generator=g) for shape in ((20, 2), (20, 2), (2, 3)))
    slopes.requires_grad_()
    return Trial((lambda x: (x @ slopes).sin().sum(1, keepdim=True), real, fake, torch.rand(20, 1, generator=g)))


def _try_singular_value(g: torch.Generator) -> Trial:
    rotation, other = (torch.linalg.qr(torch.randn(n, n, generator=g, dtype=torch.float64))[0] for n in (3, 4))
    sizes = torch.tensor([1.0, 0.4, 0.2], dtype=torch.float64) * uniform(g, 1, 9)
    u = normalize(torch.randn(3, generator=g, dtype=torch.float64), dim=0)
    return Trial((rotation @ torch.diag(sizes) @ other[:3], u, 80))


def _try_wasserstein(g: torch.Generator) -> Trial:
    return Trial((torch.randn(9, generator=g), 1 + 2 * torch.randn(9, generator=g)))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "one-turn-of-the-game",
        CHAPTER,
        _examine_turn,
        turn,
        (
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
        "who moves first matters: this order stays on an ellipse, where the simultaneous one spins out.",
        _try_turn,
    ),
    Exercise(
        "lipschitz-penalty",
        CHAPTER,
        _examine_lipschitz_penalty,
        lipschitz_penalty,
        (
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
        "a critic of slope 1 between the points measures how far apart they are.",
        _try_penalty,
    ),
    Exercise(
        "spectral-norm",
        CHAPTER,
        _examine_largest_singular_value,
        largest_singular_value,
        (
            Mistake(_without_transpose, "an eigenvalue. Without the transpose"),
            Mistake(_without_normalising, "explodes"),
            Mistake(lambda w, u, n: largest_singular_value(w, u, n).square(), "you return σ²"),
            Mistake(lambda w, u, n: w.norm(), "Frobenius"),
            Mistake(lambda w, u, n: (w.T @ u).norm(), "nothing is iterated"),
            Mistake(lambda w, u, n: largest_singular_value(w, u, 1), "one iteration"),
            Mistake(lambda w, u, n: w.max(), "largest entry"),
            Mistake(lambda w, u, n: w.norm(dim=1).max(), "longest row"),
        ),
        "two products an iteration, and training needs one iteration a step, because weights change slowly.",
        _try_singular_value,
    ),
    Exercise(
        "wasserstein-in-one-dimension",
        CHAPTER,
        _examine_wasserstein,
        wasserstein,
        (
            Mistake(lambda x, y: (x - y).abs().mean(), "as they come"),
            Mistake(lambda x, y: (x.mean() - y.mean()).abs(), "means only"),
            Mistake(lambda x, y: (x[:, None] - y).abs().mean(), "all pairs"),
            Mistake(lambda x, y: (x.sort().values - y.sort().values).square().mean(), "W₂²"),
            Mistake(lambda x, y: (x.sort().values - y.sort().values).abs().sum(), "mass 1/n"),
            Mistake(lambda x, y: (x[:, None] - y).abs().min(1).values.mean(), "nearest"),
            Mistake(lambda x, y: (x.sort().values - y.sort().values).mean(), "absolute value is missing"),
            Mistake(lambda x, y: wasserstein(x, y) * len(x) / (len(x) - 1), "n − 1"),
            Mistake(lambda x, y: (x.sort().values - y).abs().mean(), "sorted x and not y"),
            Mistake(
                lambda x, y: (x.sort().values - y.sort(descending=True).values).abs().mean(), "the other way round"
            ),
            Mistake(lambda x, y: (x.sort().values - y.sort().values).square().mean().sqrt(), "that is W₂,"),
            Mistake(lambda x, y: (x.sort().values - y.sort().values).abs().max(), "longest way"),
        ),
        "on a line the best plan keeps the order, so sorting finds it; in the plane one needs more, such as a critic.",
        _try_wasserstein,
    ),
)
