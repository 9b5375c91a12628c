r"""Four objectives that find one score, and the regression that trains every diffusion model.

A score model ψ maps x (B, d) to (B, d). The Fisher divergence to the true score, ½E‖ψ(x) − ∇log p(x)‖², cannot be
computed without knowing ∇log p. Three objectives differ from it by a constant that does not depend on ψ:

| objective   | value                                         | source                        | needs               |
|-------------|-----------------------------------------------|-------------------------------|---------------------|
| `explicit`  | ½E‖ψ − ∇log p‖²                               |                               | the true score      |
| `implicit`  | E[½‖ψ‖² + tr ∂ψ/∂x]                           | Hyvärinen 2005, theorem 1     | d derivatives       |
| `sliced`    | E[½‖ψ‖² + vᵀ(∂ψ/∂x)v]                         | Song et al. 2019, eq. 8       | one derivative      |
| `denoising` | ½E‖ψ(x + σε) + ε/σ‖²                          | Vincent 2011, eq. 9           | noise, no derivative|

No normalising constant appears in any of them: ∇log(p/Z) = ∇log p.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Learned
from diffusion_teach.parameterizations import add_noise, expand, target
from diffusion_teach.samplers import time_grid
from diffusion_teach.schedules import Discrete, Schedule, check_time

ScoreModel = Callable[[Tensor], Tensor]
"""ψ: x (B, d) to an estimate of ∇log p(x), (B, d)."""


def _evaluate(model: ScoreModel, x: Tensor) -> Tensor:
    psi = model(x)
    if not isinstance(psi, Tensor) or psi.shape != x.shape:
        raise ValueError(f"a score model must return the shape of x, {tuple(x.shape)}, got {_checks.describe(psi)}.")
    return psi


def _gradient(value: Tensor, x: Tensor) -> Tensor:
    """d value/dx, ready to be differentiated again; zero for a model that does not depend on x."""
    if not value.requires_grad:
        return torch.zeros_like(x)
    return torch.autograd.grad(value, x, create_graph=True, materialize_grads=True)[0]


def explicit(model: ScoreModel, x: Tensor, score: Tensor) -> Tensor:
    """The Fisher divergence ½E‖ψ(x) − score‖²; x and score (B, d). A scalar."""
    _checks.tensor("x", x, ("batch", "dimensions"))
    _checks.same_shape("score", _checks.tensor("score", score), "x", x)
    return 0.5 * (_evaluate(model, x) - score).square().sum(-1).mean()


@torch.enable_grad()
def implicit(model: ScoreModel, x: Tensor) -> Tensor:
    """Hyvärinen's objective E[½‖ψ‖² + tr ∂ψ/∂x]; x (B, d). A scalar that one can differentiate.

    The trace takes d backward passes, which is why it does not scale to images.
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    x = x.detach().requires_grad_(True)
    psi = _evaluate(model, x)
    trace = torch.stack([_gradient(psi[:, i].sum(), x)[:, i] for i in range(x.shape[1])]).sum(0)
    return (0.5 * psi.square().sum(-1) + trace).mean()


@torch.enable_grad()
def sliced(
    model: ScoreModel,
    x: Tensor,
    *,
    projections: int = 1,
    directions: str = "rademacher",
    variance_reduced: bool = True,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Sliced score matching, E[½‖ψ‖² + vᵀ(∂ψ/∂x)v] with random directions v; x (B, d). A scalar.

    Args:
        projections: directions drawn for each x.
        directions: "rademacher" (entries ±1) or "normal"; both have E[vvᵀ] = I, which the objective needs.
        variance_reduced: use ½‖ψ‖² where the plain objective has ½(vᵀψ)²; same expectation, usually less noise (eq. 8).
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    _checks.integer("projections", projections)
    _checks.choice("directions", directions, ("rademacher", "normal"))
    _checks.generator(generator)
    x = x.detach().repeat(projections, 1).requires_grad_(True)
    v = torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=generator)
    v = v.sign() if directions == "rademacher" else v
    psi = _evaluate(model, x)
    along = (psi * v).sum(-1)
    curvature = (_gradient(along.sum(), x) * v).sum(-1)
    norm = psi.square().sum(-1) if variance_reduced else along.square()
    return (0.5 * norm + curvature).mean()


