"""`share-it-out`: one step of the heat equation."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from diffusion_teach.exercises.chapter_00._shared import mistakes, rng
from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise
from diffusion_teach.exercises.trials import Trial, uniform
from diffusion_teach.physics import heat


def share_out(ink: Tensor, share: float) -> Tensor:
    """Ink in cells (n,) after each gave `share` of its own to each neighbour."""
    flow = share * (ink[1:] - ink[:-1])  # over each border, from right to left
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


def _examine(answer: Answer) -> None:
    ink, share = torch.rand(12, dtype=torch.float64, generator=rng()) + 0.2, 0.2
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


def _trial(g: torch.Generator) -> Trial:
    return Trial((torch.rand(9, dtype=torch.float64, generator=g), uniform(g, 0.05, 0.45)))


EXERCISE = Exercise(
    id="share-it-out",
    chapter="00_ink",
    examine=_examine,
    solution=share_out,
    mistakes=mistakes(_SHARES),
    praise="right: from more to less, and nothing is lost at the walls. That is the heat equation.",
    trial=_trial,
)
