"""The losses of the games against closed forms, and the loop against what a game must do."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from diffusion_teach import adversarial
from diffusion_teach.adversarial import GAMES, discriminator_loss, fit_gan, generator_loss, gradient_penalty
from diffusion_teach.networks.mlp import MLP
from diffusion_teach.training import EMA

LOGITS = st.floats(-30, 30)


def _pair(members: int | None = None, seed: int = 0) -> tuple[MLP, MLP]:
    g = torch.Generator().manual_seed(seed)
    return (
        MLP(2, 2, width=8, depth=1, members=members, generator=g),
        MLP(2, 1, width=8, depth=1, members=members, generator=g),
    )


@given(LOGITS, LOGITS)
def test_losses_are_the_logarithms_of_the_table(real: float, fake: float) -> None:
    r, k = torch.tensor([[real], [fake]], dtype=torch.float64)

    def log_sigmoid(v: float) -> float:
        return -math.log1p(math.exp(-v)) if v > 0 else v - math.log1p(math.exp(v))

    approx = pytest.approx
    assert float(discriminator_loss("non-saturating", r, k)) == approx(-log_sigmoid(real) - log_sigmoid(-fake))
    assert float(discriminator_loss("relativistic", r, k)) == approx(-log_sigmoid(real - fake))
    assert float(generator_loss("non-saturating", r, k)) == approx(-log_sigmoid(fake))
    assert float(generator_loss("saturating", r, k)) == approx(log_sigmoid(-fake))
    assert float(generator_loss("relativistic", r, k)) == approx(-log_sigmoid(fake - real))


def test_a_discriminator_that_cannot_tell() -> None:
    zero = torch.zeros(3, 5)
    assert discriminator_loss("non-saturating", zero, zero).tolist() == pytest.approx([math.log(4)] * 3)
    assert discriminator_loss("relativistic", zero + 7, zero + 7).tolist() == pytest.approx([math.log(2)] * 3)


def test_where_the_discriminator_wins_the_saturating_loss_is_flat_and_the_other_is_steep() -> None:
    gradients = []
    for game in ("saturating", "non-saturating"):
        fake = torch.tensor([-12.0], requires_grad=True)
        generator_loss(game, torch.zeros(1), fake).backward()
        assert fake.grad is not None
        gradients.append(float(fake.grad))
    # d/dv log σ(−v) = −σ(v), d/dv (−log σ(v)) = −σ(−v): both push the logit up.
    assert gradients == pytest.approx([-1 / (1 + math.exp(12)), -1 / (1 + math.exp(-12))])


def test_gradient_penalty_of_a_known_discriminator() -> None:
    # D(x) = ½xᵀAx has ∇D = Ax, so ½E‖∇D‖² = ½E‖Ax‖².
    a = torch.tensor([[2.0, 1.0], [1.0, -3.0]], dtype=torch.float64)
    x = torch.randn(4, 9, 2, dtype=torch.float64).requires_grad_()
    logits = 0.5 * torch.einsum("...i,ij,...j->...", x, a, x)
    torch.testing.assert_close(gradient_penalty(logits, x), 0.5 * (x @ a).square().sum(-1).mean(-1))


def test_the_loop_adds_r1_and_r2_with_the_weight_it_names() -> None:
    """One SGD-like look at the discriminator's gradient: that of loss + γ/2 E‖∇D(x)‖² + γ/2 E‖∇D(x_g)‖²."""
    _, net = _pair()
    x, x_g = torch.randn(2, 16, 2)
    gamma = 0.7
    manual = copy.deepcopy(net)
    loss = discriminator_loss("non-saturating", manual(x)[..., 0], manual(x_g)[..., 0])
    for points in (x, x_g):
        points = points.clone().requires_grad_()
        loss = loss + gamma * gradient_penalty(manual(points)[..., 0], points)
    loss.backward()
    frozen = torch.optim.SGD(net.parameters(), lr=1e-12)
    adversarial._discriminator_step(net, frozen, x, x_g, "non-saturating", gamma)
    for p, q in zip(net.parameters(), manual.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_members_are_trained_as_if_alone(game: str, penalty: float) -> None:
    # In float64, as the relativistic loss does not depend on the last bias: Adam would blow up its rounding errors.
    together = tuple(net.double() for net in _pair(members=3))
    alone = tuple(net.member(1).double() for net in together)
    x, z = torch.randn(12, 3, 10, 2).double().split([4, 8])
    for (g, d), pick in ((together, slice(None)), (alone, 1)):
        reals, noises = iter(x[:, pick]), iter(z[:, pick])
        fit_gan(g, d, lambda it=reals: next(it), lambda it=noises: next(it), steps=4, game=game, penalty=penalty)
    for net, single in zip(together, alone, strict=True):
        for p, q in zip(net.member(1).double().parameters(), single.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)


class Shift(nn.Module):
    """G(z) = z + θ: the smallest generator that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([2.0]))

    def forward(self, z: Tensor) -> Tensor:
        return z + self.theta


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
        penalty=0.5,
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
    zero = torch.zeros(4)
    with pytest.raises(ValueError, match="Did you mean 'saturating'"):
        generator_loss("saturated", zero, zero)
    with pytest.raises(ValueError, match="same shape"):
        discriminator_loss("relativistic", zero, torch.zeros(3))
    with pytest.raises(ValueError, match="requires_grad_"):
        gradient_penalty(zero, torch.zeros(4, 2))
    with pytest.raises(ValueError, match="penalty"):
        fit_gan(*_pair(), lambda: zero, lambda: zero, steps=1, penalty=-1.0)
