"""The exact denoiser: its answers lie on the line, and pure noise says the mean."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import Empirical
from diffusion_teach.schedules import VP, FlowMatching
from tests.denoisers.two_gaussians import LABELS, MIXTURE, SCHEDULES, X


def test_x0_and_eps_lie_on_the_line() -> None:
    t = torch.linspace(0.05, 1.0, 6, dtype=torch.float64)
    for schedule in SCHEDULES.values():
        for distribution in (MIXTURE, Empirical(X + 1)):
            x0, eps = Exact(distribution, schedule)(X, t)
            torch.testing.assert_close(schedule.alpha(t)[:, None] * x0 + schedule.sigma(t)[:, None] * eps, X)


def test_pure_noise_says_the_mean() -> None:
    x0, eps = Exact(MIXTURE, FlowMatching())(X, torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(x0, MIXTURE.mean.expand(6, 2))
    torch.testing.assert_close(eps, X)


def test_the_exact_denoiser_works_on_a_batch_of_batches() -> None:
    t = torch.rand(2, 3, dtype=torch.float64) * 0.9 + 0.05
    exact = Exact(MIXTURE, VP())
    torch.testing.assert_close(exact(X.reshape(2, 3, 2), t).x0.reshape(6, 2), exact(X, t.flatten()).x0)


def test_what_it_says_of_itself() -> None:
    exact = Exact(Empirical(torch.zeros(4, 3, 2, 2)), VP())
    assert (exact.shape, exact.classes, exact.is_posterior_mean) == ((3, 2, 2), 0, True)
    assert Exact(MIXTURE, VP()).classes == 0


def test_bad_input_is_named() -> None:
    exact = Exact(MIXTURE, VP())
    with pytest.raises(ValueError, match="no noise to tell from the data where sigma = 0"):
        exact(X, torch.zeros(()))
    with pytest.raises(ValueError, match=r"alpha must be a number or have the leading shape of x.*\(5,\)"):
        exact(X, torch.full((5,), 0.5, dtype=torch.float64))
    with pytest.raises(TypeError, match="schedule must be a Schedule, got 'vp'"):
        Exact(MIXTURE, "vp")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Exact takes no condition"):
        Exact(MIXTURE, VP()).given(LABELS)
