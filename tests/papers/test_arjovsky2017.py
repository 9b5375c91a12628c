"""Wasserstein GAN and its penalty against closed forms, and against the core."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives import adversarial, gradient_penalties
from diffusion_teach.papers import arjovsky2017


def _line(slope: float) -> nn.Linear:
    line = nn.Linear(1, 1).double()
    nn.init.constant_(line.weight, slope)
    return line


def test_a_line_measures_the_distance_of_two_points_times_its_slope() -> None:
    x, x_g = torch.zeros(4, 1).double(), torch.full((4, 1), 2.5).double()
    assert arjovsky2017.critic_value(_line(-1.0), x, x_g).item() == pytest.approx(2.5)
    assert arjovsky2017.critic_value(_line(-3.0), x, x_g).item() == pytest.approx(7.5)


def test_the_penalty_of_a_line_and_where_it_looks() -> None:
    x, x_g = torch.randn(2, 50, 1).double()
    for slope in (0.0, 0.4, 1.0, -3.0):
        value = arjovsky2017.gradient_penalty(_line(slope), x, x_g, torch.rand(50, 1), 10.0)
        assert value.item() == pytest.approx(10 * (abs(slope) - 1) ** 2)

    class Square(nn.Module):  # D(x) = ½‖x‖² has the gradient x, so the penalty sees where x̂ lies
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 0.5 * x.square().sum(-1, keepdim=True)

    data, made = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    for epsilon, norm in ((1.0, 5.0), (0.0, 0.0), (0.2, 1.0)):
        value = arjovsky2017.gradient_penalty(Square(), data, made, torch.tensor([[epsilon]]), 1.0)
        assert value.item() == pytest.approx((norm - 1) ** 2, abs=1e-6)


@pytest.mark.parametrize(("W", "lambda_"), [(1.0, 10.0), (4.0, 10.0), (2.0, 0.5)])
def test_the_best_slope_maximises_the_penalised_value(W: float, lambda_: float) -> None:
    slopes = torch.linspace(0, 5, 50_001, dtype=torch.float64)
    best = slopes[(W * slopes - lambda_ * (slopes - 1) ** 2).argmax()]
    assert float(arjovsky2017.best_slope(torch.tensor(W).double(), lambda_)) == pytest.approx(float(best), abs=1e-4)


def test_algorithm_1_clips_every_weight_and_moves_the_generator_towards_the_data() -> None:
    g, f = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
    before = copy.deepcopy(g.state_dict())
    ascent_w = torch.optim.RMSprop(f.parameters(), lr=0.05, maximize=True)
    descent_theta = torch.optim.RMSprop(g.parameters(), lr=0.01)
    x = [torch.full((8, 1), 5.0).double() for _ in range(5)]
    z = [torch.zeros(8, 1).double() for _ in range(6)]
    arjovsky2017.algorithm_1(g, f, x, z, ascent_w, descent_theta, 0.01)
    assert all(float(w.detach().abs().max()) <= 0.01 for w in f.parameters())
    assert f.weight.item() == pytest.approx(0.01)  # the data lie to the right, so the critic rises as steeply as it may
    assert g.bias.item() > float(before["bias"])
    assert torch.equal(g.weight, before["weight"])  # z is 0 and tells nothing of it


@pytest.mark.skipif("wasserstein" not in adversarial.GAMES, reason="the core has no Wasserstein game yet")
def test_the_core_has_the_papers_losses_and_penalty() -> None:
    net = MLP(2, 1, width=8, depth=1).double()
    x, x_g = torch.randn(2, 16, 2).double()
    real, fake = net(x).squeeze(-1), net(x_g).squeeze(-1)
    value = arjovsky2017.critic_value(net, x, x_g)
    torch.testing.assert_close(adversarial.discriminator_loss("wasserstein", real, fake), -value)
    torch.testing.assert_close(adversarial.generator_loss("wasserstein", real, fake), -net(x_g).mean())
    epsilon = torch.rand(16).double()
    ours = 7 * gradient_penalties.gradient_penalty(net, x, x_g, epsilon)
    torch.testing.assert_close(arjovsky2017.gradient_penalty(net, x, x_g, epsilon.unsqueeze(-1), 7.0), ours)
