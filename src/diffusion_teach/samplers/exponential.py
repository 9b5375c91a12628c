r"""Exponential integrators: DDIM's step with the mean of an answer over the step instead of its value at the start.

On the line x = α·x₀ + σ·ε the probability flow can be written in two ways,

    d(x/α) = ε̂ d(σ/α)      and      d(x/σ) = x̂₀ d(α/σ),

so that a step from t to s is, exactly, x_s = α_s·x̂₀ + σ_s·ε̂, where one of the two is the mean of the answer over the
step and the other follows from x_t = α_t·x̂₀ + σ_t·ε̂. In ℓ = log(α/σ), half the log-SNR, the mean of ε̂ has the weight
e^(−ℓ), that of x̂₀ the weight e^ℓ. DDIM takes the answer at t for it. A polynomial in ℓ through several answers has a
mean in closed form, and that makes the solvers of higher order:

- `singlestep`: answers of this step, at places inside it (DPM-Solver, Lu et al. 2022a);
- `multistep`: answers of the last steps, which cost nothing (DPM-Solver++, Lu et al. 2022b; DEIS, Zhang and Chen 2023).

A step from α = 0 or to σ = 0 is infinitely long in ℓ: it is DDIM's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks, devices
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers.walk import Noise, State, Step, check_move
from diffusion_teach.schedules import Schedule

ANSWERS = ("x0", "eps")


def step_means(h: Tensor, order: int, of: str = "x0") -> Tensor:
    """The means of u⁰, u¹, …, u^(order − 1) over a step of length h > 0 in ℓ = log(α/σ), u being the share of it done.

    With the weight e^(−hu), that of "eps", M₀ = 1 and M_k = k·M_{k−1}/h − 1/(e^h − 1), integrating by parts; "x0" has
    the weight e^(hu), the same with 1 − u for u. For short steps both are near 1/(k + 1).

    Args:
        h: 0-dimensional.
        order: how many.
        of: "x0" or "eps".

    Returns:
        (order,), float64.
    """
    if _checks.tensor("h", h).ndim or not h > 0:
        raise ValueError(f"h must be one positive length, s nearer to data than t: got {h.tolist()}.")
    order = _checks.integer("order", order, most=3)
    h = h.to(devices.widest(h.device)).clamp(max=500)  # beyond, e^(−h) is 0
    means = [torch.ones_like(h)]
    for k in range(1, order):
        means.append(k * means[-1] / h - 1 / torch.expm1(h))
    falling = torch.stack(means)
    if _checks.choice("of", of, ANSWERS) == "eps":
        return falling
    binomial = [[(-1) ** j * math.comb(k, j) for j in range(order)] for k in range(order)]
    return falling.new_tensor(binomial) @ falling  # E(1 − u)^k = Σ_j (k over j)·(−1)^j·E u^j


def weights(places: Tensor, means: Tensor) -> Tensor:
    """w with Σ_j w_j·u_j^k = E u^k: the mean of the polynomial through answers at the places u is Σ_j w_j·answer_j.

    Args:
        places: (n,) all different, as shares of the step; those of earlier answers are negative.
        means: (n,), as `step_means` gives them.

    Returns:
        (n,), float64.
    """
    _checks.tensor("places", places, ("n",))
    _checks.same_shape("means", _checks.tensor("means", means), "places", places)
    if len(places.unique()) < len(places):
        raise ValueError(f"places must be all different, got {places.tolist()}.")
    wide = devices.widest(places.device)
    powers = torch.vander(places.to(wide), increasing=True).mT
    return torch.linalg.solve(powers, means.to(powers))


def _along(schedule: Schedule, x_t: Tensor, t: Tensor, s: Tensor, answer: Tensor, of: str) -> Tensor:
    """x_s = α_s·x̂₀ + σ_s·ε̂ with one of the two given; the other keeps x_t in its place."""
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    x0 = answer if of == "x0" else (x_t - sigma * answer) / alpha
    eps = answer if of == "eps" else (x_t - alpha * answer) / sigma
    return schedule.alpha(s) * x0 + schedule.sigma(s) * eps


def _asked(
    denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, noise: Noise | None
) -> tuple[Prediction, Tensor, Tensor, bool]:
    """The answer at t, ℓ at t and at s, and whether the step between them is of finite length."""
    check_move(denoiser, x_t, t, s)
    if noise is not None:
        _checks.function("noise", noise)
    now, then = denoiser.schedule.log_snr(t) / 2, denoiser.schedule.log_snr(s) / 2
    return denoiser(x_t, t), now, then, bool(torch.isfinite(now) and torch.isfinite(then))


def multistep(order: int = 3, *, of: str = "x0") -> Step:
    """The polynomial through the last `order` answers: one evaluation a step, no noise.

    A walk begins with steps of order 1, 2, …, as answers come in. Of "x0" it is
    DPM-Solver++ with the exact mean where `dpm_solver`, 2M, has the middle of the step;
    of "eps" it is DEIS.

    Raises:
        ValueError: for an order outside 1 … 3, or an answer other than "x0" and "eps".
    """
    order = _checks.integer("order", order, most=3)
    of = _checks.choice("of", of, ANSWERS)

    def step(
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        state: State = None,
        noise: Noise | None = None,
    ) -> tuple[Tensor, State]:
        told, now, then, finite = _asked(denoiser, x_t, t, s, noise)
        schedule = denoiser.schedule
        if not finite:
            return schedule.alpha(s) * told.x0 + schedule.sigma(s) * told.eps, None
        before = state if isinstance(state, tuple) else ()
        answers = [(told.x0 if of == "x0" else told.eps, now), *before][:order]
        h = then - now
        places = torch.stack([(place - now) / h for _, place in answers])
        shares = weights(places, step_means(h, len(answers), of)).to(x_t.dtype)
        told_by = [answer for answer, _ in answers]
        mean = torch.stack([w * a for w, a in zip(shares, told_by, strict=True)]).sum(0)
        return _along(schedule, x_t, t, s, mean, of), tuple(answers[: order - 1])

    return step


def singlestep(order: int = 2) -> Step:
    """DPM-Solver: `order` evaluations of ε̂ within the step, and nothing remembered.

    Order 2 takes ε̂ in the middle of the step. Order 3 takes a straight line through ε̂
    at the start and after two thirds, where it comes by way of one third (Lu et al.
    2022a, algorithms 1 and 2). Order 1 is DDIM.

    Raises:
        ValueError: for an order outside 1 … 3.
    """
    order = _checks.integer("order", order, most=3)
    stops = {1: (), 2: (1 / 2,), 3: (1 / 3, 2 / 3)}[order]

    def step(
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        state: State = None,
        noise: Noise | None = None,
    ) -> tuple[Tensor, State]:
        told, now, then, finite = _asked(denoiser, x_t, t, s, noise)
        schedule = denoiser.schedule
        if not finite:
            return schedule.alpha(s) * told.x0 + schedule.sigma(s) * told.eps, None
        h, slope = then - now, torch.zeros_like(x_t)  # dε̂/du, u the share of the step
        for stop in stops:
            mean = told.eps + stop * step_means(stop * h, 2, "eps")[1].to(x_t.dtype) * slope
            place = schedule.time_of(2 * (now + stop * h))
            ahead = denoiser(_along(schedule, x_t, t, place, mean, "eps"), place)
            slope = (ahead.eps - told.eps) / stop
        middle = 0.5 if order == 2 else step_means(h, 2, "eps")[1].to(x_t.dtype)
        return _along(schedule, x_t, t, s, told.eps + middle * slope, "eps"), None

    return step
