"""DDPM in the paper's letters equals the core, and its forward process has the moments that the paper states."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.papers import ho2020
from diffusion_teach.samplers import ddim, sample
from diffusion_teach.schedules import Discrete, linear_betas

T = 60
BETAS = linear_betas(T)
K = ho2020.tables(BETAS)


@pytest.fixture
def mixture() -> GaussianMixture:
    means = torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64)
    covariances = torch.tensor([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.05]]], dtype=torch.float64)
    return GaussianMixture(torch.tensor([0.3, 0.7], dtype=torch.float64), means, covariances)


def test_tables_are_those_of_the_schedule() -> None:
    torch.testing.assert_close(K.ᾱ, Discrete(BETAS).alpha(torch.arange(len(BETAS) + 1).double() / len(BETAS)) ** 2)
    assert K.ᾱ[0] == 1
    assert len(K.β) == T + 1


def test_single_steps_compose_to_the_jump() -> None:
    # Linear maps of Gaussian noise: follow the coefficient of x_0 and the variance through the chain.
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    coefficient, variance = one, zero
    for t in range(1, T + 1):
        gain, noise = ho2020.q_step(one, t, K, zero), ho2020.q_step(zero, t, K, one)
        coefficient, variance = gain * coefficient, gain**2 * variance + noise**2
        torch.testing.assert_close(coefficient, ho2020.q_jump(one, t, K, zero))
        torch.testing.assert_close(variance, ho2020.q_jump(zero, t, K, one) ** 2)


def test_posterior_is_bayes_rule() -> None:
    # Precision and mean of N(x_t; √α x, β)·N(x; √ᾱ' x_0, 1 − ᾱ') as a function of x.
    x_0, x_t = torch.tensor([0.7], dtype=torch.float64), torch.tensor([-0.4], dtype=torch.float64)
    for t in (2, 5, T):
        precision = K.α[t] / K.β[t] + 1 / (1 - K.ᾱ[t - 1])
        mean = (K.α[t].sqrt() * x_t / K.β[t] + K.ᾱ[t - 1].sqrt() * x_0 / (1 - K.ᾱ[t - 1])) / precision
        got = ho2020.posterior(x_0, x_t, t, K)
        torch.testing.assert_close(got[0], mean)
        torch.testing.assert_close(got[1], 1 / precision)


def test_posterior_of_the_first_step_is_x_0() -> None:
    x_0 = torch.randn(3, 2, dtype=torch.float64)
    mean, variance = ho2020.posterior(x_0, torch.randn(3, 2, dtype=torch.float64), 1, K)
    torch.testing.assert_close(mean, x_0)
    assert variance == 0


@pytest.mark.parametrize(("σ2", "variance"), [("β", "forward"), ("β̃", "posterior")])
def test_algorithm_2_is_the_core_sampler(mixture: GaussianMixture, σ2: str, variance: str) -> None:
    denoiser = Exact(mixture, Discrete(BETAS))
    x = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    times = torch.arange(T, -1, -1, dtype=torch.float64) / T
    core = sample(denoiser, ddim(1.0, variance=variance), x, times, generator=torch.Generator().manual_seed(2))
    paper = ho2020.algorithm_2(
        lambda x_t, t: denoiser(x_t, t.double() / T).eps, x, K, σ2=σ2, generator=torch.Generator().manual_seed(2)
    )
    torch.testing.assert_close(paper, core)


def test_algorithm_2_refuses_another_variance() -> None:
    with pytest.raises(ValueError, match="σ2"):
        ho2020.algorithm_2(lambda x, t: x, torch.zeros(1, 1), K, σ2="b")


def test_the_last_step_adds_no_noise(mixture: GaussianMixture) -> None:
    first = ho2020.Tables(*(table[:2] for table in K))
    x = torch.randn(5, 2, dtype=torch.float64)
    ends = [
        ho2020.algorithm_2(lambda x_t, t: x_t, x, first, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 1)
    ]
    assert torch.equal(*ends)


def test_algorithm_1_draws_every_step_and_no_other() -> None:
    seen: list[Tensor] = []

    def network(x_t: Tensor, t: Tensor) -> Tensor:
        seen.append(t)
        return x_t

    ho2020.algorithm_1(network, torch.zeros(2000, 2), K, generator=torch.Generator().manual_seed(0))
    assert seen[0].unique().tolist() == list(range(1, T + 1))


def test_algorithm_1_is_the_core_loss(mixture: GaussianMixture) -> None:
    # The exact noise prediction minimises it; both losses then estimate the same number, up to the sum over pixels.
    exact = Exact(mixture, Discrete(BETAS))

    class Network(torch.nn.Module):
        def forward(self, x_t: Tensor, t: Tensor, cond: None = None) -> Tensor:
            return exact(x_t, t).eps

    learned = Learned(Network(), Discrete(BETAS), "eps")
    generator = torch.Generator().manual_seed(3)
    runs = []
    for _ in range(60):
        x_0 = mixture.sample(500, generator=generator).double()
        paper = ho2020.algorithm_1(lambda x_t, t: exact(x_t, t / T).eps, x_0, K, generator=generator)
        runs.append(torch.stack([paper, 2 * diffusion_loss(learned, x_0, generator=generator)]))
    losses = torch.stack(runs)
    gap = (losses[:, 0] - losses[:, 1]).mean()
    assert gap.abs() < 4 * losses.std(0).norm() / len(runs) ** 0.5