def denoising(model: ScoreModel, x: Tensor, sigma: float, *, generator: torch.Generator | None = None) -> Tensor:
    """Denoising score matching, ½E‖ψ(x + σε) + ε/σ‖²; x (B, d), σ > 0. A scalar.

    Its minimiser is the score of the data blurred with N(0, σ²I), not of the data themselves.
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    _checks.number("sigma", sigma, above=0)
    eps = torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=_checks.generator(generator))
    return 0.5 * (_evaluate(model, x + sigma * eps) + eps / sigma).square().sum(-1).mean()


def sample_times(
    schedule: Schedule,
    shape: tuple[int, ...],
    *,
    spacing: str = "time",
    low_discrepancy: bool = True,
    smallest: float = 1e-4,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Training times: 1/T, 2/T, … 1 equally likely on a `Discrete` schedule, else uniform on [smallest, 1].

    With `spacing="logistic"` the log-SNR is drawn from a logistic distribution instead, around the levels at which a
    digit's shape is decided: as many as `samplers.time_grid` has steps there. Their loss then counts for more.

    With `low_discrepancy` the last dimension shares one random shift, u_i = (u + i/B) mod 1, so that a batch covers
    all noise levels evenly: each u_i is still uniform, and the loss is less noisy (Kingma et al. 2021, appendix I.1).
    """
    shape = _checks.sizes("shape", shape)
    _checks.number("smallest", smallest, least=0, below=1)
    _checks.generator(generator)
    device = None if generator is None else generator.device
    if low_discrepancy:
        u = torch.rand((*shape[:-1], 1), generator=generator, device=device)
        u = (u + torch.arange(shape[-1], device=device) / shape[-1]) % 1
    else:
        u = torch.rand(shape, generator=generator, device=device)
    if _checks.choice("spacing", spacing, ("time", "logistic")) == "logistic":
        u = _between(_logistic_grid(schedule), u)
    if isinstance(schedule, Discrete):
        return (torch.floor(u * schedule.steps).clamp(max=schedule.steps - 1) + 1) / schedule.steps
    return smallest + (1 - smallest) * u


@lru_cache(maxsize=8)
def _logistic_grid(schedule: Schedule) -> Tensor:
    """Rising times, of which a logistic log-SNR falls between any two neighbours equally often."""
    return time_grid(schedule, 1000, spacing="logistic").flip(0).float()


def _between(table: Tensor, u: Tensor) -> Tensor:
    """The value of a table (N + 1,) at the share u in [0, 1] of its length, by linear interpolation."""
    position = u * (len(table) - 1)
    below = position.long().clamp(max=len(table) - 2)
    table = table.to(u.device)
    return torch.lerp(table[below], table[below + 1], position - below)


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
    _checks.tensor("x0", x0)
    if x0.ndim < 2:
        raise ValueError(f"x0 must have shape (B, ...), at least two dimensions, got {_checks.describe(x0)}.")
    _checks.generator(generator)
    if t is None:
        members = getattr(denoiser.network, "members", None)
        t = sample_times(denoiser.schedule, tuple(x0.shape[: 1 if members is None else 2]), generator=generator)
    t = check_time(t).to(x0)
    if eps is None:
        eps = torch.randn(x0.shape, dtype=x0.dtype, device=x0.device, generator=generator)
    _checks.same_shape("eps", _checks.tensor("eps", eps), "x0", x0)
    x_t = add_noise(denoiser.schedule, t, x0, eps)
    y = target(denoiser.target, denoiser.schedule, t, x0, eps)
    answer = denoiser.answer(x_t, t, cond)
    _checks.same_shape("the network's answer", answer, "x0", x0)
    if denoiser.unit_variance:
        y = y / expand(denoiser.unit(t), y)
    error = (answer - y).square()
    if weight is None:
        return error.mean()
    return (weight(t) * error.flatten(t.ndim).mean(-1)).mean()
