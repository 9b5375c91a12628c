"""A figure that changes while a model trains, and leaves one picture with constant text behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffusion_teach import _checks
from diffusion_teach.plots import output, style

REDRAWS = 10
"""How often the picture of a loss changes in a run; each costs about a tenth of a second."""


class LiveFigure:
    """One output whose picture `update` replaces in place; its text stays.

    Args:
        alt: the alternative text, without a measured value.
        draw: makes the figure from what `update` is given.
    """

    def __init__(self, alt: str, draw: Callable[..., Figure]) -> None:
        self.alt = output.check_alt(alt)
        self.draw = draw
        self._handle: Any = None

    def update(self, *state: Any) -> None:
        """Draw the figure anew from `state` and replace what is shown."""
        fig = self.draw(*state)
        self._handle = output.publish(output.png(fig), self.alt, self._handle, updatable=True)
        output.close(fig)


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean of the last `window` values at each place, of fewer at the beginning."""
    _checks.integer("window", window)
    total = torch.tensor(values, dtype=torch.float64).cumsum(0)
    count = torch.arange(1, len(values) + 1).clamp_max(window)
    before = torch.cat([torch.zeros(min(window, len(values)), dtype=torch.float64), total[:-window]])
    return ((total - before) / count).tolist()


def loss_curve(
    ax: Axes,
    losses: Sequence[float],
    *,
    floor: float | None = None,
    steps: int | None = None,
    label: str = "loss",
) -> None:
    """Draw a loss over the steps: each value faintly, the running mean on it, the known floor dashed.

    The axis is logarithmic where all losses are positive.

    Args:
        ax: the panel.
        losses: one a step.
        floor: the loss of the exact answer, below which no model gets on average.
        steps: of the whole run, for the axis.
        label: what the loss is.
    """
    if not losses:
        raise ValueError("losses is empty, expected one value for each step.")
    window = max(1, len(losses) // 40)
    stride = max(1, len(losses) // 1500)
    place = range(1, len(losses) + 1)
    ax.plot(place[::stride], losses[::stride], color=style.MODEL, alpha=0.25, linewidth=0.6)
    ax.plot(place, running_mean(losses, window), color=style.MODEL, linewidth=1.6, label="model, running mean")
    if floor is not None:
        ax.axhline(_checks.number("floor", floor), **style.EXACT_LINE, label="floor (exact answer)")
    if min(losses) > 0 and (floor is None or floor > 0):
        ax.set_yscale("log")
    ax.set(xlabel="training step", ylabel=label, xlim=(0, steps or max(len(losses), 2)))
    ax.legend(loc="upper right")


class LiveLoss:
    """Draws the loss while it falls: pass it as `on_step` to `training.fit`.

    Args:
        steps: of the whole run; the last one is always drawn, so that the stored picture is the final one.
        alt: the alternative text, without a measured value.
        floor: the loss of the exact answer, drawn dashed.
        label: what the loss is.
        title: of the figure.
    """

    def __init__(
        self,
        steps: int,
        *,
        alt: str = "The training loss falls towards its floor.",
        floor: float | None = None,
        label: str = "loss",
        title: str = "Training",
    ) -> None:
        self.steps = _checks.integer("steps", steps)
        self.every = max(1, math.ceil(steps / REDRAWS))
        self.floor = None if floor is None else _checks.number("floor", floor)
        self.label, self.title = label, title
        self.losses: list[float] = []
        self.figure = LiveFigure(alt, self._draw)

    def __call__(self, step: int, loss: float) -> None:
        """Take in the loss of a step, counted from 0."""
        self.losses.append(loss)
        if (step + 1) % self.every == 0 or step + 1 == self.steps:
            self.figure.update()

    def _draw(self) -> Figure:
        fig, (ax,) = style.subplots(panel=(7.0, 3.0), title=self.title)
        loss_curve(ax, self.losses, floor=self.floor, steps=self.steps, label=self.label)
        return fig
