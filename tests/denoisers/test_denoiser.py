"""The score of what a denoiser answers: that of the noised data, and refused where there is none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.schedules import VE, VP, Schedule
from tests.denoisers.two_gaussians import MIXTURE, SCHEDULES, X, labelled


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_the_exact_score_is_that_of_the_noised_mixture(schedule: Schedule, t: Tensor) -> None:
    t = t.double()
    expected = MIXTURE.score(X, schedule.alpha(t), schedule.sigma(t))
    torch.testing.assert_close(score(Exact(MIXTURE, schedule), X, t), expected)


class Generator(Denoiser):
    """A generator passes points off as x₀: no posterior mean."""

    schedule = VP()
    is_posterior_mean = False

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        return Prediction(x_t, x_t)


def test_what_is_no_posterior_mean_has_no_score() -> None:
    with pytest.raises(ValueError, match=r"Generator does not return E\[x0 \| x_t\]"):
        score(Generator(), X, torch.tensor(0.5))


def test_a_score_is_that_of_the_bound_condition() -> None:
    t, denoiser = torch.tensor(0.4, dtype=torch.float64), labelled(VE())
    first = Exact(GaussianMixture(torch.ones(1), MIXTURE.means[:1], MIXTURE.covariances[:1]), VE())
    torch.testing.assert_close(score(denoiser.given(torch.zeros(6, dtype=torch.int64)), X, t), score(first, X, t))


def test_bad_input_is_named() -> None:
    exact = Exact(MIXTURE, VP())
    with pytest.raises(ValueError, match="score is infinite where sigma = 0"):
        score(exact, X, torch.zeros(()))
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        score(exact, X, 2 * torch.ones(()))
