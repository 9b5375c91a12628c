"""The students' losses, against the exact flow, the library's own samplers, and closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach import samplers
from diffusion_teach.datasets.toy2d import ring
from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.distillation import (
    consistency_loss,
    distribution_matching_loss,
    flow_step,
    progressive_target,
    pseudo_huber,
    score_distillation_loss,
)
from diffusion_teach.schedules import VP

DTYPE = torch.float64


def normal(mean: float = 0.0, variance: float = 1.0) -> GaussianMixture:
    return GaussianMixture(
        torch.ones(1, dtype=DTYPE), torch.full((1, 2), mean, dtype=DTYPE), torch.tensor([variance], dtype=DTYPE)
    )


def drawn(n: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn(n, 2, dtype=DTYPE, generator=torch.Generator().manual_seed(0))
    t = torch.linspace(0.4, 0.9, n, dtype=DTYPE)
    return x, t, t - 0.2


@pytest.mark.parametrize(("order", "step"), [(1, samplers.euler), (2, samplers.heun)])
def test_a_step_of_each_row_is_the_samplers_step_of_one_time(order: int, step: samplers.Step) -> None:
    denoiser = Exact(ring(), VP())
    x, t, s = drawn()
    together = flow_step(denoiser, x, t, s, order=order)
    for row in range(len(x)):
        alone, _ = step(denoiser, x[row : row + 1], t[row], s[row], None, samplers.gaussian())
        torch.testing.assert_close(together[row : row + 1], alone)


def test_a_step_refuses_what_it_cannot_do() -> None:
    denoiser, (x, t, s) = Exact(ring(), VP()), drawn()
    with pytest.raises(ValueError, match="s must lie before t"):
        flow_step(denoiser, x, s, t)
    with pytest.raises(ValueError, match="needs noise at s"):
        flow_step(denoiser, x, t, torch.zeros_like(t))


def test_pseudo_huber_is_a_distance_far_away_and_a_square_nearby() -> None:
    zero, far = torch.zeros(3, 4, dtype=DTYPE), torch.full((3, 4), 1e3, dtype=DTYPE)
    assert float(pseudo_huber(far, zero, c=0.1)) == pytest.approx(2e3, rel=1e-3)
    near = torch.full((3, 4), 1e-4, dtype=DTYPE)
    assert float(pseudo_huber(near, zero, c=0.1)) == pytest.approx(4e-8 / 0.2, rel=1e-4)
    assert float(pseudo_huber(far, zero)) == pytest.approx(2e3)


def test_the_exact_flow_map_is_consistent_and_another_map_is_not() -> None:
    """N(0, I) on VP: the flow map is the identity, but for the error of a Heun step."""
    denoiser, (x, t, _) = Exact(normal(), VP()), drawn()
    s = t - 0.02

    def exact(x_t: Tensor, t: Tensor) -> Tensor:
        return x_t

    def denoised(x_t: Tensor, t: Tensor) -> Tensor:
        return denoiser(x_t, t).x0

    assert float(consistency_loss(exact, exact, denoiser, x, t, s)) < 1e-3
    assert float(consistency_loss(denoised, denoised, denoiser, x, t, s)) > 0.02


def test_no_gradient_runs_through_the_target_and_the_teachers_step() -> None:
    denoiser, (x, t, s) = Exact(ring(), VP()), drawn()
    a, b = (torch.ones((), dtype=DTYPE, requires_grad=True) for _ in range(2))
    consistency_loss(lambda x, t: a * x, lambda x, t: b * x, denoiser, x, t, s).backward()
    assert a.grad is not None
    assert b.grad is None


def test_the_progressive_target_takes_one_step_where_the_teacher_takes_two() -> None:
    denoiser, (x, t, s) = Exact(ring(), VP()), drawn()
    middle = (t + s) / 2
    x0 = progressive_target(denoiser, x, t, middle, s)
    schedule = denoiser.schedule
    eps = (x - schedule.alpha(t)[:, None] * x0) / schedule.sigma(t)[:, None]
    one = schedule.alpha(s)[:, None] * x0 + schedule.sigma(s)[:, None] * eps
    two = flow_step(denoiser, flow_step(denoiser, x, t, middle, order=1), middle, s, order=1)
    torch.testing.assert_close(one, two)


def test_to_the_very_end_the_progressive_target_is_where_the_teacher_ends() -> None:
    denoiser, (x, t, _) = Exact(ring(), VP()), drawn()
    s = torch.zeros_like(t)
    two = flow_step(denoiser, flow_step(denoiser, x, t, t / 2, order=1), t / 2, s, order=1)
    torch.testing.assert_close(progressive_target(denoiser, x, t, t / 2, s), two)


def test_distribution_matching_descends_the_divergence_of_two_gaussians() -> None:
    """Data N(1, 1), samples N(0, 1): on VP both have x̂₀ = αx_t + σ²·mean, so the slope is −σ²·1 at each row."""
    real, fake = Exact(normal(1.0), VP()), Exact(normal(0.0), VP())
    x, t, _ = drawn()
    x.requires_grad_()
    distribution_matching_loss(x, real, fake, t, torch.randn_like(x)).backward()
    expected = -VP().sigma(t).square()[:, None].expand_as(x) / len(x)
    torch.testing.assert_close(x.grad, expected)


def test_of_one_law_there_is_nothing_to_match() -> None:
    real = Exact(ring(), VP())
    x, t, _ = drawn()
    x.requires_grad_()
    distribution_matching_loss(x, real, real, t, torch.randn_like(x)).backward()
    assert x.grad is not None
    assert not x.grad.any()


def test_score_distillation_is_the_teachers_doubt() -> None:
    """A teacher of N(0, I) says αx_t: the loss is E α·(x₀ − αx_t)², and its slope counts x₀ but not x_t."""
    teacher, (x, t, _) = Exact(normal(), VP()), drawn()
    eps = torch.randn_like(x)
    alpha, sigma = VP().alpha(t)[:, None], VP().sigma(t)[:, None]
    x.requires_grad_()
    loss = score_distillation_loss(teacher, x, t, eps)
    error = x.detach() - alpha * (alpha * x.detach() + sigma * eps)
    torch.testing.assert_close(loss, (alpha[:, 0] * error.square().mean(1)).mean())
    loss.backward()
    torch.testing.assert_close(x.grad, 2 * alpha * error / x.numel())
