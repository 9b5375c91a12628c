"""Goodfellow et al. 2014 against its own theory, and the core against the paper's algorithm."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from diffusion_teach import training
from diffusion_teach.networks.mlp import MLP
from diffusion_teach.papers import goodfellow2014


class Logit(nn.Module):
    """The best discriminator of N(a, 1) from N(b, 1): its logit is log p − log q = (a − b)x − (a² − b²)/2."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x: Tensor) -> Tensor:
        return (self.a - self.b) * x - (self.a**2 - self.b**2) / 2


def test_the_value_is_minus_log_4_where_nothing_can_be_told() -> None:
    x = torch.randn(50, 1).double()
    torch.testing.assert_close(goodfellow2014.value(Logit(1, 1), x, x + 3), torch.tensor(-math.log(4)).double())


def test_the_optimal_discriminator_is_the_ratio_of_densities() -> None:
    x = torch.linspace(-3, 3, 13).double().unsqueeze(1)
    p, q = (torch.distributions.Normal(m, 1).log_prob(x).exp() for m in (1.0, -0.5))
    torch.testing.assert_close(goodfellow2014.optimal_discriminator(p, q), Logit(1.0, -0.5)(x).sigmoid())


def test_the_value_of_the_optimum_is_the_jensen_shannon_divergence() -> None:
    """V(D*, G) = −log 4 + 2·JSD(p ‖ q) (theorem 1); both expectations by quadrature on equal-probability points."""
    points = torch.distributions.Normal(0, 1).icdf((torch.arange(20_000).double() + 0.5) / 20_000).unsqueeze(1)
    a, b = 1.0, -0.5
    value = goodfellow2014.value(Logit(a, b), points + a, points + b)
    x = torch.linspace(-12, 12, 40_001).double()
    p, q = (torch.distributions.Normal(m, 1).log_prob(x).exp() for m in (a, b))
    m = (p + q) / 2
    jsd = 0.5 * torch.trapezoid(torch.xlogy(p, p / m) + torch.xlogy(q, q / m), x)
    torch.testing.assert_close(value, -math.log(4) + 2 * jsd, rtol=1e-4, atol=0)
    # No other discriminator does better.
    for other in (Logit(1.2, -0.5), Logit(1.0, 0.0), Logit(0.5, 0.5)):
        assert goodfellow2014.value(other, points + a, points + b) < value


def test_the_two_generator_losses_have_the_same_direction_and_different_strength() -> None:
    discriminator = Logit(6.0, 0.0)
    gradients = []
    for saturating in (True, False):
        x_g = torch.zeros(1, 1).double().requires_grad_()
        goodfellow2014.generator_loss(discriminator, x_g, saturating=saturating).backward()
        assert x_g.grad is not None
        gradients.append(float(x_g.grad))
    assert gradients[0] < 0
    assert gradients[1] < 0
    assert gradients[1] / gradients[0] > 1e6  # σ(18)/σ(−18)


def test_the_core_takes_the_papers_step() -> None:
    """One iteration of algorithm 1 and one step of `fit_gan` on the same draws leave the same weights."""
    seeded = torch.Generator().manual_seed(0)
    pair = [MLP(2, n, width=8, depth=1, generator=seeded) for n in (2, 1)]
    paper = copy.deepcopy(pair)
    x, *z = torch.randn(3, 32, 2, generator=seeded)
    draws = iter(z)
    history = training.fit_gan(*pair, lambda: x, lambda: next(draws), steps=1, lr=1e-2)
    adam = {"lr": 1e-2, "betas": (0.0, 0.99)}
    V, _ = goodfellow2014.algorithm_1(
        *paper,
        x,
        z,
        torch.optim.Adam(paper[1].parameters(), maximize=True, **adam),  # type: ignore[arg-type]
        torch.optim.Adam(paper[0].parameters(), **adam),  # type: ignore[arg-type]
    )
    torch.testing.assert_close(history.losses[0], -V, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(pair, paper, strict=True):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(p, q)
