"""Costs are what the shapes say, whatever the machine does meanwhile."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from diffusion_teach import samplers
from diffusion_teach.denoisers import Learned
from diffusion_teach.metrics.cost import Cost, counted
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.schedules import VP
from diffusion_teach.studies.duel2d import contenders, search


def test_a_layer_costs_rows_times_inputs_times_outputs() -> None:
    made, cost = counted(nn.Linear(3, 5), torch.zeros(7, 3))
    assert made.shape == (7, 5)
    assert cost == Cost(calls=1, multiplications=7 * 3 * 5)


def test_a_convolution_costs_its_window_at_every_place() -> None:
    layer = nn.Conv2d(2, 3, kernel_size=5, padding=2)
    assert counted(layer, torch.zeros(4, 2, 8, 6))[1].multiplications == 4 * (8 * 6 * 3) * (5 * 5 * 2)


@pytest.mark.parametrize("members", [1, 10])
def test_a_network_is_one_call_and_members_cost_as_many_times(members: int) -> None:
    network = MLP(2, 1, width=16, depth=2, members=members)
    cost = counted(network, torch.zeros(members, 7, 2))[1]
    assert cost == Cost(calls=1, multiplications=members * 7 * (2 * 16 + 16 * 16 + 16))


def test_arguments_are_handed_on_and_an_error_leaves_nothing_behind() -> None:
    layer = nn.Linear(3, 5)
    with pytest.raises(RuntimeError, match="shapes"):
        counted(layer, torch.zeros(7, 4))
    assert counted(lambda x, *, times: [layer(x) for _ in range(times)], torch.zeros(1, 3), times=4)[1].calls == 4
    with pytest.raises(TypeError, match="draw must be"):
        counted(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(("step", "calls"), [(samplers.ddim(), 6), (samplers.euler, 6), (samplers.heun, 12)])
def test_a_step_that_asks_twice_is_found(step: samplers.Step, calls: int) -> None:
    denoiser = Learned(TimeMLP(2, width=8, depth=1), VP(), target="v")
    times = torch.linspace(0.9, 0.1, 7)
    assert counted(samplers.sample, denoiser, step, torch.zeros(5, 2), times)[1].calls == calls


@pytest.mark.parametrize("contender", list(search.TRIALS))
def test_a_contender_of_the_duel_calls_its_network_as_often_as_it_says(
    contender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contenders, "STEPS", 1)
    ring = contenders.data()["ring"]
    points = ring.sample(100, generator=torch.Generator().manual_seed(0))
    settings = search.settings("fourier", "ring", contender)
    model = contenders.train(contender, points, 5, torch.Generator().manual_seed(0), settings)
    assert counted(model.draw, 10)[1].calls == model.evaluations
