r"""Walking back from noise to data: a sampler step takes x at time t to an earlier time s.

Every step asks the denoiser for x̂₀ and ε̂ and moves along the line x = α·x₀ + σ·ε.

- `ddim(eta)` keeps a share of the noise it sees and draws the rest anew:
      x_s = α_s·x̂₀ + √(σ_s² − τ²)·ε̂ + τ·z,      τ = η·σ_s·√(1 − SNR_t/SNR_s).
  η = 0 is DDIM. η = 1 is ancestral sampling with the posterior variance, τ² = β̃ (Song et al. 2021a, eqs. 12 and 16).
  DDPM's other variance, σ² = β, is wider than any η gives: `ddim(1, variance="forward")`.
- `ddim(eta, order=2)` remembers the last x̂₀ and continues its change to the middle of the step, in log-SNR. At η = 0
  that is DPM-Solver++ (2M), here `dpm_solver`: second order for one evaluation a step; at η = 1 it is its counterpart
  for the SDE, here `sde_dpm_solver` (Lu et al. 2022, DPM-Solver++, algorithm 2 and appendix).
- `euler` and `heun` are ODE solvers of dx̄/dσ̄ = ε̂ with x̄ = x/α, σ̄ = σ/α, the probability-flow ODE in the coordinates
  in which it is simplest (Song et al. 2021a, eq. 14; Karras et al. 2022, algorithm 1). In them, Euler is DDIM.

A step to σ_s = 0 returns x̂₀ and adds no noise, whatever the generator.
"""

from __future__ import annotations

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

LOGISTIC_MIDDLE, LOGISTIC_WIDTH = -2.0, 1.3
"""Where `time_grid` puts its "logistic" steps: tried on digits in [−1, 1]."""


