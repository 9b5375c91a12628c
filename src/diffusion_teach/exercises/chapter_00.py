"""The exercises of chapter 0, ink.

A solution's source stands in the notebook, folded; it uses nothing but torch and math.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import heat
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake, Wrong, same

CHAPTER = "00_ink"


def _rng() -> torch.Generator:
    return torch.Generator().manual_seed(4)


# --- push-the-dots: one step of a random walk ----------------------------------------------------------------------


def push(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    """Where dots x (N, 2) are after a time dt in still water."""
    eps = torch.randn(x.shape, generator=generator)
    return x + math.sqrt(2 * diffusivity * dt) * eps


def _push_uniform(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(2 * diffusivity * dt) * torch.rand(x.shape, generator=generator)


def _push_by_variance(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + 2 * diffusivity * dt * torch.randn(x.shape, generator=generator)


def _push_without_the_two(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(diffusivity * dt) * torch.randn(x.shape, generator=generator)


def _push_alone(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return math.sqrt(2 * diffusivity * dt) * torch.randn(x.shape, generator=generator)


def _push_diagonally(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(2 * diffusivity * dt) * torch.randn(len(x), 1, generator=generator)


def _push_all_alike(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(2 * diffusivity * dt) * torch.randn(2, generator=generator)


def _push_unseeded(x: Tensor, dt: float, diffusivity: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(2 * diffusivity * dt) * torch.randn(x.shape)


_UNIFORM = "no dot is ever pushed back: `rand` is uniform on [0, 1), and the text says N(0, 1), which is `randn`."
_VARIANCE = "the pushes have the deviation 2D·dt, which is their variance. Take its root: twice the time, √2 the way."
_NO_TWO = "the pushes have the variance D·dt. Each axis gets 2D·dt."
_ALONE = "your dots forget where they were. Add the push to x."
_DIAGONAL = "both coordinates get the same push, so every dot moves along a diagonal. Draw eps of the shape of x."
_ALIKE = "all dots get the same push: that is a current in the water. Draw eps of the shape of x."
_UNSEEDED = "called twice with the same seed it gives different answers. Pass generator=generator to torch.randn."


def _examine_push(answer: Answer) -> None:
    x, dt, diffusivity = 3 + torch.randn(20_000, 2, generator=_rng()), 0.5, 0.3
    value = answer(x, dt, diffusivity, _rng())
    same(value, x)
    if not same(answer(x, dt, diffusivity, _rng()), value):
        raise Wrong(_UNSEEDED)
    if abs(float(value.mean())) < 0.1:
        raise Wrong(_ALONE)
    moved = (value - x).detach()
    if float(moved.std(0).max()) < 1e-3:
        raise Wrong(_ALIKE if float(moved.abs().max()) > 1e-6 else "the dots did not move.")
    if float(moved.min()) >= -1e-6:
        raise Wrong(_UNIFORM)
    if abs(float(torch.corrcoef(moved.T)[0, 1])) > 0.1:
        raise Wrong(_DIAGONAL)
    spread, right = float(moved.std()), math.sqrt(2 * diffusivity * dt)
    for wrong, diagnosis in ((right**2, _VARIANCE), (right / math.sqrt(2), _NO_TWO)):
        if math.isclose(spread, wrong, rel_tol=0.03):
            raise Wrong(diagnosis)
    if not math.isclose(spread, right, rel_tol=0.03) or abs(float(moved.mean())) > 0.05:
        raise Wrong(f"pushes should have mean 0 and deviation {right:.3f}; yours have deviation {spread:.3f}.")


# --- share-it-out: one step of the heat equation -------------------------------------------------------------------


def share_out(ink: Tensor, share: float) -> Tensor:
    """The ink in a row of cells (n,), after each gave `share` of its own to each neighbour."""
    flow = share * (ink[1:] - ink[:-1])  # over each border, from the right cell to the left one
    after = ink.clone()
    after[:-1] += flow
    after[1:] -= flow
    return after


def _share_round(ink: Tensor, share: float) -> Tensor:
    return ink + share * (ink.roll(1) + ink.roll(-1) - 2 * ink)


def _share_through_the_walls(ink: Tensor, share: float) -> Tensor:
    padded = torch.nn.functional.pad(ink, (1, 1))
    return ink + share * (padded[:-2] + padded[2:] - 2 * ink)


def _share_one_way(ink: Tensor, share: float) -> Tensor:
    after = ink.clone()
    after[1:] += share * ink[:-1]
    after[:-1] -= share * ink[:-1]
    return after


def _share_for_free(ink: Tensor, share: float) -> Tensor:
    after = ink.clone()
    after[1:] += share * ink[:-1]
    after[:-1] += share * ink[1:]
    return after


def _share_uphill(ink: Tensor, share: float) -> Tensor:
    return 2 * ink - share_out(ink, share)


def _share_in_turn(ink: Tensor, share: float) -> Tensor:
    after = ink.clone()
    for i in range(len(ink) - 1):
        flow = share * (after[i + 1] - after[i])
        after[i] += flow
        after[i + 1] -= flow
    return after


_ROUND = "the first and the last cell are neighbours in your glass: `roll` goes round. There are walls between them."
_THROUGH = "ink leaves the glass at the ends. The first and the last cell have one neighbour only, so they give once."
_ONE_WAY = "ink moves in one direction only. Each cell gives to both of its neighbours."
_FREE = "your cells receive, but nobody pays: the ink grows more. What one cell gets, another loses."
_UPHILL = "ink flows to where there already is more. The flow is from more to less: change its sign."
_IN_TURN = "the cells give one after the other, so the second gives away what it just got. Compute all flows first."
_CHANGED = "your function changes the ink that it was given. Work on ink.clone()."


def _examine_share(answer: Answer) -> None:
    ink, share = torch.rand(12, dtype=torch.float64, generator=_rng()) + 0.2, 0.2
    given = ink.clone()
    value = answer(given, share)
    if not torch.equal(given, ink):
        raise Wrong(_CHANGED)
    expected = heat.step(ink, share)
    if same(value, expected, tolerance=1e-6):
        return
    for wrong, diagnosis in (
        (_share_round, _ROUND),
        (_share_through_the_walls, _THROUGH),
        (_share_one_way, _ONE_WAY),
        (_share_for_free, _FREE),
        (_share_uphill, _UPHILL),
        (_share_in_turn, _IN_TURN),
    ):
        if same(value, wrong(ink, share), tolerance=1e-6):
            raise Wrong(diagnosis)
    lost = float(ink.sum() - value.sum())
    raise Wrong(f"of {float(ink.sum()):.2f} ink {lost:.2f} is lost; none should be, and each neighbour gets its share.")


def _share_in_place(ink: Tensor, share: float) -> Tensor:
    ink.copy_(share_out(ink, share))
    return ink


# --- noise-once: one step of the noising process -------------------------------------------------------------------


def noise(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    """One step of the noising process, which keeps a variance of 1; x of any shape."""
    eps = torch.randn(x.shape, generator=generator)
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


def _noise_beta(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    return math.sqrt(1 - beta) * x + beta * torch.randn(x.shape, generator=generator)


def _noise_uniform(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * torch.rand(x.shape, generator=generator)


def _noise_without_shrinking(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    return x + math.sqrt(beta) * torch.randn(x.shape, generator=generator)


def _noise_shrunk_too_much(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    return (1 - beta) * x + math.sqrt(beta) * torch.randn(x.shape, generator=generator)


def _noise_swapped(x: Tensor, beta: float, generator: torch.Generator) -> Tensor:
    return math.sqrt(beta) * x + math.sqrt(1 - beta) * torch.randn(x.shape, generator=generator)


_BETA = "the noise has the deviation β. β is its variance: multiply eps by √β, or the variance shrinks at every step."
_NOISE_UNIFORM = "the noise is uniform, `rand`, and never negative. The text says N(0, 1), which is `randn`."
_NOT_SHRUNK = "x is not made smaller, so the variance grows at every step: this explodes it. Multiply x by √(1 − β)."
_TOO_SMALL = "x is multiplied by 1 − β. Variances must add up to 1: (1 − β) + β, so x gets the root, √(1 − β)."
_SWAPPED = "the two factors are exchanged: √(1 − β) belongs to x, √β to the noise. A step noises a little."


def _examine_noise(answer: Answer) -> None:
    x, beta = 2 + torch.randn(40_000, generator=_rng()), 0.2
    value = answer(x, beta, torch.Generator().manual_seed(7))
    same(value, x)
    covariance = torch.cov(torch.stack([x, value.detach()]))
    shrink = float(covariance[0, 1] / covariance[0, 0])
    noise = value.detach() - shrink * x
    share = float(noise.std())
    if float(noise.mean()) > 0.1 and float(noise.min()) > -0.1:
        raise Wrong(_NOISE_UNIFORM)
    for a, s, diagnosis in (
        (math.sqrt(1 - beta), beta, _BETA),
        (1.0, math.sqrt(beta), _NOT_SHRUNK),
        (1 - beta, math.sqrt(beta), _TOO_SMALL),
        (math.sqrt(beta), math.sqrt(1 - beta), _SWAPPED),
    ):
        if math.isclose(shrink, a, rel_tol=0.02) and math.isclose(share, s, rel_tol=0.03):
            raise Wrong(diagnosis)
    if not (
        math.isclose(shrink, math.sqrt(1 - beta), rel_tol=0.02) and math.isclose(share, math.sqrt(beta), rel_tol=0.03)
    ):
        raise Wrong(
            f"at β = {beta} x keeps {shrink:.2f} of itself and gets noise of deviation {share:.2f}; it should be "
            f"{math.sqrt(1 - beta):.2f} and {math.sqrt(beta):.2f}."
        )


# --- count-the-nats: the entropy of a density ----------------------------------------------------------------------


def nats(p: Tensor, dx: float) -> Tensor:
    """−∫ p log p dx of a density p (n,) on a grid of spacing dx; where p is 0 it adds nothing."""
    return -torch.xlogy(p, p).sum() * dx


def _nats_wrong_sign(p: Tensor, dx: float) -> Tensor:
    return torch.xlogy(p, p).sum() * dx


def _nats_bits(p: Tensor, dx: float) -> Tensor:
    return nats(p, dx) / math.log(2)


def _nats_without_dx(p: Tensor, dx: float) -> Tensor:
    return -torch.xlogy(p, p).sum()


def _nats_of_cells(p: Tensor, dx: float) -> Tensor:
    return -torch.xlogy(p * dx, p * dx).sum()


def _nats_of_nothing(p: Tensor, dx: float) -> Tensor:
    return -(p * p.log()).sum() * dx


_SIGN = "the sign is wrong: where p is below 1 its logarithm is negative, and the entropy is minus the sum."
_BITS = "that is in bits: you took log2. Nats come from the natural logarithm."
_NO_DX = "the sum is no integral yet: each term stands for a stretch of length dx."
_CELLS = (
    "that is the entropy of the cells, and grows with their number. Take the logarithm of the density, not of p·dx."
)
_NAN = "0·log 0 came out as NaN. It counts as 0: torch.xlogy(p, p) knows."


def _examine_nats(answer: Answer) -> None:
    dx = 0.01
    x = torch.arange(-8, 8, dx, dtype=torch.float64) + dx / 2
    ramp = torch.where((x > -2) & (x < 2), 0.25, 0.0) + 0.125 * (x.abs() < 1) - 0.125 * ((x.abs() > 1) & (x.abs() < 2))
    expected = nats(ramp, dx)
    value = torch.as_tensor(answer(ramp, dx)).to(expected)
    if bool(value.isnan().any()):
        raise Wrong(_NAN)
    if same(value, expected):
        return
    for wrong, diagnosis in (
        (_nats_wrong_sign, _SIGN),
        (_nats_bits, _BITS),
        (_nats_without_dx, _NO_DX),
        (_nats_of_cells, _CELLS),
    ):
        if same(value, wrong(ramp, dx)):
            raise Wrong(diagnosis)
    raise Wrong(f"on a density with two steps the entropy is {expected:.3f} nats, yours is {float(value):.3f}.")


EXERCISES = (
    Exercise(
        id="push-the-dots",
        chapter=CHAPTER,
        examine=_examine_push,
        solution=push,
        mistakes=(
            Mistake(_push_uniform, _UNIFORM),
            Mistake(_push_by_variance, _VARIANCE),
            Mistake(_push_without_the_two, _NO_TWO),
            Mistake(_push_alone, _ALONE),
            Mistake(_push_diagonally, _DIAGONAL),
            Mistake(_push_all_alike, _ALIKE),
            Mistake(_push_unseeded, _UNSEEDED),
        ),
        praise="right: this one line, again and again, is what the ink does.",
    ),
    Exercise(
        id="share-it-out",
        chapter=CHAPTER,
        examine=_examine_share,
        solution=share_out,
        mistakes=(
            Mistake(_share_round, _ROUND),
            Mistake(_share_through_the_walls, _THROUGH),
            Mistake(_share_one_way, _ONE_WAY),
            Mistake(_share_for_free, _FREE),
            Mistake(_share_uphill, _UPHILL),
            Mistake(_share_in_turn, _IN_TURN),
            Mistake(_share_in_place, _CHANGED),
        ),
        praise="right: from more to less, and nothing is lost at the walls. That is the heat equation.",
    ),
    Exercise(
        id="noise-once",
        chapter=CHAPTER,
        examine=_examine_noise,
        solution=noise,
        mistakes=(
            Mistake(_noise_beta, _BETA),
            Mistake(_noise_uniform, _NOISE_UNIFORM),
            Mistake(_noise_without_shrinking, _NOT_SHRUNK),
            Mistake(_noise_shrunk_too_much, _TOO_SMALL),
            Mistake(_noise_swapped, _SWAPPED),
        ),
        praise="right: shrink a little, shake a little, and a variance of 1 stays 1.",
    ),
    Exercise(
        id="count-the-nats",
        chapter=CHAPTER,
        examine=_examine_nats,
        solution=nats,
        mistakes=(
            Mistake(_nats_wrong_sign, _SIGN),
            Mistake(_nats_bits, _BITS),
            Mistake(_nats_without_dx, _NO_DX),
            Mistake(_nats_of_cells, _CELLS),
            Mistake(_nats_of_nothing, _NAN),
        ),
        praise="right: a sum over the grid, in nats, and 0·log 0 is 0.",
    ),
)
