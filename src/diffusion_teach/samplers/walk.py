"""The walk from noise to data: what a step is, what noise is, and what takes one step after the other."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.schedules import Schedule, check_schedule, check_time

State = object
"""What a step remembers for the next one; None at the start and for every method of one step."""

Noise = Callable[[Tensor], Tensor]
"""A draw of noise shaped like its argument. It may be projected (to zero centre of mass) or masked (of padded sets)."""

Step = Callable[[Denoiser, Tensor, Tensor, Tensor, State, Noise], tuple[Tensor, State]]
"""(denoiser, x_t, t, s, state, noise) → (x_s, state), with t and s 0-dimensional and s < t."""


def gaussian(generator: torch.Generator | None = None) -> Noise:
    """The noise of every chapter, N(0, I): independent numbers from a generator, or from torch's global one."""
    _checks.generator(generator)
    return lambda like: torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def noise_of(noise: Noise | None, generator: torch.Generator | None) -> Noise:
    """The noise that was given, or N(0, I) from the generator, which is the shorthand for it."""
    if noise is None:
        return gaussian(generator)
    if generator is not None:
        raise ValueError("noise decides what is drawn, and generator is its shorthand: give one of them.")
    _checks.function("noise", noise, "Use samplers.gaussian(generator), or generator=….")
    return lambda like: _drawn(noise(like), like)


def _drawn(z: Tensor, like: Tensor) -> Tensor:
    """A draw of somebody's noise, which must be like the argument in shape, dtype and device."""
    _checks.same_shape("what noise(x) returns", _checks.tensor("what noise(x) returns", z), "x", like)
    return z.to(like)


def prior(
    schedule: Schedule,
    shape: tuple[int, ...],
    *,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Pure noise to start from: x₁ ~ N(0, σ(1)²·I) of the given shape, or σ(1) times another `noise`."""
    shape = _checks.sizes("shape", shape)
    sigma = check_schedule(schedule).sigma(torch.ones((), dtype=torch.float64))
    return float(sigma) * noise_of(noise, generator)(torch.empty(shape))


def check_step(step: Step) -> None:
    """Check that a step is one, and not what makes one, such as `ddim`, or a sampler's name."""
    _checks.function("step", step, "Use ddim(0.0), ancestral, euler or heun.")
    try:
        inspect.signature(step.forward if isinstance(step, nn.Module) else step).bind(*range(6))
    except (TypeError, ValueError):
        raise TypeError(
            "step must take (denoiser, x_t, t, s, state, noise), and this function does not. Use ancestral, euler, "
            "heun, or what ddim makes: ddim(0.0)."
        ) from None


def clock(x: Tensor) -> torch.dtype:
    """In what times are told to a step: x's own dtype, but float32 at least, where neighbouring times stay apart."""
    return torch.promote_types(_checks.tensor("x", x, finite=False).dtype, torch.float32)


def check_times(times: Tensor) -> Tensor:
    """Check the times of a walk, (N + 1,) falling from noise to data."""
    check_time(_checks.tensor("times", times, ("steps + 1",)), "times")
    if len(times) < 2 or not (times.diff() < 0).all():
        raise ValueError(f"times must fall from noise to data, got {times.tolist()[:6]}. Make them with time_grid.")
    return times


def check_move(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor) -> None:
    """Check what a step is given: a denoiser, points, and two times, of which the second lies nearer to data."""
    check_denoiser("denoiser", denoiser)
    _checks.tensor("x_t", x_t, finite=False)
    if check_time(t).ndim or check_time(s, "s").ndim or not s < t:
        raise ValueError(f"s must lie before t, each one time: got t = {t.tolist()} and s = {s.tolist()}.")


def trajectory(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    times: Tensor,
    *,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The path of x (B, ...) along falling times (N + 1,): yields x itself and then N further states.

    A generator, so that a progress bar, an animation or an early stop is the caller's choice. Nothing is kept for
    gradients.

    Args:
        denoiser: with its condition bound, see `Denoiser.given`.
        step: such as `ancestral`, or what `ddim` makes.
        x: where the walk begins.
        times: such as `time_grid` gives.
        noise: what the step draws; by default N(0, I) from the generator.
        generator: the shorthand for it.

    Raises:
        TypeError: for a step that is none.
        ValueError: for times that do not fall, a non-finite x, or one whose samples have another shape than the
            denoiser's.
    """
    check_denoiser("denoiser", denoiser)
    check_step(step)
    _checks.tensor("x", x)
    if denoiser.shape is not None and tuple(x.shape[-len(denoiser.shape) :]) != denoiser.shape:
        raise ValueError(f"x must hold samples of shape {denoiser.shape}, got {_checks.describe(x)}.")
    return _walk(denoiser, step, x, check_times(times).to(x.device, clock(x)), noise_of(noise, generator))


def _walk(denoiser: Denoiser, step: Step, x: Tensor, times: Tensor, noise: Noise) -> Iterator[Tensor]:
    state: State = None
    yield x
    for t, s in pairwise(times):
        with torch.no_grad():
            x, state = step(denoiser, x, t, s, state, noise)
        yield x


def sample(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    times: Tensor,
    *,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The end of `trajectory`: x at the last of the times."""
    return deque(trajectory(denoiser, step, x, times, noise=noise, generator=generator), maxlen=1).pop()
