"""The loss of a noise-aware classifier: least for the posterior, log K for one who knows nothing, at its own noise."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.labels import log_posterior
from diffusion_teach.objectives.classification import noisy_cross_entropy
from diffusion_teach.schedules import VP

PARTS = [GaussianMixture(torch.ones(1), torch.tensor([[m, 0.0]]), torch.tensor([0.2])) for m in (-1.0, 1.0)]
N = 4000
LABELS = torch.arange(N) % 2
X0 = torch.stack([part.sample(N, generator=torch.Generator().manual_seed(k)) for k, part in enumerate(PARTS)])
X0 = X0[LABELS, torch.arange(N)].double()


def exact(x: Tensor, t: Tensor) -> Tensor:
    return log_posterior(PARTS, torch.ones(2), x, VP().alpha(t), VP().sigma(t))


def test_it_is_the_mean_of_minus_log_p_at_the_times_and_the_noise_given() -> None:
    t = torch.linspace(0.1, 0.9, N, dtype=torch.float64)
    eps = torch.randn(N, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = noisy_cross_entropy(exact, VP(), X0, LABELS, t=t, eps=eps)
    x_t = VP().alpha(t)[:, None] * X0 + VP().sigma(t)[:, None] * eps
    torch.testing.assert_close(found, -exact(x_t, t)[torch.arange(N), LABELS].mean())


def test_the_posterior_has_the_least_loss_and_knowing_nothing_costs_log_k() -> None:
    def loss(scale: float) -> float:
        g = torch.Generator().manual_seed(3)
        return float(noisy_cross_entropy(lambda x, t: scale * exact(x, t), VP(), X0, LABELS, generator=g))

    assert loss(1.0) < min(loss(0.5), loss(1.6)) - 0.005
    assert loss(0.0) == pytest.approx(math.log(2))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"labels must lie in 0 … 1, got 0 to 2"):
        noisy_cross_entropy(exact, VP(), X0[:3], torch.arange(3))
    with pytest.raises(ValueError, match="eps and x0 must have the same shape"):
        noisy_cross_entropy(exact, VP(), X0[:3], LABELS[:3], eps=X0)
    with pytest.raises(TypeError, match="classifier must be a function"):
        noisy_cross_entropy("exact", VP(), X0, LABELS)  # type: ignore[arg-type]
