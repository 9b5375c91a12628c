r"""Langevin dynamics: uphill along a score, with noise, until the points are draws from the density.

    x ← x + h·∇log p(x) + √(2h)·z,    z ~ N(0, I)

In the limit of many small steps the points follow p, wherever they started. A finite step h
leaves a bias. On N(0, τ²) the step is x ← ρ·x + √(2h)·z with ρ = 1 − h/τ², so it forgets by the factor ρ, and settles
at the variance 2h/(1 − ρ²) = τ²/(1 − h/(2τ²)): too wide, and without bound from h = 2τ² on.

`annealed` is the same at one noise level after the other, from the largest to the smallest, with a step h = r·σ² that
shrinks with the level (Song and Ermon 2019, algorithm 1, with its ε = 2r·σ_L²). In it x/α stays as it is from one level
to the next, so that it runs on every schedule: on VE, α = 1, it is the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser, score
from diffusion_teach.samplers.walk import Noise, State, Step, check_move, noise_of
from diffusion_teach.schedules import Schedule, check_schedule

RATIO = 0.1
"""h/σ² of the first NCSN: its ε = 2e-5 at σ_L = .01."""
CORRECTIONS = 5
"""Langevin steps at each noise level; the first NCSN took a hundred."""


def langevin(
    score: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    h: float,
    steps: int,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The path of points under Langevin dynamics: yields x and then `steps` further states; nothing for gradients.

    NCSN writes the step size as α = 2h: x + α/2·∇log p + √α·z.

    Args:
        score: ∇ log p, (B, ...) to (B, ...).
        x: where the points start, (B, ...).
        h: the step size, a squared length.
        steps: how many.
        noise: z of each step; by default N(0, I) from the generator.
        generator: the shorthand for it.

    Raises:
        ValueError: for a step size or a number of steps that is not positive.
        TypeError: for a score that cannot be called.
    """
    _checks.function("score", score)
    _checks.tensor("x", x)
    h = _checks.number("h", h, above=0)
    steps = _checks.integer("steps", steps)
    return _walk(score, x, h, steps, noise_of(noise, generator))


def _walk(
    score: Callable[[Tensor], Tensor], x: Tensor, h: float | Tensor, steps: int, noise: Noise
) -> Iterator[Tensor]:
    yield x
    for _ in range(steps):
        with torch.no_grad():
            slope = score(x)
            _checks.same_shape("score(x)", slope, "x", x)
            x = x + h * slope + (2 * h) ** 0.5 * noise(x)
        yield x


def stationary_variance(variance: float, h: float) -> float:
    """What Langevin dynamics of step h makes of N(0, τ²): τ²/(1 − h/(2τ²)).

    Raises:
        ValueError: for h ≥ 2τ², where the points run away.
    """
    variance = _checks.number("variance", variance, above=0)
    h = _checks.number("h", h, above=0)
    if h >= 2 * variance:
        raise ValueError(f"with a step h of at least twice the variance, {2 * variance:g}, points run away: got {h:g}.")
    return variance / (1 - h / (2 * variance))


def correct(
    denoiser: Denoiser,
    x_t: Tensor,
    t: Tensor,
    *,
    steps: int = 1,
    ratio: float = RATIO,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Langevin steps at one noise level, towards q_t, with h = ratio·σ(t)²; x_t (B, ...), t 0-dimensional.

    Raises:
        ValueError: where σ = 0, and for a model whose answer is no score.
    """
    check_denoiser("denoiser", denoiser)
    _checks.tensor("x_t", x_t)
    if _checks.tensor("t", t).ndim:
        raise ValueError(f"t must be one time, the noise level of all rows, got {_checks.describe(t)}.")
    steps = _checks.integer("steps", steps)
    ratio = _checks.number("ratio", ratio, above=0, below=2)
    h = ratio * denoiser.schedule.sigma(t).square()
    *_, last = _walk(lambda x: score(denoiser, x, t), x_t, h, steps, noise_of(noise, generator))
    return last


def annealed(*, corrections: int = CORRECTIONS, ratio: float = RATIO, denoise: bool = True) -> Step:
    """Annealed Langevin dynamics as a step of `samplers.trajectory`, whose times are the noise levels and then 0.

    Each step corrects x_t at its level t, and hands x/α on to the next level s as it is. The step to σ_s = 0 ends with
    x̂₀ = (x + σ²·∇log q_t)/α, one more evaluation and no noise (Jolicoeur-Martineau et al. 2021).

    Args:
        corrections: Langevin steps at each level, the paper's T.
        ratio: r of the step size h = r·σ².
        denoise: whether to end so; without it the noise of the last level stays, as in Song and Ermon (2019).

    Raises:
        ValueError: for corrections or a ratio out of range; later, for a schedule with α = 0 at one of the times.
    """
    corrections = _checks.integer("corrections", corrections)
    ratio = _checks.number("ratio", ratio, above=0, below=2)
    denoise = _checks.flag("denoise", denoise)

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        alpha, alpha_s = denoiser.schedule.alpha(t), denoiser.schedule.alpha(s)
        if alpha == 0:
            raise ValueError(f"x/α has no meaning at t = {float(t):g}, where α = 0. Start just below.")
        x = correct(denoiser, x_t, t, steps=corrections, ratio=ratio, noise=noise)
        if denoise and denoiser.schedule.sigma(s) == 0:
            return alpha_s * denoiser(x, t).x0, None
        return x * (alpha_s / alpha), None

    return step


def ladder(schedule: Schedule, levels: int, *, smallest: float = 0.1, largest: float | None = None) -> Tensor:
    """The times of a geometric ladder of noise, σ/α falling by one factor from level to level, and a 0 at the end.

    Args:
        schedule: on VE, where α = 1, the levels are those of σ itself.
        levels: L, how many; 1 is the largest alone.
        smallest: σ/α of the last level. What it leaves the last, denoising step takes off.
        largest: of the first; by default that of t = 1.

    Returns:
        (levels + 1,) falling times, float64.

    Raises:
        ValueError: for levels that the schedule does not reach, or that do not fall.
    """
    levels = _checks.integer("levels", levels)
    ends = -0.5 * check_schedule(schedule).log_snr(torch.tensor([1.0, 1e-6], dtype=torch.float64))
    top = math.exp(float(ends[0])) if largest is None else _checks.number("largest", largest, above=0)
    if not math.isfinite(top):
        raise ValueError("σ/α is infinite at t = 1, where α = 0. Say where to begin: largest=50.")
    smallest = _checks.number("smallest", smallest, above=0, below=top)
    if math.log(top) > float(ends[0]) + 1e-9 or math.log(smallest) < float(ends[1]):
        low, high = ends.flip(0).exp().tolist()
        raise ValueError(f"the schedule's σ/α runs from {low:g} to {high:g}; asked for {smallest:g} to {top:g}.")
    wanted = torch.linspace(math.log(top), math.log(smallest), levels, dtype=torch.float64)
    times = schedule.time_of(-2 * wanted)
    if largest is None:
        times[0] = 1
    return torch.cat([times, times.new_zeros(1)])
