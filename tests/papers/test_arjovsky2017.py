"""Wasserstein GAN against closed forms, and against the core."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives import adversarial
from diffusion_teach.papers import arjovsky2017


def _line(slope: float) -> nn.Linear:
    line = nn.Linear(1, 1).double()
    nn.init.constant_(line.weight, slope)
    return line


def test_a_line_measures_the_distance_of_two_points_times_its_slope() -> None:
    x, x_g = torch.zeros(4, 1).double(), torch.full((4, 1), 2.5).double()
    assert arjovsky2017.critic_value(_line(-1.0), x, x_g).item() == pytest.approx(2.5)
    assert arjovsky2017.critic_value(_line(-3.0), x, x_g).item() == pytest.approx(7.5)


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


def test_the_core_has_the_papers_losses() -> None:
    net = MLP(2, 1, width=8, depth=1).double()
    x, x_g = torch.randn(2, 16, 2).double()
    real, fake = net(x).squeeze(-1), net(x_g).squeeze(-1)
    value = arjovsky2017.critic_value(net, x, x_g)
    torch.testing.assert_close(adversarial.discriminator_loss("wasserstein", real, fake), -value)
    torch.testing.assert_close(adversarial.generator_loss("wasserstein", real, fake), -net(x_g).mean())