def _draw(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def ddim(eta: float = 0.0, *, variance: str = "posterior", order: int = 1) -> Step:
    """The family between DDIM (η = 0) and ancestral sampling (η = 1).

    Args:
        eta: the share of the posterior's standard deviation that is drawn anew, in [0, 1].
        variance: "posterior" draws τ² = β̃ at η = 1; "forward" keeps the same mean and draws DDPM's σ² = β instead.
        order: 1 takes x̂₀ as the denoiser says; 2 extrapolates it from the step before, as DPM-Solver++ (2M) does.

    Raises:
        ValueError: for η outside [0, 1], "forward" with η < 1, or another order.
    """
    _checks.number("eta", eta, least=0, most=1)
    _checks.choice("variance", variance, ("posterior", "forward"))
    _checks.integer("order", order, least=1, most=2)
    if variance == "forward" and eta != 1:
        raise ValueError(f"variance='forward' is DDPM's second choice at eta = 1, got eta = {eta:g}.")

    def step(
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Tensor | None,
        state: State,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, State]:
        x0, eps = denoiser(x_t, t, cond)
        schedule = denoiser.schedule
        alpha_s, sigma_s = schedule.alpha(s), schedule.sigma(s)
        if sigma_s == 0:
            return alpha_s * x0, None
        log_snr, log_snr_s = schedule.log_snr(t), schedule.log_snr(s)
        seen = (x0, log_snr) if order == 2 else None
        if isinstance(state, tuple):
            x0, eps = _extrapolated(schedule, x_t, t, x0, log_snr, log_snr_s, *state)
        share = -torch.expm1(log_snr - log_snr_s)
        kept = sigma_s * torch.sqrt(1 - eta**2 * share)
        mean = alpha_s * x0 + kept * eps
        if eta == 0:
            return mean, seen
        drawn = schedule.sigma(t) if variance == "forward" else eta * sigma_s
        return mean + drawn * share.sqrt() * _draw(x_t, generator), seen

    return step


def _extrapolated(
    schedule: Schedule,
    x_t: Tensor,
    t: Tensor,
    x0: Tensor,
    log_snr: Tensor,
    log_snr_s: Tensor,
    x0_before: Tensor,
    log_snr_before: Tensor,
) -> tuple[Tensor, Tensor]:
    """x̂₀ in the middle of the step from t to s, on the line through its last two values; ε̂ so that x_t stays put."""
    ahead = (log_snr_s - log_snr) / (2 * (log_snr - log_snr_before))  # 0 after a step from α = 0, infinitely long
    x0 = x0 + ahead * (x0 - x0_before)
    return x0, (x_t - schedule.alpha(t) * x0) / schedule.sigma(t)


ancestral = ddim(1.0)
"""Ancestral sampling with the posterior variance β̃: `ddim` with η = 1."""

dpm_solver = ddim(0.0, order=2)
"""DPM-Solver++ (2M): `ddim` with η = 0 and order 2."""

sde_dpm_solver = ddim(1.0, order=2)
"""SDE-DPM-Solver++ (2M): ancestral sampling with the same extrapolation, `ddim` with η = 1 and order 2."""


def _scaled(schedule: Schedule, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(x̄, σ̄, α) with x̄ = x/α and σ̄ = σ/α."""
    alpha = schedule.alpha(t)
    if alpha == 0:
        raise ValueError(f"x/α has no meaning at t = {float(t):g}, where α = 0. Start just below, or step with ddim().")
    return x / alpha, schedule.sigma(t) / alpha, alpha


def euler(
    denoiser: Denoiser,
    x_t: Tensor,
    t: Tensor,
    s: Tensor,
    cond: Tensor | None = None,
    state: State = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, State]:
    """One Euler step of dx̄/dσ̄ = ε̂: first order, one evaluation."""
    x_bar, sigma_bar, _ = _scaled(denoiser.schedule, x_t, t)
    _, sigma_bar_s, alpha_s = _scaled(denoiser.schedule, x_t, s)
    return alpha_s * (x_bar + (sigma_bar_s - sigma_bar) * denoiser(x_t, t, cond).eps), None


def heun(
    denoiser: Denoiser,
    x_t: Tensor,
    t: Tensor,
    s: Tensor,
    cond: Tensor | None = None,
    state: State = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, State]:
    """One Heun step of dx̄/dσ̄ = ε̂: second order, two evaluations; an Euler step to σ = 0, where ε̂ has no meaning."""
    x_bar, sigma_bar, _ = _scaled(denoiser.schedule, x_t, t)
    _, sigma_bar_s, alpha_s = _scaled(denoiser.schedule, x_t, s)
    eps = denoiser(x_t, t, cond).eps
    x_s = alpha_s * (x_bar + (sigma_bar_s - sigma_bar) * eps)
    if sigma_bar_s == 0:
        return x_s, None
    slope = (eps + denoiser(x_s, s, cond).eps) / 2
    return alpha_s * (x_bar + (sigma_bar_s - sigma_bar) * slope), None


def time_grid(
    schedule: Schedule, steps: int, *, start: float = 1.0, stop: float = 0.0, spacing: str = "time"
) -> Tensor:
    """steps + 1 falling times from start to stop, shape (steps + 1,), float64.

    `spacing` makes them even

    - in "time";
    - in "log_snr", λ, which must be finite at both ends: with stop = 0 append the 0 yourself;
    - "logistic": in 1/(1 + exp(−(λ − m)/w)), which is finite everywhere. The steps are short around λ = m = −2, where
      a digit's shape is decided, within a few w = 1.3, and long where there is next to nothing or everything to see.
    """
    _checks.integer("steps", steps)
    _checks.number("stop", stop, least=0, below=1)
    _checks.number("start", start, above=stop, most=1)
    if _checks.choice("spacing", spacing, ("time", "log_snr", "logistic")) == "time":
        return torch.linspace(start, stop, steps + 1, dtype=torch.float64)
    first, last = check_schedule(schedule).log_snr(torch.tensor([start, stop], dtype=torch.float64))
    if spacing == "logistic":
        ends = torch.sigmoid((torch.stack([first, last]) - LOGISTIC_MIDDLE) / LOGISTIC_WIDTH)
        even = torch.linspace(float(ends[0]), float(ends[1]), steps + 1, dtype=torch.float64)
        log_snr = LOGISTIC_MIDDLE + LOGISTIC_WIDTH * torch.logit(even)
    elif torch.isfinite(first) and torch.isfinite(last):
        log_snr = torch.linspace(float(first), float(last), steps + 1, dtype=torch.float64)
    else:
        raise ValueError(
            f"the log-SNR is infinite at t = {start:g} or t = {stop:g}. Keep inside (0, 1), or use spacing='time'."
        )
    times = schedule.time_of(log_snr)
    times[0], times[-1] = start, stop
    return times


def prior(schedule: Schedule, shape: tuple[int, ...], *, generator: torch.Generator | None = None) -> Tensor:
    """Pure noise to start from: x₁ ~ N(0, σ(1)²·I) of the given shape."""
    shape = _checks.sizes("shape", shape)
    sigma = check_schedule(schedule).sigma(torch.ones((), dtype=torch.float64))
    return float(sigma) * torch.randn(shape, generator=_checks.generator(generator))


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
    given: object = step
    _checks.function("step", given, "Use ddim(0.0), ancestral, euler or heun.")
    if given is ddim:
        raise TypeError("step must be a sampler step; ddim makes one from eta. Use ddim(0.0).")
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
