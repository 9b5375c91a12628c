"""The walk from noise to data: what a step is, and what takes one after the other."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.schedules import Schedule, check_schedule, check_time

State = object
"""What a step remembers for the next one; None at the start and for every method of one step."""

Step = Callable[[Denoiser, Tensor, Tensor, Tensor, Tensor | None, State, torch.Generator | None], tuple[Tensor, State]]
"""(denoiser, x_t, t, s, cond, state, generator) → (x_s, state), with t and s 0-dimensional and s < t."""


def prior(schedule: Schedule, shape: tuple[int, ...], *, generator: torch.Generator | None = None) -> Tensor:
    """Pure noise to start from: x₁ ~ N(0, σ(1)²·I) of the given shape."""
    shape = _checks.sizes("shape", shape)
    sigma = check_schedule(schedule).sigma(torch.ones((), dtype=torch.float64))
    return float(sigma) * torch.randn(shape, generator=_checks.generator(generator))


def check_step(step: Step) -> None:
    """Check that a step is one, and not what makes one, such as `ddim`, or a sampler's name."""
    _checks.function("step", step, "Use ddim(0.0), ancestral, euler or heun.")
    positional = [p for p in inspect.signature(step).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    if len(positional) < 4:
        raise TypeError(f"step must be a sampler step, got a function of {len(positional)} arguments. Use ddim(0.0).")


def trajectory(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    times: Tensor,
    *,
    cond: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The path of x (B, ...) along falling times (N + 1,): yields x itself and then N further states.

    A generator, so that a progress bar, an animation or an early stop is the caller's choice. Nothing is kept for
    gradients.

    Raises:
        TypeError: for a step that is none.
        ValueError: for times that do not fall, or a non-finite x.
    """
    check_step(step)
    _checks.tensor("x", x)
    _checks.generator(generator)
    check_time(_checks.tensor("times", times, ("steps + 1",)), "times")
    if len(times) < 2 or not (times.diff() < 0).all():
        raise ValueError(f"times must fall from noise to data, got {times.tolist()[:6]}. Make them with time_grid.")
    return _walk(denoiser, step, x, times.to(x.device), cond, generator)


def _walk(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    times: Tensor,
    cond: Tensor | None,
    generator: torch.Generator | None,
) -> Iterator[Tensor]:
    state: State = None
    yield x
    for t, s in pairwise(times):
        with torch.no_grad():
            x, state = step(denoiser, x, t.to(x.dtype), s.to(x.dtype), cond, state, generator)
        yield x


def sample(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    times: Tensor,
    *,
    cond: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The end of `trajectory`: x at the last of the times."""
    path = trajectory(denoiser, step, x, times, cond=cond, generator=generator)
    return deque(path, maxlen=1).pop()


def draw(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)
