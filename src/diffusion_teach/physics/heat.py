r"""Ink in still water: what one dot does, and what all of them do.

A dot is pushed about at random: after a time t it is displaced by √(2Dt)·ε in each direction, ε ~ N(0, 1). Where there
are many dots, their density follows the heat equation,

    ∂p/∂t = D·Δp,

with D the diffusivity. Einstein (1905) tied the two together. The water stands in a glass, the square from −wall to
wall, whose walls reflect: no ink leaves it.

Ink is kept as the *shares* in the cells of an even grid: a tensor that sums to 1. On such a grid one can solve the heat
equation

- step by step, each cell giving a share of its ink to each neighbour (`step`, explicit finite differences);
- at once, as a sum of cosines, each of which only shrinks, by the factor exp(−k²Dt) (`solve`).

Run backwards the same factor is exp(+k²D|t|): it grows without bound with the fineness k, and takes every rounding
error with it. What does run backwards is the walk, if each dot is told the score, ∇ log p (`reverse_walk`; Anderson
1982).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from diffusion_teach import _checks

Score = Callable[[Tensor, float], Tensor]
"""∇ log p of points (N, d) at a time."""

LEAST = 1e-11
"""Of the fullest cell's ink: less is no ink, but the rounding of a sum of cosines."""


def _shares(name: str, value: Tensor) -> Tensor:
    """Check ink on a grid: (n,) or (n, n)."""
    _checks.tensor(name, value)
    if value.ndim not in (1, 2) or len(set(value.shape)) != 1 or len(value) < 2:
        raise ValueError(
            f"{name} must be a line (n,) or a square (n, n) of at least 2 cells, got {tuple(value.shape)}."
        )
    if not value.max() > 0:
        raise ValueError(f"{name} must be shares of the cells, some above 0, got {float(value.max()):g} at most.")
    return value


def cells(n: int, wall: float) -> Tensor:
    """The centres of the cells of a glass, (n, n, 2): [row, column] at (x₁, x₂).

    Rows run along x₂ from the bottom, columns along x₁, as a picture with its origin below.
    """
    n = _checks.integer("n", n, least=2)
    wall = _checks.number("wall", wall, above=0)
    line = wall * ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1)
    x2, x1 = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x1, x2], dim=-1)


def discretise(log_prob: Callable[[Tensor], Tensor], n: int, wall: float) -> Tensor:
    """Ink in the plane's cells, (n, n) and summing to 1, in proportion to a density at their centres.

    Args:
        log_prob: (..., 2) to (...), up to a constant.
        n: cells on a side; the density should be smooth on the scale of a cell, 2·wall/n.
        wall: of the glass.
    """
    values = _checks.function("log_prob", log_prob)(cells(n, wall))
    _checks.tensor("what log_prob returns", values, (n, n), finite=False)
    return values.flatten().softmax(0).reshape(n, n)


def histogram(x: Tensor, n: int, wall: float) -> Tensor:
    """The share of the dots x (N, 2) in each cell of the glass, (n, n), float64.

    Raises:
        ValueError: where a dot lies outside the glass.
    """
    _checks.tensor("x", x, ("N", 2))
    n = _checks.integer("n", n, least=2)
    _inside(x, wall)
    place = ((x.double() / wall + 1) / 2 * n).long().clamp(max=n - 1)
    return torch.bincount(place[:, 1] * n + place[:, 0], minlength=n * n).double().reshape(n, n) / len(x)


def _inside(x: Tensor, wall: float) -> None:
    wall = _checks.number("wall", wall, above=0)
    if not (x.abs() <= wall).all():
        raise ValueError(
            f"x must lie in the glass, between −{wall:g} and {wall:g}; got values from {float(x.min()):g} to "
            f"{float(x.max()):g}. Use a wider glass, or x.clamp(-{wall:g}, {wall:g})."
        )


def reflect(x: Tensor, wall: float) -> Tensor:
    """Fold points back into the glass from −wall to wall, as if its walls were mirrors; any shape."""
    _checks.tensor("x", x)
    wall = _checks.number("wall", wall, above=0)
    return wall - ((x + wall).remainder(4 * wall) - 2 * wall).abs()


