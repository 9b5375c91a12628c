r"""How likely a diffusion model says that data are: the exact log-density of its probability flow, and a bound.

The probability flow carries densities from data to noise without any chance. In the coordinates x̄ = x/α and σ̄ = σ/α
it is dx̄/d log σ̄ = σ̄·ε̂ on every schedule, and along its way the density changes by the divergence of the flow:

    log q_t_min(x) = log π(x₁) + d·log(α₁/α_t_min) + ∫ σ·tr(∂ε̂/∂x) d log σ̄,      π = N(0, σ₁²·I)

(Chen et al. 2018, "Neural ordinary differential equations", theorem 1; Song et al. 2021, section 4.3 and eq. 39.)

**What the figure is.** It is the density of the model that starts from π, follows its flow, and stops at t_min. Of that
model it is exact but for the solver's error, and no bound; as a statement on data it speaks of data that are blurred by
σ(t_min)/α(t_min). The bits of whole numbers that `bits_per_dimension` makes of it are an upper bound: `dequantise` adds
noise u, and E log p(k + u) ≤ log P(k) by Jensen's inequality (Theis et al. 2016, section 3.1). `variational_bound` is
that of ancestral sampling, which is another model with the same denoiser.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from diffusion_teach import _checks, devices
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.physics import runge_kutta
from diffusion_teach.schedules import Schedule

TRACES = ("exact", "rademacher", "gaussian")


class Likelihood(NamedTuple):
    """What the flow says of x: log q_t_min(x) (B,) in nats, its code x₁ shaped like x, and network evaluations."""

    log_density: Tensor
    code: Tensor
    evaluations: int


def log_likelihood(
    denoiser: Denoiser,
    x: Tensor,
    *,
    t_min: float,
    t_max: float = 1.0,
    steps: int | None = 100,
    tolerance: float = 1e-5,
    trace: str = "exact",
    probes: int = 1,
    prior: Callable[[Tensor], Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Likelihood:
    """log q_t_min(x) by the probability flow, see above.

    Args:
        denoiser: one whose answer is a posterior mean.
        x: (B, ...), taken as points of time t_min, in the denoiser's dtype.
        t_min: where the model stops; it has no default, as the answer depends on it.
        t_max: where the model starts; below 1 on schedules with α(1) = 0.
        steps: of Runge and Kutta's method, even in log σ̄; None lets Dormand and Prince's
            choose its own, such that `tolerance` holds.
        tolerance: relative and absolute.
        trace: "exact" takes a backward pass for each of d coordinates. The others are
            Hutchinson's estimator vᵀ(∂ε̂/∂x)v, with v of ±1 ("rademacher") or normal
            ("gaussian"), the same along the whole way: right on average. With ±1 it is
            exact where the Jacobian is diagonal.
        probes: how many v, a backward pass each, of whose answers the mean is taken.
        prior: log π, (B, ...) to (B,); by default that of N(0, σ(t_max)²·I).
        generator: of v.

    Raises:
        ValueError: for a denoiser that is no posterior mean or hides its derivative,
            times that do not rise within (0, 1], or α = 0 at t_max.
    """
    _check_density(denoiser, x)
    schedule = denoiser.schedule
    alpha, sigma, (start, stop) = _ends(schedule, t_min, t_max)
    tolerance = _checks.number("tolerance", tolerance, above=0, below=1)
    directions = _directions(x, trace, probes, generator)
    share = 1.0 if trace == "exact" else 1 / probes
    grid = (
        None if steps is None else torch.linspace(start, stop, _checks.integer("steps", steps) + 1, dtype=torch.float64)
    )
    time = _clock(schedule, grid)

    def slope(u: Tensor, y: Tensor) -> Tensor:
        t = time(u)
        x_t = (schedule.alpha(t) * y[:, :-1]).to(x).reshape(x.shape)
        eps, along = _noise_and_trace(denoiser, x_t, _told(t, x), directions)
        return torch.cat([u.exp() * eps.flatten(1), schedule.sigma(t) * share * along[:, None]], dim=1).to(y)

    y = torch.cat([x.flatten(1) / alpha[0], x.new_zeros(len(x), 1)], dim=1)
    if grid is None:
        found = runge_kutta.dormand_prince(slope, y, start, stop, tolerance=tolerance)
    else:
        found = runge_kutta.rk4(slope, y, grid)
    code = (alpha[1] * found.y[:, :-1]).reshape(x.shape)
    log_prior = _gaussian(code, sigma[1]) if prior is None else _checks.function("prior", prior)(code)
    _checks.tensor("what prior returns", log_prior, (len(x),))
    stretch = (y.shape[1] - 1) * math.log(alpha[1] / alpha[0])
    return Likelihood(log_prior + stretch + found.y[:, -1], code, found.evaluations)


def _check_density(denoiser: Denoiser, x: Tensor) -> None:
    check_denoiser("denoiser", denoiser)
    if not denoiser.is_posterior_mean:
        raise ValueError(
            f"{type(denoiser).__name__} does not return E[x0 | x_t], so there is no likelihood. Use the denoiser that "
            "it was made from."
        )
    if _checks.tensor("x", x).ndim < 2:
        raise ValueError(f"x must have shape (B, ...), at least two dimensions, got {_checks.describe(x)}.")


def _ends(schedule: Schedule, t_min: float, t_max: float) -> tuple[list[float], list[float], list[float]]:
    """α, σ and log σ̄ at both ends."""
    t_min = _checks.number("t_min", t_min, above=0, below=1)
    times = torch.tensor([t_min, _checks.number("t_max", t_max, above=t_min, most=1)], dtype=torch.float64)
    alpha, log_snr = schedule.alpha(times), schedule.log_snr(times)
    if not torch.isfinite(log_snr).all():
        raise ValueError(f"σ/α is infinite at t_max = {t_max:g}, where α = 0. Start just below, as at t_max=0.999.")
    return alpha.tolist(), schedule.sigma(times).tolist(), (-log_snr / 2).tolist()


def _clock(schedule: Schedule, grid: Tensor | None) -> Callable[[Tensor], Tensor]:
    """The time at which log σ̄ is u. Those of a grid and its middles are found at once, as bisection takes a while."""
    known: dict[float, Tensor] = {}
    if grid is not None:
        places = torch.cat([grid, (grid[:-1] + grid[1:]) / 2])
        known = dict(zip(places.tolist(), schedule.time_of(-2 * places).unbind(), strict=True))
    return lambda u: known[float(u)] if float(u) in known else schedule.time_of(-2 * u)


def _told(t: Tensor, x: Tensor) -> Tensor:
    """A time as x's denoiser is told it: in its dtype, but float32 at least."""
    return t.to(x.device, torch.promote_types(x.dtype, torch.float32))


