"""Denoisers: exact and learned are the same to a sampler, and the score is refused where it is none."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Exact, Learned, as_time, score
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.parameterizations import TARGETS, Prediction, target
from diffusion_teach.schedules import VE, VP, Cosine, Linear, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": Linear()}
MIXTURE = GaussianMixture(
    torch.tensor([1.0, 2.0]), torch.tensor([[-1.0, 0.5], [1.0, 0.0]]), torch.tensor([[[0.5, 0.3], [0.3, 0.4]]] * 2)
)
X = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Oracle(nn.Module):
    """A network that answers with the exact posterior mean of its target."""

    def __init__(self, schedule: Schedule, name: str) -> None:
        super().__init__()
        self.exact, self.name = Exact(MIXTURE, schedule), name

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return target(self.name, self.exact.schedule, t, *self.exact(x_t, t))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_the_exact_score_is_that_of_the_noised_mixture(schedule: Schedule, t: Tensor) -> None:
    t = t.double()
    expected = MIXTURE.score(X, schedule.alpha(t), schedule.sigma(t))
    torch.testing.assert_close(score(Exact(MIXTURE, schedule), X, t), expected)
    for name in TARGETS:
        learned = Learned(Oracle(schedule, name), schedule, name)
        torch.testing.assert_close(score(learned, X, t), expected)
        torch.testing.assert_close(learned(X, t).x0, Exact(MIXTURE, schedule)(X, t).x0)


def test_x0_and_eps_lie_on_the_line() -> None:
    t = torch.linspace(0.05, 1.0, 6, dtype=torch.float64)
    for schedule in SCHEDULES.values():
        for distribution in (MIXTURE, Empirical(X + 1)):
            x0, eps = Exact(distribution, schedule)(X, t)
            torch.testing.assert_close(schedule.alpha(t)[:, None] * x0 + schedule.sigma(t)[:, None] * eps, X)


def test_pure_noise_says_the_mean() -> None:
    x0, eps = Exact(MIXTURE, Linear())(X, torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(x0, MIXTURE.mean.expand(6, 2))
    torch.testing.assert_close(eps, X)


def test_the_exact_denoiser_works_on_a_batch_of_batches() -> None:
    t = torch.rand(2, 3, dtype=torch.float64) * 0.9 + 0.05
    exact = Exact(MIXTURE, VP())
    torch.testing.assert_close(exact(X.reshape(2, 3, 2), t).x0.reshape(6, 2), exact(X, t.flatten()).x0)


class Generator:
    """A generator passes points off as x₀: no posterior mean."""

    schedule = VP()
    is_posterior_mean = False

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        return Prediction(x_t, x_t)


def test_what_is_no_posterior_mean_has_no_score() -> None:
    with pytest.raises(ValueError, match=r"Generator does not return E\[x0 \| x_t\]"):
        score(Generator(), X, torch.tensor(0.5))


def test_bad_input_is_named() -> None:
    exact, half = Exact(MIXTURE, VP()), torch.tensor(0.5, dtype=torch.float64)
    zero = torch.zeros(())
    with pytest.raises(ValueError, match="no noise to tell from the data where sigma = 0"):
        exact(X, zero)
    with pytest.raises(ValueError, match="score is infinite where sigma = 0"):
        score(exact, X, zero)
    with pytest.raises(ValueError, match="takes no condition"):
        exact(X, half, torch.zeros(6))
    with pytest.raises(ValueError, match=r"alpha must be a number or have the leading shape of x.*\(5,\)"):
        exact(X, half.expand(5))
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        score(exact, X, 2 * torch.ones(()))
    with pytest.raises(ValueError, match="Did you mean 'velocity'"):
        Learned(nn.Identity(), VP(), "velocty")
    with pytest.raises(TypeError, match="schedule must be a Schedule, got <class"):
        Learned(nn.Identity(), VP)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="schedule must be a Schedule, got 'vp'"):
        Exact(MIXTURE, "vp")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"network must be a torch\.nn\.Module"):
        Learned(lambda x, t, cond: x, VP())  # type: ignore[arg-type]
    for bad in (X[:, :1], X[0], None):
        broken = nn.Module()
        broken.forward = lambda x, t, cond, bad=bad: bad  # type: ignore[assignment]
        with pytest.raises((ValueError, TypeError), match="^y (and x_t )?must"):
            Learned(broken, VP())(X, half)


def test_as_time() -> None:
    assert as_time(0.25, X).dtype == torch.float64
    for bad in (math.nan, -0.1, 1.5):
        with pytest.raises(ValueError, match="t must"):
            as_time(bad, X)
