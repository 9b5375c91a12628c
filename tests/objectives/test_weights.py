"""Weights: one scale for all targets, and the papers' own formulas on it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Learned
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.objectives.weights import WEIGHTS, bare_weight, loss_weight
from diffusion_teach.parameterizations import TARGETS, add_noise, target
from diffusion_teach.schedules import EDM, VE, VP, Cosine, FlowMatching, Schedule, SubVP

SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.01, 9.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "edm": EDM(0.01, 9.0),
}
T = torch.linspace(0.05, 0.95, 10, dtype=torch.float64)
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


@every
def test_the_bound_is_half_the_fall_of_the_log_snr_on_the_noise(schedule: Schedule) -> None:
    on_eps = bare_weight("bound", schedule, T) / schedule.alpha(T).square()
    h = 1e-6
    slope = (schedule.log_snr(T + h) - schedule.log_snr(T - h)) / (2 * h)
    torch.testing.assert_close(on_eps, -slope / 2, rtol=1e-6, atol=0)
    # Song et al. 2021b: the likelihood's weight on the score is g²/2.
    torch.testing.assert_close(on_eps, schedule.g2(T) / 2 / schedule.sigma(T).square())


@every
def test_the_papers_weights_on_x0_and_on_eps(schedule: Schedule) -> None:
    alpha, sigma = schedule.alpha(T), schedule.sigma(T)
    snr = alpha.square() / sigma.square()
    on_x0 = {name: bare_weight(name, schedule, T, data_std=0.5) / sigma.square() for name in WEIGHTS}
    torch.testing.assert_close(on_x0["min-snr"], snr.clamp(max=5.0))  # Hang et al. 2023, section 3.4
    torch.testing.assert_close(on_x0["eps"], snr)
    torch.testing.assert_close(on_x0["x0"], torch.ones_like(T))
    level = sigma / alpha  # EDM's σ
    torch.testing.assert_close(on_x0["edm"], (level**2 + 0.25) / (level * 0.5) ** 2)
    torch.testing.assert_close(
        bare_weight("min-snr", schedule, T, gamma=2.0), torch.minimum(alpha.square(), 2 * sigma.square())
    )


@every
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_weight_is_the_same_whatever_the_network_is_asked_for(schedule: Schedule, name: str) -> None:
    """Denoisers of all targets with the same error of x₀ have one loss."""
    g = torch.Generator().manual_seed(0)
    x0, eps, off = (torch.randn(10, 3, dtype=torch.float64, generator=g) for _ in range(3))

    class Off(nn.Module):
        """Answers its target for an x₀ that is off, in whatever unit it is asked."""

        def __init__(self, asked: str) -> None:
            super().__init__()
            self.asked = asked

        def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
            x_t = add_noise(schedule, T, x0, eps)
            wrong = x0 + off
            noise = (x_t - schedule.alpha(T)[:, None] * wrong) / schedule.sigma(T)[:, None]
            answer = target(self.asked, schedule, T, wrong, noise, data_std=0.5)
            return answer / learned.unit(T)[:, None]

    losses = []
    for asked in TARGETS:
        for unit_variance in (False, True):
            learned = Learned(Off(asked), schedule, asked, unit_variance=unit_variance, data_std=0.5)
            losses.append(diffusion_loss(learned, x0, t=T, eps=eps, weight=loss_weight(name, learned)))
    expected = (bare_weight(name, schedule, T, data_std=0.5) / schedule.sigma(T).square() * off.square().mean(1)).mean()
    torch.testing.assert_close(torch.stack(losses), expected.expand(len(losses)))


def test_a_target_s_own_weight_changes_nothing() -> None:
    for name in TARGETS:
        learned = Learned(nn.Linear(2, 2), FlowMatching(), name, data_std=0.5)
        torch.testing.assert_close(loss_weight(name, learned)(T), torch.ones_like(T))


def test_where_a_weight_is_infinite_it_says_so() -> None:
    zero, one = (torch.tensor(time, dtype=torch.float64) for time in (0.0, 1.0))
    assert float(bare_weight("min-snr", FlowMatching(), one)) == 0
    assert float(bare_weight("edm", FlowMatching(), one, data_std=0.5)) == 4
    with pytest.raises(ValueError, match="infinite where sigma = 0"):
        bare_weight("bound", FlowMatching(), zero)
    with pytest.raises(ValueError, match="'eps' does not determine x0 where D = 0"):
        loss_weight("v", Learned(nn.Linear(2, 2), FlowMatching(), "eps"))(one)
    with pytest.raises(ValueError, match="Did you mean 'min-snr'"):
        bare_weight("minsnr", VP(), T)
    with pytest.raises(TypeError, match="denoiser must be a Learned denoiser"):
        loss_weight("eps", VP())  # type: ignore[arg-type]
