r"""What a student of a diffusion model is trained on, so that it takes fewer steps than its teacher.

| student                  | learns                                                          | source                  |
|--------------------------|-----------------------------------------------------------------|-------------------------|
| progressive distillation | two of the teacher's steps in one                               | Salimans and Ho 2022    |
| consistency distillation | one answer along a path of the teacher's flow, f(x_t) = f(x_s)  | Song et al. 2023        |
| distribution matching    | to move its samples along score(data) − score(samples)          | Yin et al. 2024         |
| adversarial distillation | to please a judge, and the teacher's denoiser                   | Sauer et al. 2023       |
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.parameterizations import add_noise, expand
from diffusion_teach.schedules import check_time

Jump = Callable[[Tensor, Tensor], Tensor]
"""A student: (x_t, t) → an estimate of where the flow ends."""
HUBER = 0.00054
"""c of `pseudo_huber` over √d, of Song and Dhariwal (2024)."""


@torch.no_grad()
def flow_step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, *, order: int = 2) -> Tensor:
    """One step of the flow, each row from its own t to its own s < t; x_t (B, ...), t and s (B,) or 0-dimensional.

    Of first order it is DDIM, of second order Heun in σ/α, as `samplers.euler` and `samplers.heun` have them for one t.

    Raises:
        ValueError: where s is not before t; for Heun at s with σ = 0 or from α = 0.
    """
    check_denoiser("denoiser", denoiser)
    order = _checks.integer("order", order, most=2)
    _checks.tensor("x_t", x_t, finite=False)
    if not (check_time(s, "s") < check_time(t)).all():
        raise ValueError(f"s must lie before t, got s = {s.tolist()} and t = {t.tolist()}.")
    schedule = denoiser.schedule
    parts = schedule.alpha(t), schedule.sigma(t), schedule.alpha(s), schedule.sigma(s)
    alpha, sigma, alpha_s, sigma_s = (expand(part, x_t) for part in parts)
    x0, eps = denoiser(x_t, t)
    x_s = alpha_s * x0 + sigma_s * eps
    if order == 1:
        return x_s
    if not ((sigma_s > 0).all() and (alpha > 0).all()):
        raise ValueError("Heun's second slope needs noise at s and data at t. Use order=1 there.")
    return x_s + (sigma_s - alpha_s * sigma / alpha) * (denoiser(x_s, s).eps - eps) / 2


def pseudo_huber(a: Tensor, b: Tensor, *, c: float = 0.0) -> Tensor:
    """Mean over rows of √(‖a − b‖² + c²) − c, a and b (B, ...); with c = 0 of the distance itself.

    It counts large errors less than squares do. (Song and Dhariwal 2024, eq. 8, with c = 0.00054·√d.)
    """
    _checks.same_shape("a", _checks.tensor("a", a), "b", _checks.tensor("b", b))
    c = _checks.number("c", c, least=0)
    squares = (a - b).flatten(1).square().sum(1)
    return (torch.sqrt(squares + max(c, 1e-8) ** 2) - c).mean()


def consistency_loss(
    student: Jump,
    target: Jump,
    teacher: Denoiser,
    x_t: Tensor,
    t: Tensor,
    s: Tensor,
    *,
    order: int = 2,
) -> Tensor:
    """How far the student's answer at t is from the target's at s, nearer to data.

    L = E d(f_θ(x_t, t), f_θ⁻(x̂_s, s)), x̂_s one step of the teacher's flow from x_t;
    no gradient runs through x̂_s and f_θ⁻, and d is `pseudo_huber`.

    Args:
        student, target: f_θ and f_θ⁻, the latter often an average of the former.
        teacher: whose flow is followed from t to s.
        x_t: noisy data (B, ...).
        t, s: (B,), neighbours of a grid.
        order: of the step, see `flow_step`.

    Source: Song et al. (2023), algorithm 2.
    """
    _checks.function("student", student)
    _checks.function("target", target)
    check_denoiser("teacher", teacher)
    _checks.tensor("x_t", x_t, ("...", "last"), finite=False)
    with torch.no_grad():
        answer = target(flow_step(teacher, x_t, t, s, order=order), s)
    c = HUBER * math.sqrt(x_t[0].numel())
    return pseudo_huber(student(x_t, t), answer, c=c)


def score_distillation_loss(
    teacher: Denoiser,
    x0: Tensor,
    t: Tensor,
    eps: Tensor,
) -> Tensor:
    """How far generated data lie from what the teacher makes of them, noised.

    E α(t)·mean (x₀ − x̂₀)².

    The teacher's answer is taken as fixed, so no gradient runs through its network.

    Args:
        teacher: the denoiser.
        x0: generated data (B, ...), which carry the gradient.
        t: (B,), eps like x0.

    Source: Sauer et al. (2023), eq. 4, with the weight c(t) = α_t.
    """
    check_denoiser("teacher", teacher)
    _checks.tensor("eps", eps)
    _checks.same_shape("x0", _checks.tensor("x0", x0), "eps", eps)
    with torch.no_grad():
        seen = teacher(add_noise(teacher.schedule, t, x0.detach(), eps), t).x0
    error = (x0 - seen).square().flatten(1).mean(1)
    return (teacher.schedule.alpha(t) * error).mean()


def progressive_target(
    teacher: Denoiser,
    x_t: Tensor,
    t: Tensor,
    middle: Tensor,
    s: Tensor,
) -> Tensor:
    """The x₀ by which one DDIM step leads from t to s as two of the teacher's do.

    x̃ = (x_s − (σ_s/σ_t)·x_t) / (α_s − (σ_s/σ_t)·α_t),
    with x_s the end of the teacher's two steps, by `middle`.

    Args: as of `flow_step`; t > middle > s.

    Source: Salimans and Ho (2022), algorithm 2 and appendix G.
    """
    check_denoiser("teacher", teacher)
    if not (check_time(middle, "middle") < check_time(t)).all():
        raise ValueError(
            f"middle must lie before t, got {middle.tolist()} and {t.tolist()}.",
        )
    x_middle = flow_step(teacher, x_t, t, middle, order=1)
    x_s = flow_step(teacher, x_middle, middle, s, order=1)
    schedule = teacher.schedule
    ratio = schedule.sigma(s) / schedule.sigma(t)
    slope = schedule.alpha(s) - ratio * schedule.alpha(t)
    return (x_s - expand(ratio, x_t) * x_t) / expand(slope, x_t)


def distribution_matching_loss(
    x0: Tensor,
    real: Denoiser,
    fake: Denoiser,
    t: Tensor,
    eps: Tensor,
) -> Tensor:
    """A loss whose slope in x₀ is DMD's, x̂₀ of `fake` less x̂₀ of `real`, both at x_t.

    Its gradient is that of KL(samples ‖ data) at noise level t, but for a positive
    weight, since the scores differ by α/σ² times that. It is ½‖x₀ − (x₀ − slope) held
    fixed‖², a mean over rows; its value means nothing.

    Args:
        x0: generated data (B, ...), which carry the gradient.
        real, fake: denoisers of the data and of the generated data, on one schedule.
        t: (B,) or 0-dimensional, eps like x0.

    Source: Yin et al. (2024), eqs. 3 to 8, without the normalisation of the weight by
    the row's mean error.
    """
    check_denoiser("real", real)
    check_denoiser("fake", fake)
    _checks.tensor("eps", eps)
    _checks.same_shape("x0", _checks.tensor("x0", x0), "eps", eps)
    with torch.no_grad():
        x_t = add_noise(real.schedule, t, x0.detach(), eps)
        slope = fake(x_t, t).x0 - real(x_t, t).x0
        goal = x0.detach() - slope
    return 0.5 * (x0 - goal).square().flatten(1).sum(1).mean()
