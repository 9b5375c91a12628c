"""A packed discriminator judges packs, and means over points are means over packs."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.networks.packing import Packed
from diffusion_teach.objectives import adversarial, gradient_penalties
from diffusion_teach.objectives.adversarial import discriminator_loss, generator_loss


@pytest.mark.parametrize("members", [None, 3])
def test_each_point_gets_the_logit_of_its_pack(members: int | None) -> None:
    net = MLP(6, 1, width=8, members=members).double()
    packed = Packed(net, 3)
    lead = () if members is None else (members,)
    x = torch.randn(*lead, 12, 2, dtype=torch.float64)
    logits = packed(x)
    assert logits.shape == (*lead, 12, 1)
    for pack in range(4):
        points = x[..., 3 * pack : 3 * pack + 3, :].flatten(-2)
        alone = net(points.unsqueeze(-2))
        torch.testing.assert_close(logits[..., 3 * pack : 3 * pack + 3, :], alone.expand(*lead, 3, 1))


@pytest.mark.parametrize("game", adversarial.GAMES)
def test_losses_over_points_are_losses_over_packs(game: str) -> None:
    net = MLP(8, 1, width=8).double()
    x, x_g = torch.randn(2, 20, 2, dtype=torch.float64)
    packs = [net(points.reshape(5, 8)).squeeze(-1) for points in (x, x_g)]
    both = Packed(net, 4)(torch.cat([x, x_g])).squeeze(-1)
    for loss in (discriminator_loss, generator_loss):
        torch.testing.assert_close(loss(game, *both.chunk(2)), loss(game, *packs))


def penalty(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return gradient_penalties.zero_centred_penalty(gradient_penalties.input_gradients(logits, x))


def test_a_gradient_penalty_counts_as_often_as_a_pack_has_points() -> None:
    net = MLP(8, 1, width=8).double()
    x = torch.randn(20, 2, dtype=torch.float64).requires_grad_()
    packs = x.detach().reshape(5, 8).requires_grad_()
    of_points = penalty(Packed(net, 4)(x).squeeze(-1), x)
    torch.testing.assert_close(of_points, 4 * penalty(net(packs).squeeze(-1), packs))


def test_a_pack_of_one_changes_nothing_and_two_tell_what_one_cannot() -> None:
    net = MLP(2, 1, width=8)
    x = torch.randn(6, 2)
    torch.testing.assert_close(Packed(net, 1)(x), net(x))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="packs of 4 points, got 6"):
        Packed(MLP(8, 1), 4)(torch.randn(6, 2))
    with pytest.raises(ValueError, match="size"):
        Packed(MLP(8, 1), 0)
