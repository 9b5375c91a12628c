"""The gradient penalty of a Wasserstein GAN against closed forms, and against the core."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives import gradient_penalties
from diffusion_teach.papers import gulrajani2017


def _line(slope: float) -> nn.Linear:
    line = nn.Linear(1, 1).double()
    nn.init.constant_(line.weight, slope)
    return line


def test_the_penalty_of_a_line_and_where_it_looks() -> None:
    x, x_g = torch.randn(2, 50, 1).double()
    for slope in (0.0, 0.4, 1.0, -3.0):
        value = gulrajani2017.gradient_penalty(_line(slope), x, x_g, torch.rand(50, 1), 10.0)
        assert value.item() == pytest.approx(10 * (abs(slope) - 1) ** 2)

    class Square(nn.Module):  # D(x) = ½‖x‖² has the gradient x, so the penalty sees where x̂ lies
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 0.5 * x.square().sum(-1, keepdim=True)

    data, made = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    for epsilon, norm in ((1.0, 5.0), (0.0, 0.0), (0.2, 1.0)):
        value = gulrajani2017.gradient_penalty(Square(), data, made, torch.tensor([[epsilon]]), 1.0)
        assert value.item() == pytest.approx((norm - 1) ** 2, abs=1e-6)


@pytest.mark.parametrize(("W", "lambda_"), [(1.0, 10.0), (4.0, 10.0), (2.0, 0.5)])
def test_the_best_slope_maximises_the_penalised_value(W: float, lambda_: float) -> None:
    slopes = torch.linspace(0, 5, 50_001, dtype=torch.float64)
    best = slopes[(W * slopes - lambda_ * (slopes - 1) ** 2).argmax()]
    assert float(gulrajani2017.best_slope(torch.tensor(W).double(), lambda_)) == pytest.approx(float(best), abs=1e-4)


def test_the_core_has_the_papers_penalty() -> None:
    net = MLP(2, 1, width=8, depth=1).double()
    x, x_g = torch.randn(2, 16, 2).double()
    epsilon = torch.rand(16).double()
    ours = 7 * gradient_penalties.gradient_penalty(net, x, x_g, epsilon)
    torch.testing.assert_close(gulrajani2017.gradient_penalty(net, x, x_g, epsilon.unsqueeze(-1), 7.0), ours)
