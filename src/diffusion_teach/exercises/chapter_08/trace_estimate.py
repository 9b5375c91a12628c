"""`trace-estimate`: Hutchinson's estimate of a divergence."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def trace_estimate(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """vᵀ(∂f/∂x)v at each row; f maps (B, d) to (B, d), and the result is (B,)."""
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _field(a: float, b: float) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """A field in the plane; its trace and the deviation of vᵀJv with signs, |J₁₂ + J₂₁|, at x."""

    def f(x: Tensor) -> Tensor:
        first, second = x.unbind(1)
        return torch.stack([a * first**2 + b * second, first * second + 2 * second], dim=1)

    def truth(x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x.unbind(1)
        return 2 * a * first + first + 2, (b + second).abs()

    return f, truth


def _examine(answer: Answer) -> None:
    f, truth = _field(1.0, 4.0)
    passes: list[Tensor] = []

    def counted(x: Tensor) -> Tensor:
        passes.append(x)
        return f(x)

    x = torch.tensor([[0.5, -1.0]]).repeat(20_000, 1)
    value = answer(counted, x, torch.Generator().manual_seed(4))
    mean, deviation = (float(part[0]) for part in truth(x))
    same(value, x[:, 0])
    found = (float(value.detach().double().mean()), float(value.detach().double().std()))
    if len(passes) == 1 and len(passes[0]) > len(x):
        raise Wrong("you ask f for more points than were given: differentiate it, and do not take differences.")
    if len(passes) > 1:
        raise Wrong(f"your function calls f {len(passes)} times. One call and one backward pass are enough.")
    if not math.isclose(found[0], mean, abs_tol=0.15):
        named = {
            "that is vᵀf: f is not differentiated in it.": (0.0, 4.507),
            "d times too small: your directions have length one, E[vvᵀ] = I/d, or you take a mean where the sum "
            "over the coordinates belongs.": (mean / 2, 1.5),
            "your v are 0 or 1, not ±1: E[vvᵀ] is then not I.": (2.5, 2.475),
            "that is the sum of Jᵀv: multiply it by v once more before you sum.": (0.0, 5.220),
        }
        diagnose(
            found,
            named.items(),
            f"on average your estimate is {found[0]:.3f}; the trace is {mean:.3f}.",
            near=within(0.15, 0.15),
        )
    if found[1] < 0.1:
        raise Wrong("your estimate does not scatter: that is the exact trace, at d backward passes. Draw one v of ±1.")
    if found[1] > 1.3 * deviation:
        raise Wrong(
            f"right on average, and it scatters by {found[1]:.2f}; with entries ±1 it would by {deviation:.2f}. Are "
            "yours normal?"
        )


def _mistaken_lengths(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    return trace_estimate(f, x, generator) / x.shape[1]


def _mistaken_normal(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = torch.empty(x.shape, dtype=x.dtype).normal_(generator=generator)
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _mistaken_coins(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = torch.randint(0, 2, x.shape, generator=generator).to(x.dtype)
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return (gradient * v).sum(1)


def _mistaken_no_derivative(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    return (f(x) * v).sum(1)


def _mistaken_exact(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    x = x.detach().requires_grad_(True)
    value = f(x)
    parts = [torch.autograd.grad(value[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(x.shape[1])]
    return torch.stack(parts).sum(0)


def _mistaken_one_side(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad((f(x) * v).sum(), x)
    return gradient.sum(1)


def _mistaken_two_calls(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    return ((f(x + 1e-3 * v) - f(x - 1e-3 * v)) / 2e-3 * v).sum(1)


def _mistaken_differences(f: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator) -> Tensor:
    v = 2.0 * torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) - 1
    after, before = f(torch.cat([x + 1e-3 * v, x - 1e-3 * v])).chunk(2)
    return ((after - before) / 2e-3 * v).sum(1)


def _trial(g: torch.Generator) -> Trial:
    f, truth = _field(uniform(g, 0.5, 2), uniform(g, 3, 5))
    x = torch.tensor([100.0, 0.3]) * torch.randn(4000, 2, generator=g)
    mean, deviation = truth(x)
    return Trial((f, x), Law(mean, deviation, gaussian=False))


EXERCISE = Exercise(
    id="trace-estimate",
    chapter="08_score_sde",
    examine=_examine,
    solution=trace_estimate,
    mistakes=(
        Mistake(_mistaken_lengths, "length one"),
        Mistake(_mistaken_normal, "Are yours normal"),
        Mistake(_mistaken_coins, "0 or 1"),
        Mistake(_mistaken_no_derivative, "not differentiated"),
        Mistake(_mistaken_exact, "does not scatter"),
        Mistake(_mistaken_one_side, "v once more"),
        Mistake(_mistaken_two_calls, "calls f 2 times"),
        Mistake(_mistaken_differences, "do not take differences"),
    ),
    praise="one pass, whatever the dimension: that is what makes likelihoods of pictures possible.",
    trial=_trial,
)
