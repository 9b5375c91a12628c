"""R3GAN's loss and penalties against closed forms, and the core against them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives import adversarial
from diffusion_teach.objectives.gradient_penalties import input_gradients, zero_centred_penalty
from diffusion_teach.papers import huang2024


class Quadratic(nn.Module):
    """D(x) = c‖x‖²/2, whose gradient is c·x."""

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c

    def forward(self, x: Tensor) -> Tensor:
        return self.c * x.square().sum(-1, keepdim=True) / 2


def test_equal_points_give_log_2_whatever_the_discriminator() -> None:
    x = torch.randn(20, 2).double()
    for c in (0.0, 3.0):
        for loss in (huang2024.discriminator_loss, huang2024.generator_loss):
            torch.testing.assert_close(loss(Quadratic(c), x, x), torch.tensor(math.log(2)).double())


def test_the_roles_are_mirrored() -> None:
    x, x_g = torch.randn(2, 20, 2).double()
    D = Quadratic(1.3)
    torch.testing.assert_close(huang2024.discriminator_loss(D, x, x_g), huang2024.generator_loss(D, x_g, x))


def test_a_constant_added_to_the_discriminator_changes_nothing() -> None:
    x, x_g = torch.randn(2, 20, 2).double()
    D = Quadratic(1.3)

    def shifted(points: Tensor) -> Tensor:
        return D(points) + 5

    for loss in (huang2024.discriminator_loss, huang2024.generator_loss):
        torch.testing.assert_close(loss(shifted, x, x_g), loss(D, x, x_g))  # type: ignore[arg-type]


def test_the_penalty_of_a_known_discriminator() -> None:
    x = torch.randn(50, 2).double()
    expected = 0.8 / 2 * 1.3**2 * x.square().sum(-1).mean()
    torch.testing.assert_close(huang2024.penalty(Quadratic(1.3), x, 0.8), expected)


def test_the_core_has_the_papers_losses() -> None:
    D = MLP(2, 1, width=8).double()
    x, x_g = torch.randn(2, 20, 2).double()
    real, fake = D(x)[..., 0], D(x_g)[..., 0]
    torch.testing.assert_close(
        adversarial.discriminator_loss("relativistic", real, fake), huang2024.discriminator_loss(D, x, x_g)
    )
    torch.testing.assert_close(
        adversarial.generator_loss("relativistic", real, fake), huang2024.generator_loss(D, x, x_g)
    )
    points = x.clone().requires_grad_()
    torch.testing.assert_close(
        0.8 * zero_centred_penalty(input_gradients(D(points)[..., 0], points)),
        huang2024.penalty(D, x, 0.8),
    )
