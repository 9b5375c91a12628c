"""The regression that trains every diffusion model, and the noise levels that it is trained at."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Learned
from diffusion_teach.parameterizations import add_noise, expand, target
from diffusion_teach.samplers.time_grids import LOGISTIC_WIDTHS, time_grid
from diffusion_teach.schedules import Discrete, Schedule, check_schedule, check_time

EDM_MEAN, EDM_STD = -1.2, 1.2
"""EDM's distribution of ln(σ/α), of pixels in [−1, 1]."""


def sample_times(
    schedule: Schedule,
    shape: tuple[int, ...],
    *,
    spacing: str = "time",
    widths: tuple[float, float] = LOGISTIC_WIDTHS,
    low_discrepancy: bool = True,
    smallest: float = 1e-4,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Training times: 1/T, 2/T, … 1 equally likely on a `Discrete` schedule, else uniform on [smallest, 1].

    With `spacing="edm"` ln(σ/α) is normal, with mean −1.2 and deviation 1.2 (Karras et al. 2022, section 5). With
    `spacing="logistic"` the log-SNR is drawn from a logistic distribution instead, around the levels at which a
    digit's shape is decided: as many as `samplers.time_grid` has steps there. Their loss then counts for more.

    With `low_discrepancy` the last dimension shares one random shift, u_i = (u + i/B) mod 1, so that a batch covers
    all noise levels evenly: each u_i is still uniform, and the loss is less noisy (Kingma et al. 2021, appendix I.1).
    """
    check_schedule(schedule)
    shape = _checks.sizes("shape", shape)
    widths = _checks.pair("widths", widths, above=0)
    low_discrepancy = _checks.flag("low_discrepancy", low_discrepancy)
    smallest = _checks.number("smallest", smallest, least=0, below=1)
    u = _even(shape, low_discrepancy, generator)
    if _checks.choice("spacing", spacing, ("time", "logistic", "edm")) == "logistic":
        u = _between(_logistic_grid(schedule, widths), u)
    elif spacing == "edm":
        log_sigma = EDM_MEAN + EDM_STD * torch.special.ndtri(u.clamp(1e-6, 1 - 1e-6))
        u = schedule.time_of(-2 * log_sigma)
    if isinstance(schedule, Discrete):
        return (torch.floor(u * schedule.steps).clamp(max=schedule.steps - 1) + 1) / schedule.steps
    return smallest + (1 - smallest) * u


def _even(shape: tuple[int, ...], low_discrepancy: bool, generator: torch.Generator | None) -> Tensor:
    """Uniform numbers in [0, 1); with low discrepancy the last dimension shares one shift."""
    _checks.generator(generator)
    device = None if generator is None else generator.device
    if not low_discrepancy:
        return torch.rand(shape, generator=generator, device=device)
    u = torch.rand((*shape[:-1], 1), generator=generator, device=device)
    return (u + torch.arange(shape[-1], device=device) / shape[-1]) % 1


@lru_cache(maxsize=8)
def _logistic_grid(schedule: Schedule, widths: tuple[float, float]) -> Tensor:
    """Rising times, of which a logistic log-SNR falls between any two neighbours equally often."""
    return time_grid(schedule, 1000, spacing="logistic", widths=widths).flip(0).float()


def _between(table: Tensor, u: Tensor) -> Tensor:
    """The value of a table (N + 1,) at the share u in [0, 1] of its length, by linear interpolation."""
    position = u * (len(table) - 1)
    below = position.long().clamp(max=len(table) - 2)
    table = table.to(u.device)
    return torch.lerp(table[below], table[below + 1], position - below)


class ImportanceTimes:
    """Times drawn where a density says, and the weights that make up for it: E[weight(t)·h(t)] is h's mean over [0, 1].

    The estimate of a mean varies least where the density is in proportion to √E[h²] (Nichol and Dhariwal 2021, eq. 18).

    Args:
        density: (n,) positive, of n equal cells of [0, 1] from data to noise; it need not sum to one.
    """

    def __init__(self, density: Tensor) -> None:
        _checks.tensor("density", density, ("n",))
        if not (density > 0).all():
            raise ValueError(f"density must be positive everywhere, got {float(density.min()):g} as the least of it.")
        share = density.double() / density.double().sum()
        self.density = share * len(share)
        self._below = torch.cat([share.new_zeros(1), share.cumsum(0)])

    def sample(
        self, shape: tuple[int, ...], *, low_discrepancy: bool = True, generator: torch.Generator | None = None
    ) -> Tensor:
        """Times of a shape, float64; `low_discrepancy` as in `sample_times`."""
        u = _even(_checks.sizes("shape", shape), _checks.flag("low_discrepancy", low_discrepancy), generator).double()
        below = self._below.to(u.device)
        cell = (torch.searchsorted(below, u, right=True) - 1).clamp(max=len(below) - 2)
        within = (u - below[cell]) / (below[cell + 1] - below[cell])
        return ((cell + within) / (len(below) - 1)).clamp(0, 1)

    def weight(self, t: Tensor) -> Tensor:
        """1/density at times t, shaped like them: what `diffusion_loss` takes as `weight`."""
        check_time(t)
        cell = (t * len(self.density)).long().clamp(max=len(self.density) - 1)
        return 1 / self.density.to(t)[cell]


def diffusion_loss(
    denoiser: Learned,
    x0: Tensor,
    *,
    t: Tensor | None = None,
    eps: Tensor | None = None,
    cond: Tensor | None = None,
    weight: Callable[[Tensor], Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The network's mean squared error on its own target at random times; L_simple for eps (Ho et al. 2020, eq. 14).

    The error is in the network's own unit, see `Learned.unit`.

    Args:
        denoiser: the network with its schedule and target.
        x0: clean data (B, ...), or (M, B, ...) for a batch of M networks.
        t: times with leading dimensions of x0; drawn by `sample_times` where not given.
        eps: the noise, shaped like x0; drawn from N(0, I) where not given.
        cond: passed on to the network.
        weight: w(t), multiplies the squared error at t; 1 where not given.

    Returns:
        A scalar, the mean over all elements.

    Raises:
        ValueError: for x0 without a batch, times or noise that do not fit it, or a network whose answer has another
            shape.
    """
    mend = "Make one with Learned(network, schedule)."
    _checks.instance("denoiser", denoiser, Learned, "a Learned denoiser", mend)
    _checks.tensor("x0", x0)
    if x0.ndim < 2:
        raise ValueError(f"x0 must have shape (B, ...), at least two dimensions, got {_checks.describe(x0)}.")
    _checks.generator(generator)
    if t is None:
        leading = 1 if denoiser.members is None else 2
        t = sample_times(denoiser.schedule, tuple(x0.shape[:leading]), generator=generator)
    t = check_time(t).to(x0)
    if eps is None:
        eps = torch.randn(x0.shape, dtype=x0.dtype, device=x0.device, generator=generator)
    _checks.same_shape("eps", _checks.tensor("eps", eps), "x0", x0)
    x_t = add_noise(denoiser.schedule, t, x0, eps)
    y = target(denoiser.target, denoiser.schedule, t, x0, eps, data_std=denoiser.data_std)
    answer = denoiser.answer(x_t, t, cond)
    _checks.same_shape("the network's answer", answer, "x0", x0)
    if denoiser.unit_variance:
        y = y / expand(denoiser.unit(t), y)
    error = (answer - y).square()
    if weight is None:
        return error.mean()
    _checks.function("weight", weight)
    return (weight(t) * error.flatten(t.ndim).mean(-1)).mean()