def _directions(x: Tensor, trace: str, probes: int, generator: torch.Generator | None) -> Tensor:
    """The v of vᵀ(∂ε̂/∂x)v, (n, B, ...): unit vectors, or draws."""
    probes = _checks.integer("probes", probes)
    _checks.generator(generator)
    if _checks.choice("trace", trace, TRACES) == "exact":
        dimensions = x[0].numel()
        unit = torch.eye(dimensions, dtype=x.dtype, device=x.device)
        return unit.reshape(dimensions, 1, *x.shape[1:]).expand(dimensions, *x.shape)
    v = torch.randn((probes, *x.shape), dtype=x.dtype, device=x.device, generator=generator)
    return v.sign() if trace == "rademacher" else v


def _noise_and_trace(denoiser: Denoiser, x: Tensor, t: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """ε̂ like x, and Σ vᵀ(∂ε̂/∂x)v over the directions, (B,)."""
    with torch.inference_mode(False), torch.enable_grad():
        x = x.detach().clone().requires_grad_(True)
        eps = denoiser(x, t).eps
        if not eps.requires_grad:
            raise ValueError("denoiser must have a derivative in x: leave out torch.no_grad() and detach() in it.")
        along = x.new_zeros(len(x))
        for v in directions:
            (gradient,) = torch.autograd.grad(eps, x, v, retain_graph=True)
            along = along + (gradient * v).flatten(1).sum(1)
        return eps.detach(), along.detach()


def _gaussian(x: Tensor, std: float) -> Tensor:
    """log N(x; 0, std²·I) of each row."""
    flat = x.flatten(1)
    return -0.5 * (flat / std).square().sum(1) - flat.shape[1] * (math.log(std) + 0.5 * math.log(2 * math.pi))


def variational_bound(
    denoiser: Denoiser, x: Tensor, times: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """One draw of a lower bound on log p(x) in nats, (B,), for ancestral sampling through the times.

    The model is the chain of 2015 and of DDPM: x_t from N(0, σ²·I) at the first of the
    times, down by Gaussians of the posterior's variance to the last, t_min > 0, and then
    x = x_t_min/α + (σ/α)·z. With SNR = α²/σ², each step costs ½(SNR_s − SNR_t)·‖x − x̂₀‖²,
    the start α²‖x‖²/(2σ²), the end the entropy of its noise (Kingma et al. 2021, section 4).

    Args:
        denoiser: E[x₀|x_t].
        x: (B, ...) clean data, in the denoiser's dtype.
        times: (T + 1,) falling to t_min > 0; a step evaluates the denoiser once.
        generator: of x_t, drawn once a step.
    """
    _check_density(denoiser, x)
    _checks.tensor("times", times, ("T + 1",))
    if len(times) < 2 or not (times.diff() < 0).all() or not (times > 0).all():
        raise ValueError(f"times must fall and stay above 0, got {times.tolist()[:6]}.")
    _checks.generator(generator)
    schedule, clock = denoiser.schedule, times.double()
    snr = schedule.log_snr(clock).exp().tolist()
    noise = math.log(2 * math.pi * math.e / snr[-1])
    bound = -0.5 * snr[0] * x.flatten(1).square().sum(1) - 0.5 * noise * x[0].numel()
    for (t, _), (before, after) in zip(pairwise(clock), pairwise(snr), strict=True):
        t = _told(t, x)
        eps = torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=generator)
        with torch.no_grad():
            x0 = denoiser(add_noise(schedule, t, x, eps), t).x0
        bound = bound - 0.5 * (after - before) * (x - x0).flatten(1).square().sum(1)
    return bound


def dequantise(
    images: Tensor, *, low: float, high: float, levels: int = 256, generator: torch.Generator | None = None
) -> Tensor:
    """low + (high − low)·(k + u)/levels: whole numbers k with a uniform u in [0, 1), a cell of the grid for each.

    Args:
        images: (...) whole numbers 0 … levels − 1, such as bytes.
        low, high: where the first cell begins and the last one ends.
        levels: how many cells.
        generator: of u.
    """
    low, high, levels = _grid(low, high, levels)
    whole = _checks.indices("images", images, levels)
    wide = devices.widest(whole.device)
    u = torch.rand(whole.shape, dtype=wide, device=whole.device, generator=_checks.generator(generator))
    return (low + (high - low) * (whole + u) / levels).to(torch.get_default_dtype())


def bits_per_dimension(log_density: Tensor, dimensions: int, *, low: float, high: float, levels: int = 256) -> Tensor:
    """−(log p/d + log Δ)/log 2 with Δ = (high − low)/levels: what a number costs of data on a grid of cells.

    The density is one of x as `dequantise` makes it with the same low, high and levels:
    a density's value depends on the unit, and Δ takes it out again. Forgotten, it moves
    the figure by log₂ Δ, for pixels in [−1, 1] by 7 bits. Under a uniform density of the
    grid a number costs log₂(levels) bits: 8 for bytes.

    Args:
        log_density: log p(x) in nats, (B,) or of any shape.
        dimensions: d, the numbers in one x.
        low, high, levels: the grid, in the units in which the density is one.
    """
    low, high, levels = _grid(low, high, levels)
    _checks.tensor("log_density", log_density, finite=False)
    cell = math.log((high - low) / levels)
    return -(log_density / _checks.integer("dimensions", dimensions) + cell) / math.log(2)


def _grid(low: float, high: float, levels: int) -> tuple[float, float, int]:
    low = _checks.number("low", low)
    return low, _checks.number("high", high, above=low), _checks.integer("levels", levels, least=2)
