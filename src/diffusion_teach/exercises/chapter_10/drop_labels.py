"""`drop-labels`: the labels of a batch, some of them replaced by the one that stands for none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform


def drop_labels(
    labels: Tensor,
    none: int,
    share: float,
    generator: Generator,
) -> Tensor:
    """The labels (B,), each replaced by `none` with probability `share`."""
    dropped = torch.rand(labels.shape, generator=generator) < share
    return torch.where(dropped, none, labels)


def _read(value: Any, labels: Tensor, none: int) -> Tensor:
    """An answer's labels as numbers; raises `Wrong` where one is neither its own label nor none."""
    same(value, labels)
    value = value.detach().to(labels)
    other = (value != labels) & (value != none)
    if other.any():
        place = int(other.nonzero()[0])
        raise Wrong(
            f"label {place} is {int(labels[place])}, and yours is {int(value[place])}: a label stays what it is, or "
            f"becomes {none}."
        )
    return value.double()


def _examine(answer: Any) -> None:
    labels, none, share = torch.arange(20_000) % 7, 7, 0.3
    value = _read(answer(labels, none, share, torch.Generator().manual_seed(1)), labels, none)
    gone = float((value == none).double().mean())
    if gone in (0.0, 1.0):
        again = [answer(labels, none, share, torch.Generator().manual_seed(seed)) for seed in range(2, 12)]
        if any(not torch.equal(one.to(value), value) for one in again):
            raise Wrong("one coin falls for the whole batch. Each label needs its own.")
    named = {
        "no label is ever dropped.": 0.0,
        "all labels are dropped.": 1.0,
        f"you keep with probability {share}, and drop with {1 - share:g}. It is the other way round.": 1 - share,
        "of a normal number you ask whether it is below the share. A coin is a uniform one: `torch.rand`.": 0.618,
    }
    diagnose(gone, named.items(), near=within(0.015))
    if abs(gone - share) > 0.015:
        raise Wrong(f"with a share of {share} you drop {gone:.3f} of the labels.")
    of_each = torch.stack([(value[labels == k] == none).double().mean() for k in range(7)])
    if float(of_each.max() - of_each.min()) > 0.1:
        raise Wrong("some labels are dropped more often than others. All coins are alike.")
    again = [answer(labels, none, share, torch.Generator().manual_seed(seed)) for seed in range(2, 7)]
    if len({int((one.to(value) == none).sum()) for one in again}) == 1:
        raise Wrong("as many labels are dropped each time. Each has a coin of its own, so their number varies.")


def _trial(g: Generator) -> Trial:
    none, share = int(torch.randint(6, 12, (), generator=g)), uniform(g, 0.1, 0.6)
    labels = torch.randint(none, (8000,), generator=g)
    gap = none - labels.double()
    law = Law(labels + share * gap, gap * (share * (1 - share)) ** 0.5, gaussian=False)
    return Trial((labels, none, share), law, lambda value: _read(value, labels, none))


def _as_many(labels: Tensor, none: int, share: float, generator: Generator) -> Tensor:
    """A mistake: the share is kept to exactly, whoever is drawn."""
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    return labels.index_fill(0, chosen, none)


EXERCISE = Exercise(
    id="drop-labels",
    chapter="10_guidance",
    examine=_examine,
    solution=drop_labels,
    mistakes=(
        Mistake(lambda c, n, p, g: torch.where(torch.rand(c.shape, generator=g) < p, c, n), "other way round"),
        Mistake(lambda c, n, p, g: torch.where(torch.rand((), generator=g) < p, n, c), "for the whole batch"),
        Mistake(lambda c, n, p, g: torch.where(torch.randn(c.shape, generator=g) < p, n, c), "A coin is a uniform one"),
        Mistake(lambda c, n, p, g: c.clone(), "no label is ever dropped"),
        Mistake(lambda c, n, p, g: torch.full_like(c, n), "all labels are dropped"),
        Mistake(lambda c, n, p, g: torch.where(torch.rand(c.shape, generator=g) < p, 0, c), "stays what it is"),
        Mistake(lambda c, n, p, g: torch.where(torch.rand(c.shape, generator=g) < 0.2, n, c), "you drop 0.2"),
        Mistake(_as_many, "as many labels are dropped each time"),
        Mistake(lambda c, n, p, g: torch.where(torch.rand(c.shape) < p, n, c), "not repeatable"),
    ),
    praise="one network, asked with a label and without one: all that guidance needs.",
    trial=_trial,
)
