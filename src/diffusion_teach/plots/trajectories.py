"""The path of a sampler as strips of images over time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots.grids import as_bytes, image_rows


def strip(
    trajectory: Tensor | Sequence[Tensor], times: Tensor | Sequence[float], *, columns: int = 9, title: str = ""
) -> Figure:
    """A figure of images over time: one row an image, one column a time, the first and the last time among them.

    Args:
        trajectory: (T, n, 1, H, W) in [−1, 1], or the T tensors that a sampler yields; values outside are clamped.
        times: (T,) the time of each.
        columns: times shown, evenly spaced among the T; at least 2.
        title: over the whole figure.
    """
    steps = _stack(trajectory)
    _checks.tensor("trajectory", steps, ("T", "n", 1, "H", "W"), finite=False)
    clock = [float(t) for t in times]
    if len(clock) != len(steps):
        raise ValueError(f"times must give the time of each of the {len(steps)} steps, got {len(clock)}.")
    columns = min(_checks.integer("columns", columns, least=2), len(steps))
    chosen = torch.linspace(0, len(steps) - 1, columns).round().long()
    rows = {" " * row: as_bytes(steps[chosen, row]) for row in range(steps.shape[1])}
    return image_rows(rows, title=title, column_titles=[f"t = {clock[i]:.2f}" for i in chosen.tolist()])


def _stack(trajectory: Tensor | Sequence[Tensor]) -> Tensor:
    if isinstance(trajectory, Tensor):
        return trajectory.detach().cpu()
    steps = list(trajectory)
    if not steps:
        raise ValueError("trajectory is empty, expected the tensors that a sampler yields.")
    for index, step in enumerate(steps):
        _checks.tensor(f"trajectory[{index}]", step, finite=False)
        _checks.same_shape(f"trajectory[{index}]", step, "trajectory[0]", steps[0])
    return torch.stack([step.detach().cpu() for step in steps])