def random_walk(
    x: Tensor, time: float, *, wall: float, diffusivity: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Where dots x (N, d) are after a time: x + √(2Dt)·ε, reflected at the walls. One step of any length is exact.

    Args:
        x: the dots, within the glass.
        time: t, not negative.
        wall: of the glass.
        diffusivity: D, in squared units of length a unit of time.
        generator: of ε.
    """
    _checks.tensor("x", x, ("N", "d"))
    _inside(x, wall)
    variance = 2 * _checks.number("diffusivity", diffusivity, above=0) * _checks.number("time", time, least=0)
    eps = torch.randn(x.shape, dtype=x.dtype, generator=_checks.generator(generator))
    return reflect(x + math.sqrt(variance) * eps, wall)


def step(ink: Tensor, share: float) -> Tensor:
    """One small step of the heat equation: each cell gives `share` of its ink to each of its neighbours.

    It is the explicit scheme p_i ← p_i + share·(p_{i−1} − 2p_i + p_{i+1}) along each axis, with share = D·Δt/Δx².

    Args:
        ink: (n,) or (n, n).
        share: at most 1/2 on the line and 1/4 in the plane: a cell cannot give more than it has. Beyond that limit the
            scheme is unstable, and grows a chessboard without bound.

    Returns:
        The ink afterwards, shaped like it. Nothing is lost at the walls.
    """
    _shares("ink", ink)
    limit = 1 / (2 * ink.ndim)
    share = _checks.number("share", share, above=0)
    if share > limit:
        raise ValueError(
            f"share = D·Δt/Δx² must be at most {limit:g} in {ink.ndim} dimensions, or the step is unstable; got "
            f"{share:g}. Take a shorter time step or larger cells."
        )
    after = ink.clone()
    for axis in range(ink.ndim):
        flow = share * ink.diff(dim=axis)  # from each cell's right neighbour, against the slope
        n = ink.shape[axis]
        after.narrow(axis, 0, n - 1).add_(flow)
        after.narrow(axis, 1, n - 1).sub_(flow)
    return after


def _cosines(n: int, dtype: torch.dtype) -> Tensor:
    """The orthonormal cosines that fit between mirrors, one a row: cos(πm(i + ½)/n), m = 0 … n − 1."""
    m, i = torch.arange(n, dtype=dtype)[:, None], torch.arange(n, dtype=dtype) + 0.5
    waves = torch.cos(math.pi * m * i / n) * math.sqrt(2 / n)
    waves[0] /= math.sqrt(2)
    return waves


def solve(ink: Tensor, time: float, *, wall: float, diffusivity: float = 1.0) -> Tensor:
    """The heat equation, solved: ink (n,) or (n, n) after a time.

    It is a sum of cosines that shrink by exp(−k²Dt). The cosine m has k = πm/(2·wall).
    With m = 0 it is the mean, which stays: no ink is lost. The result is exact for ink
    that is smooth on the scale of a cell.

    Args:
        ink: shares of the cells.
        time: t. A negative time asks for the past: each cosine grows by exp(k²D|t|),
            and so does its error.
        wall: of the glass.
        diffusivity: D.
    """
    _shares("ink", ink)
    wall = _checks.number("wall", wall, above=0)
    diffusivity = _checks.number("diffusivity", diffusivity, above=0)
    exponent = diffusivity * _checks.number("time", time)
    n = len(ink)
    k = math.pi * torch.arange(n, dtype=ink.dtype) / (2 * wall)
    waves = _cosines(n, ink.dtype)
    kernel = waves.T @ (torch.exp(-exponent * k**2)[:, None] * waves)
    return kernel @ ink if ink.ndim == 1 else kernel @ ink @ kernel.T


def score(ink: Tensor, x: Tensor, *, wall: float) -> Tensor:
    """The score ∇ log p of ink (n, n) at dots x (N, 2).

    Differences of the cells' logarithms, interpolated. Where there is less than
    `LEAST` of the fullest cell's ink the slope is that of an even floor, 0.
    """
    _checks.tensor("ink", _shares("ink", ink), ("n", "n"))
    _checks.tensor("x", x, ("N", 2))
    _inside(x, wall)
    log = ink.clamp(min=LEAST * float(ink.max())).log()
    along_x2, along_x1 = torch.gradient(log, spacing=2 * wall / len(ink))
    field = torch.stack([along_x1, along_x2])[None].to(x.dtype)
    at = (x / wall).reshape(1, 1, -1, 2)
    found = torch.nn.functional.grid_sample(
        field,
        at,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return found[0, :, 0].T


def reverse_walk(
    x: Tensor,
    times: Tensor,
    score: Score | None,
    *,
    wall: float,
    diffusivity: float = 1.0,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Walk dots from late to early, reflected at the walls (Anderson 1982).

    Each step is x ← x + 2D·∇log p(x, t)·Δt + √(2DΔt)·ε.

    Args:
        x: (N, d) the dots at the latest time.
        times: (T,) falling.
        score: ∇ log p(x, t) of the ink at that time; None walks without it, which is
            spreading again.
        wall: of the glass.
        diffusivity: D.
        generator: of ε.

    Yields:
        x itself, and then the dots at each further time: T tensors.
    """
    _checks.tensor("x", x, ("N", "d"))
    _inside(x, wall)
    diffusivity = _checks.number("diffusivity", diffusivity, above=0)
    _checks.tensor("times", times, ("T",))
    if len(times) < 2 or not (times.diff() < 0).all() or not (times >= 0).all():
        wanted = "must fall, from late to early, and not below 0: at least 2"
        raise ValueError(f"times {wanted}, got {times.tolist()[:6]}.")
    if score is not None:
        hint = "Use lambda x, t: heat.score(ink_at(t), x, wall=wall)."
        _checks.function("score", score, hint)
    _checks.generator(generator)

    def walk(x: Tensor) -> Iterator[Tensor]:
        yield x
        for late, early in pairwise(times.tolist()):
            if score is not None:
                x = reflect(x + 2 * diffusivity * (late - early) * score(x, late), wall)
            x = random_walk(
                x,
                late - early,
                wall=wall,
                diffusivity=diffusivity,
                generator=generator,
            )
            yield x

    return walk(x)
