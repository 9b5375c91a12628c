"""The losses of the games against closed forms, and the loop against what a game must do."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.objectives.adversarial import GAMES, Game, discriminator_loss, generator_loss
from diffusion_teach.objectives.gradient_penalties import gradient_penalty, lipschitz_penalty, slopes
from diffusion_teach.training import EMA, fit_gan
from tests.members import member

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
    assert float(discriminator_loss("wasserstein", r, k)) == approx(fake - real)
    assert float(generator_loss("wasserstein", r, k)) == approx(-fake)


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


def test_slopes_of_images_are_those_of_their_pixels_in_a_row() -> None:
    a = torch.randn(1, 3, 3, dtype=torch.float64)
    x = torch.randn(5, 1, 3, 3, dtype=torch.float64).requires_grad_()
    logits = (0.5 * (a * x).square()).sum((1, 2, 3))
    torch.testing.assert_close(slopes(logits, x), (a.square() * x).flatten(1))


@pytest.mark.parametrize(("r1", "r2"), [(0.7, 0.7), (0.7, 0.0), (0.0, 0.4)])
def test_a_turn_adds_r1_and_r2_with_the_weights_it_names(r1: float, r2: float) -> None:
    """The discriminator's gradient: that of loss + r1/2 E‖∇D(x)‖² + r2/2 E‖∇D(x_g)‖²."""
    _, net = _pair()
    x, x_g = torch.randn(2, 16, 2)
    manual = copy.deepcopy(net)
    loss = discriminator_loss("non-saturating", manual(x)[..., 0], manual(x_g)[..., 0])
    for points, gamma in ((x, r1), (x_g, r2)):
        points = points.clone().requires_grad_()
        loss = loss + gamma * gradient_penalty(manual(points)[..., 0], points)
    loss.backward()
    parts = Game(r1=r1, r2=r2).discriminator_turn(net, x, x_g, torch.empty(16))
    sum(parts, torch.zeros(())).backward()
    for p, q in zip(net.parameters(), manual.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)


class Norm(nn.Module):
    """D(x) = c·‖x‖, whose slope is c everywhere but at zero."""

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.tensor(c, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.c * x.flatten(1).norm(dim=1, keepdim=True)


@pytest.mark.parametrize("shape", [(6, 2), (6, 1, 4, 4)])
def test_the_lipschitz_penalty_pulls_slopes_to_one_from_both_sides(shape: tuple[int, ...]) -> None:
    x, x_g = torch.randn(2, *shape, dtype=torch.float64)
    u = torch.rand(6, dtype=torch.float64)
    for c in (0.4, 1.0, 3.0):
        assert lipschitz_penalty(Norm(c), x, x_g, u).item() == pytest.approx((c - 1) ** 2, abs=1e-12)
    net = Norm(3.0)
    _, penalty = Game(name="wasserstein", gp=10.0).discriminator_turn(net, x, x_g, u)
    penalty.backward()
    assert float(net.c.grad) == pytest.approx(10 * 2 * (3 - 1))  # type: ignore[arg-type]


def test_a_flat_critic_has_a_penalty_and_no_nan() -> None:
    _, d = _pair()
    for p in d.parameters():
        nn.init.zeros_(p)
    penalty = lipschitz_penalty(d, *torch.randn(2, 6, 2), torch.rand(6))
    penalty.backward()
    assert penalty.item() == 1
    assert all(bool(torch.isfinite(p.grad).all()) for p in d.parameters() if p.grad is not None)


def test_the_lipschitz_penalty_looks_between_the_points() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach().clone())
            return x.sum(-1, keepdim=True)

    x, x_g = torch.randn(2, 3, 5, 2)
    u = torch.rand(3, 5)
    penalty = lipschitz_penalty(Spy(), x, x_g, u)
    torch.testing.assert_close(seen[0], u[..., None] * x + (1 - u[..., None]) * x_g)
    torch.testing.assert_close(penalty, torch.full((3,), (math.sqrt(2) - 1) ** 2))


def test_the_generators_turn_leaves_the_discriminator_alone() -> None:
    g, d = _pair()
    Game(name="relativistic").generator_turn(d, torch.randn(7, 2), g(torch.randn(7, 2))).backward()
    assert all(p.grad is None and p.requires_grad for p in d.parameters())
    assert all(p.grad is not None for p in g.parameters())


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
    zero = torch.zeros(4)
    with pytest.raises(ValueError, match="Did you mean 'saturating'"):
        generator_loss("saturated", zero, zero)
    with pytest.raises(ValueError, match="same shape"):
        discriminator_loss("relativistic", zero, torch.zeros(3))
    with pytest.raises(ValueError, match="requires_grad_"):
        gradient_penalty(zero, torch.zeros(4, 2))
    for penalty in ("r1", "r2", "gp"):
        with pytest.raises(ValueError, match=f"{penalty} must be at least 0, got -1"):
            Game(**{penalty: -1.0})
    with pytest.raises(ValueError, match="same shape"):
        fit_gan(*_pair(), lambda: torch.zeros(4, 3), lambda: torch.zeros(4, 2), steps=1)
