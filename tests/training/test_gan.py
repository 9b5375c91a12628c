"""The pair's loop: turns, members, averages, and a game whose end is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives.adversarial import GAMES
from diffusion_teach.training import EMA, fit_gan
from tests.members import member


def _pair(members: int | None = None, seed: int = 0) -> tuple[MLP, MLP]:
    g = torch.Generator().manual_seed(seed)
    return (
        MLP(2, 2, width=8, depth=1, members=members, generator=g),
        MLP(2, 1, width=8, depth=1, members=members, generator=g),
    )


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_members_are_trained_as_if_alone(game: str, penalty: float) -> None:
    # In float64, as the relativistic loss does not depend on the last bias: Adam would blow up its rounding errors.
    together = tuple(net.double() for net in _pair(members=3))
    alone = tuple(member(net, 1) for net in together)
    x, z = torch.randn(12, 3, 10, 2).double().split([4, 8])
    for (g, d), pick in ((together, slice(None)), (alone, 1)):
        reals, noises = iter(x[:, pick]), iter(z[:, pick])
        fit_gan(g, d, lambda it=reals: next(it), lambda it=noises: next(it), steps=4, game=game, r1=penalty, r2=penalty)
    for net, single in zip(together, alone, strict=True):
        for p, q in zip(member(net, 1).parameters(), single.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)


class Shift(nn.Module):
    """G(z) = z + θ: the smallest generator that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([2.0]))

    def forward(self, z: Tensor) -> Tensor:
        return z + self.theta


@pytest.mark.parametrize(("penalty", "slope"), [({}, 3.0), ({"r1": 1.0}, 0.0), ({"r2": 1.0}, 0.0), ({"gp": 1.0}, 1.0)])
def test_a_critic_that_learns_nothing_from_points_obeys_its_penalty(penalty: dict[str, float], slope: float) -> None:
    """All points, real and generated, are 0: D(x) = 3x has no reason to move but R₁ and R₂, to 0, or gp, to slope 1."""
    generator_net, critic = nn.Linear(1, 1, bias=False), nn.Linear(1, 1)
    with torch.no_grad():
        critic.weight.fill_(3.0)

    def zeros() -> Tensor:
        return torch.zeros(4, 1)

    fit_gan(generator_net, critic, zeros, zeros, steps=200, game="wasserstein", lr=0.1, **penalty)
    assert critic.weight.item() == pytest.approx(slope, abs=0.02)


def test_what_is_told_of_a_turn_is_the_critics_loss_before_its_last_step() -> None:
    """All real points of the k-th draw are k, all generated ones 2, and D(x) = x hardly moves: the loss is 2 − k."""
    critic = nn.Linear(1, 1)
    with torch.no_grad():
        critic.weight.fill_(1.0)
        critic.bias.zero_()
    draws = iter((3, 6))
    told: list[float] = []
    history = fit_gan(
        Shift(),
        critic,
        lambda: torch.full((4, 1), float(next(draws))),
        lambda: torch.zeros(4, 1),
        steps=2,
        game="wasserstein",
        r1=0.1,  # a penalty, which is not told
        lr=1e-9,
        on_step=lambda step, loss: told.append(loss),
    )
    assert history.losses == pytest.approx([2 - 3, 2 - 6], abs=1e-6)
    assert told == history.losses


@pytest.mark.parametrize("game", ["non-saturating", "relativistic"])
def test_a_penalised_game_finds_the_mean(game: str) -> None:
    """Data N(0, 1), generator N(θ, 1), linear discriminator: the only fixed point is θ = 0."""
    g = torch.Generator().manual_seed(0)
    generator_net, discriminator = Shift(), nn.Linear(1, 1)
    history = fit_gan(
        generator_net,
        discriminator,
        lambda: torch.randn(256, 1, generator=g),
        lambda: torch.randn(256, 1, generator=g),
        steps=600,
        game=game,
        r1=0.5,
        r2=0.5,
        lr=2e-2,
    )
    assert history.steps_done == 600
    assert abs(generator_net.theta.item()) < 0.15
    level = {"non-saturating": math.log(4), "relativistic": math.log(2)}[game]
    assert sum(history.losses[-50:]) / 50 == pytest.approx(level, abs=0.05)


def test_the_average_follows_the_generator_and_gradients_stay_switched_on() -> None:
    g, d = _pair()
    average = EMA(g, 0.9)
    fit_gan(g, d, lambda: torch.randn(8, 2), lambda: torch.randn(8, 2), steps=5, ema=average)
    assert average.updates == 5
    assert all(p.requires_grad for p in d.parameters())


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="same shape"):
        fit_gan(*_pair(), lambda: torch.zeros(4, 3), lambda: torch.zeros(4, 2), steps=1)


def test_frozen_layers_stay_as_they_are() -> None:
    g, d = _pair()
    d.layers[0].requires_grad_(False)
    before = d.layers[0].weight.clone()
    fit_gan(g, d, lambda: torch.randn(8, 2), lambda: torch.randn(8, 2), steps=3, game="relativistic")
    assert torch.equal(d.layers[0].weight, before)
    assert [p.requires_grad for p in d.parameters()] == [False, False, True, True]


def test_an_average_of_another_generator_is_refused() -> None:
    g, d = _pair()
    for stranger in (_pair()[0], d):
        with pytest.raises(ValueError, match="ema must be of generator_net"):
            fit_gan(g, d, lambda: torch.randn(8, 2), lambda: torch.randn(8, 2), steps=3, ema=EMA(stranger))
