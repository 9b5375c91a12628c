"""Classifier guidance in the paper's letters equals the core."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import ClassifierGuided, Exact
from diffusion_teach.exact.labels import log_posterior
from diffusion_teach.papers import dhariwal2021, ho2020
from diffusion_teach.samplers import ddim, sample, time_grid
from diffusion_teach.schedules import Discrete, linear_betas
from tests.denoisers.test_by_classifier import PARTS, PRIOR, WHOLE
from tests.denoisers.two_gaussians import LABELS, X

T = 60
TABLE = Discrete(linear_betas(T))
ᾱ = ho2020.tables(TABLE.betas).ᾱ


@pytest.mark.parametrize("s", [0.0, 1.0, 2.5])
def test_algorithm_2_is_guided_ddim(s: float) -> None:
    def log_p(x: Tensor, t: Tensor) -> Tensor:
        return log_posterior(PARTS, PRIOR, x, TABLE.alpha(t), TABLE.sigma(t))[torch.arange(6), LABELS]

    exact = Exact(WHOLE, TABLE)

    def time(t: int) -> Tensor:
        return torch.tensor(t / T, dtype=torch.float64)

    paper = dhariwal2021.sample(lambda x, t: exact(x, time(t)).eps, lambda x, t: log_p(x, time(t)), X, ᾱ, s=s)
    core = sample(ClassifierGuided(exact, log_p, s), ddim(0.0), X, time_grid(TABLE, T))
    torch.testing.assert_close(core, paper, rtol=1e-6, atol=1e-6)
