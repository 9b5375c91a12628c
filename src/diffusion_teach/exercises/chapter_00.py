"""The exercises of chapter 0, ink.

A solution's source stands in the notebook, folded; it uses nothing but torch and math.
"""

from __future__ import annotations

import functools
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
    uniform,
    within,
)
from diffusion_teach.physics import heat

CHAPTER = "00_ink"


def _rng() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def _mistakes(*tables: tuple[tuple[Answer, str], ...]) -> tuple[Mistake, ...]:
    return tuple(Mistake(wrong, diagnosis) for table in tables for wrong, diagnosis in table)


# --- push-the-dots: one step of a random walk ------------------------------------------------------------------------


def push(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    """Where dots x (N, 2) are after a time dt in still water."""
    eps = torch.randn(x.shape, generator=generator)
    return x + math.sqrt(2 * diffusivity * dt) * eps


def _pushed(deviation: Callable[[float], float], draw: Callable[..., Tensor] = torch.randn) -> Answer:
    """The step with another deviation, a function of D·dt, or with other noise."""
    return lambda x, dt, diffusivity, generator: x + deviation(diffusivity * dt) * draw(x.shape, generator=generator)


def _drawn(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator)


def _root(product: float) -> float:
    return math.sqrt(2 * product)


_NEVER_BACK = "no dot is ever pushed back. A push to the left should be as likely as one to the right."
_UNIFORM = "no dot is ever pushed back: `rand` is uniform on [0, 1), and the text says N(0, 1), which is `randn`."
_VARIANCE = "the pushes have the deviation 2D·dt, which is their variance. Take its root: twice the time, √2 the way."
_NO_TWO = "the pushes have the variance D·dt. Each axis gets 2D·dt."
_BOTH = "the pushes have the variance 4D·dt. That is what both axes have together: each gets half of it."
_ALONE = "your dots forget where they were. Add the push to x."
_DIAGONAL = "both coordinates get the same push, so every dot moves along a diagonal. Draw eps of the shape of x."
_TIED = "the pushes of the two coordinates depend on one another. Draw eps of the shape of x."
_ALIKE = "all dots get the same push: that is a current in the water. Draw eps of the shape of x."
_UNSEEDED = "right, but not repeatable: pass the generator on to `torch.randn`."
_DEAF = "another generator gives the same numbers: use the one that is passed, and make none of your own."
_ONE_AXIS = "one of the two coordinates is not pushed. Draw eps of the shape of x."
_NO_BELL = "mean and deviation are right, the shape is not: the noise is no Gaussian. Use `randn`."
_PUSHES: tuple[tuple[Answer, str], ...] = (
    (_pushed(_root, torch.rand), _UNIFORM),
    (_pushed(_root, lambda shape, generator: _drawn(shape, generator).abs()), _NEVER_BACK),
    (_pushed(lambda product: 2 * product), _VARIANCE),
    (_pushed(math.sqrt), _NO_TWO),
    (_pushed(lambda product: 2 * math.sqrt(product)), _BOTH),
    (lambda x, dt, d, generator: push(x, dt, d, generator) - x, _ALONE),
    (_pushed(_root, lambda shape, generator: torch.randn(shape[0], 1, generator=generator)), _DIAGONAL),
    (_pushed(_root, lambda shape, generator: torch.randn(2, generator=generator)), _ALIKE),
    (_pushed(_root, lambda shape, generator: torch.randn(shape)), _UNSEEDED),
    (_pushed(_root, lambda shape, generator: torch.randn(shape, generator=_rng())), _DEAF),
    (_pushed(_root, lambda shape, generator: _drawn(shape, generator) * torch.tensor([1.0, 0.0])), _ONE_AXIS),
    (_pushed(_root, lambda shape, generator: _drawn(shape, generator).sign()), _NO_BELL),
)


def _is_rand(noise: Tensor) -> bool:
    """Whether numbers that are not negative are spread as those of `rand` are, whatever their scale."""
    return math.isclose(float(noise.std() / noise.mean()), 1 / math.sqrt(3), rel_tol=0.05)


def _examine_push(answer: Answer) -> None:
    x, dt, diffusivity = 3 + torch.randn(20_000, 2, generator=_rng()), 0.4, 0.3
    value = answer(x.clone(), dt, diffusivity, _rng())
    same(value, x)
    if abs(float(value.detach().mean())) < 0.1:
        raise Wrong(_ALONE)
    moved = (value - x).detach()
    if float(moved.std(0).max()) < 1e-3:
        raise Wrong(_ALIKE if float(moved.abs().max()) > 1e-6 else "the dots did not move.")
    if float(moved.std(0).min()) < 1e-3:
        raise Wrong(_ONE_AXIS)
    if float(moved.min()) >= -1e-6:
        raise Wrong(_UNIFORM if _is_rand(moved) else _NEVER_BACK)
    tied = float(torch.corrcoef(moved.T)[0, 1])
    if abs(tied) > 0.1:
        raise Wrong(_DIAGONAL if tied > 0.99 else _TIED)
    spread, right = float(moved.std()), math.sqrt(2 * diffusivity * dt)
    named = (_VARIANCE, right**2), (_NO_TWO, right / math.sqrt(2)), (_BOTH, right * math.sqrt(2))
    diagnose(spread, named, near=within(0.03, relative=True))
    if not math.isclose(spread, right, rel_tol=0.03) or abs(float(moved.mean())) > 0.02:
        raise Wrong(f"pushes should have mean 0 and deviation {right:.3f}; yours have deviation {spread:.3f}.")


# --- share-it-out: one step of the heat equation ---------------------------------------------------------------------


def share_out(ink: Tensor, share: float) -> Tensor:
    """Ink in cells (n,) after each gave `share` of its own to each neighbour."""
    flow = share * (ink[1:] - ink[:-1])  # over each border, from the right cell to the left one
    after = ink.clone()
    after[:-1] += flow
    after[1:] -= flow
    return after


def _share_through_the_walls(ink: Tensor, share: float) -> Tensor:
    padded = torch.nn.functional.pad(ink, (1, 1))
    return ink + share * (padded[:-2] + padded[2:] - 2 * ink)


def _share_in_turn(ink: Tensor, share: float) -> Tensor:
    after = ink.clone()
    for i in range(len(ink) - 1):
        flow = share * (after[i + 1] - after[i])
        after[i] += flow
        after[i + 1] -= flow
    return after


def _share_inside(ink: Tensor, share: float) -> Tensor:
    after = ink.clone()
    after[1:-1] += share * (ink[:-2] + ink[2:] - 2 * ink[1:-1])
    return after


def _share_to(ink: Tensor, share: float, *, right: bool = True, left: bool = True, pay: bool = True) -> Tensor:
    """Give to one neighbour only, or without giving anything away."""
    after = ink.clone()
    for gives, take, there in ((right, ink[:-1], after[1:]), (left, ink[1:], after[:-1])):
        there += share * take * gives
    if pay:
        after[:-1] -= share * ink[:-1] * right
        after[1:] -= share * ink[1:] * left
    return after


_SHARES: tuple[tuple[Answer, str], ...] = (
    (
        lambda ink, share: ink + share * (ink.roll(1) + ink.roll(-1) - 2 * ink),
        "the first and the last cell are neighbours in your glass: `roll` goes round. There are walls between them.",
    ),
    (
        _share_through_the_walls,
        "ink leaves the glass at the ends. The first and the last cell have one neighbour only, so they give once.",
    ),
    (
        _share_inside,
        "the first and the last cell stay as they were. Each of them has one neighbour, and trades with it.",
    ),
    (
        lambda ink, share: share_out(ink, share / 2),
        "each neighbour gets half of what it should: `share` is meant for each of them, not for both together.",
    ),
    (
        lambda ink, share: _share_to(ink, share, left=False),
        "ink moves in one direction only. Each cell gives to both of its neighbours.",
    ),
    (
        lambda ink, share: _share_to(ink, share, pay=False),
        "your cells receive, but nobody pays: the ink grows more. What one cell gets, another loses.",
    ),
    (
        lambda ink, share: 2 * ink - share_out(ink, share),
        "ink flows to where there already is more. The flow is from more to less: change its sign.",
    ),
    (
        _share_in_turn,
        "the cells give one after the other, so the second gives away what it just got. Compute all flows first.",
    ),
)


def _examine_share(answer: Answer) -> None:
    ink, share = torch.rand(12, dtype=torch.float64, generator=_rng()) + 0.2, 0.2
    value = answer(ink, share)
    expected = heat.step(ink, share)
    near = functools.partial(same, tolerance=1e-6)
    if near(value, expected):
        return
    diagnose(value, ((diagnosis, wrong(ink, share)) for wrong, diagnosis in _SHARES), near=near)
    lost = float(ink.sum() - value.sum())
    if abs(lost) < 1e-6:
        raise Wrong("no ink is lost, but the shares are wrong: each neighbour gets `share` times the cell's ink.")
    change = f"{abs(lost):.2f} is {'lost' if lost > 0 else 'made'}"
    raise Wrong(f"of {float(ink.sum()):.2f} ink {change}; none should be, and each neighbour gets its share.")


# --- noise-once: one step of the noising process ---------------------------------------------------------------------


def noise(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    """One step of the noising process, which keeps a variance of 1; x of any shape."""
    eps = torch.randn(x.shape, generator=generator)
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


def _noised(keep: Callable[[float], float], share: Callable[[float], float], draw: Callable[..., Tensor]) -> Answer:
    """The step with other factors of x and of the noise, or with other noise."""
    return lambda x, beta, generator: keep(beta) * x + share(beta) * draw(x.shape, generator=generator)


def _rest(beta: float) -> float:
    return math.sqrt(1 - beta)


_NOISE_UNIFORM = "the noise is uniform, `rand`, and never negative. The text says N(0, 1), which is `randn`."
_NOISE_POSITIVE = "the noise is never negative. The text says N(0, 1), as often below 0 as above."
_FACTORS: tuple[tuple[Callable[[float], float], Callable[[float], float], str], ...] = (
    (
        _rest,
        float,
        "the noise has the deviation β. β is its variance: multiply eps by √β, or the variance shrinks at every step.",
    ),
    (
        lambda beta: 1.0,
        math.sqrt,
        "x is not made smaller, so the variance grows at every step: this explodes it. Multiply x by √(1 − β).",
    ),
    (
        lambda beta: 1 - beta,
        math.sqrt,
        "x is multiplied by 1 − β. Variances must add up to 1, and x brings the square of its factor.",
    ),
    (
        lambda beta: 1 - beta / 2,
        math.sqrt,
        "x is multiplied by 1 − β/2. That is near the root for a small β only; with a large one the variance grows.",
    ),
    (
        math.sqrt,
        _rest,
        "the two factors are exchanged: with a small β a step keeps most of x, and adds a little noise.",
    ),
)


def _examine_noise(answer: Answer) -> None:
    x, beta = 2 + torch.randn(200, 200, generator=_rng()), 0.6  # where √(1 − β) is not near 1 − β/2
    value = answer(x.clone(), beta, torch.Generator().manual_seed(7))
    same(value, x)
    covariance = torch.cov(torch.stack([x.flatten(), value.detach().flatten()]))
    kept = float(covariance[0, 1] / covariance[0, 0])
    added = value.detach() - kept * x
    share = float(added.std())
    if float(added.mean()) > 0.1 and float(added.min()) > -0.1:
        raise Wrong(_NOISE_UNIFORM if _is_rand(added) else _NOISE_POSITIVE)
    near, found = within(0.02, 0.03, relative=True), (kept, share)
    diagnose(found, ((diagnosis, (keep(beta), part(beta))) for keep, part, diagnosis in _FACTORS), near=near)
    if not near(found, (_rest(beta), math.sqrt(beta))):
        raise Wrong(
            f"at β = {beta} x keeps {kept:.2f} of itself and gets noise of deviation {share:.2f}; it should be "
            f"{_rest(beta):.2f} and {math.sqrt(beta):.2f}."
        )


# --- count-the-nats: the entropy of a density ------------------------------------------------------------------------


def nats(p: Tensor, dx: float) -> Tensor:
    """−∫ p log p dx of a density p (n,), spacing dx; where p is 0 it adds nothing."""
    return -torch.xlogy(p, p).sum() * dx


_NAN = "0·log 0 came out as NaN. It counts as 0: torch.xlogy(p, p) knows."
_NATS: tuple[tuple[Answer, str], ...] = (
    (
        lambda p, dx: torch.xlogy(p, p).sum() * dx,
        "the sign is wrong: where p is below 1 its logarithm is negative, and the entropy is minus the sum.",
    ),
    (lambda p, dx: nats(p, dx) / math.log(2), "that is in bits: you took log2. Nats come from the natural logarithm."),
    (
        lambda p, dx: -torch.xlogy(p, p).sum(),
        "the sum is no integral yet: each term stands for a stretch of length dx.",
    ),
    (
        lambda p, dx: -torch.xlogy(p * dx, p * dx).sum(),
        "that is the entropy of the cells, which grows with their number. Take the logarithm of p, not of p·dx.",
    ),
)


def _examine_nats(answer: Answer) -> None:
    dx = 0.01
    x = torch.arange(-8, 8, dx, dtype=torch.float64) + dx / 2
    ramp = torch.where((x > -2) & (x < 2), 0.25, 0.0) + 0.125 * (x.abs() < 1) - 0.125 * ((x.abs() > 1) & (x.abs() < 2))
    expected = nats(ramp, dx)
    value = torch.as_tensor(answer(ramp.clone(), dx)).to(expected)
    if bool(value.isnan().any()):
        raise Wrong(_NAN)
    if same(value, expected):
        return
    diagnose(
        value,
        ((diagnosis, wrong(ramp, dx)) for wrong, diagnosis in _NATS),
        f"on a density with two steps the entropy is {expected:.3f} nats, yours is {float(value):.3f}.",
    )


def _try_push(g: torch.Generator) -> Trial:
    x, dt, diffusivity = 5 * torch.randn(10_000, 2, generator=g), uniform(g, 0.1, 0.9), uniform(g, 0.2, 0.8)
    return Trial((x, dt, diffusivity), Law(x, torch.tensor(math.sqrt(2 * diffusivity * dt))))


def _try_share(g: torch.Generator) -> Trial:
    return Trial((torch.rand(9, dtype=torch.float64, generator=g), uniform(g, 0.05, 0.45)))


def _try_noise(g: torch.Generator) -> Trial:
    x, beta = 5 * torch.randn(150, 150, generator=g), uniform(g, 0.05, 0.6)
    return Trial((x, beta), Law(math.sqrt(1 - beta) * x, torch.tensor(math.sqrt(beta))))


def _try_nats(g: torch.Generator) -> Trial:
    p, dx = torch.rand(40, dtype=torch.float64, generator=g), uniform(g, 0.02, 0.2)
    p[::5] = p[-1] = 0  # 0 at the ends, so that the trapezoidal rule is the same sum
    return Trial((p / (p.sum() * dx), dx))


EXERCISES = (
    Exercise(
        "push-the-dots",
        CHAPTER,
        _examine_push,
        push,
        _mistakes(_PUSHES),
        "right: this one line, again and again, is what the ink does.",
        _try_push,
    ),
    Exercise(
        "share-it-out",
        CHAPTER,
        _examine_share,
        share_out,
        _mistakes(_SHARES),
        "right: from more to less, and nothing is lost at the walls. That is the heat equation.",
        _try_share,
    ),
    Exercise(
        "noise-once",
        CHAPTER,
        _examine_noise,
        noise,
        _mistakes(
            (
                (_noised(_rest, math.sqrt, torch.rand), _NOISE_UNIFORM),
                (_noised(_rest, math.sqrt, lambda shape, generator: _drawn(shape, generator).abs()), _NOISE_POSITIVE),
            ),
            tuple((_noised(keep, part, torch.randn), text) for keep, part, text in _FACTORS),
        ),
        "right: shrink a little, shake a little, and a variance of 1 stays 1.",
        _try_noise,
    ),
    Exercise(
        "count-the-nats",
        CHAPTER,
        _examine_nats,
        nats,
        _mistakes((*_NATS, (lambda p, dx: -(p * p.log()).sum() * dx, _NAN))),
        "right: a sum over the grid, in nats, and 0·log 0 is 0.",
        _try_nats,
    ),
)
