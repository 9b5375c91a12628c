"""The losses and penalties of the games against torch's cross-entropy, closed forms, and what each player wants."""

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
from diffusion_teach.objectives.gradient_penalties import gradient_penalty, input_gradients, zero_centred_penalty
from tests.members import member


def _pair(members: int | None = None, seed: int = 0) -> tuple[MLP, MLP]:
    g = torch.Generator().manual_seed(seed)
    return (
        MLP(2, 2, width=8, depth=1, members=members, generator=g),
        MLP(2, 1, width=8, depth=1, members=members, generator=g),
    )


@given(st.integers(0, 2**32), st.floats(0.1, 30))
def test_losses_are_cross_entropies(seed: int, scale: float) -> None:
    """−log σ(D) is the cross-entropy of the label "real", −log σ(−D) that of "fake": torch's own, from the logits."""
    real, fake = scale * torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

    def cross_entropy(logits: Tensor, label: float) -> Tensor:
        labels = torch.full_like(logits, label)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(-1)

    pairs = [
        (discriminator_loss("non-saturating", real, fake), cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)),
        (discriminator_loss("saturating", real, fake), cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)),
        (discriminator_loss("relativistic", real, fake), cross_entropy(real - fake, 1.0)),
        (generator_loss("non-saturating", real, fake), cross_entropy(fake, 1.0)),
        (generator_loss("saturating", real, fake), -cross_entropy(fake, 0.0)),
        (generator_loss("relativistic", real, fake), cross_entropy(real - fake, 0.0)),
    ]
    for found, expected in pairs:
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("game", ["saturating", "wasserstein"])
def test_what_the_generator_gains_its_opponent_loses(game: str) -> None:
    """These two games are zero-sum: in the generated points the two losses add up to a constant."""
    fake = torch.linspace(-4, 4, 9, dtype=torch.float64)[:, None]
    total = discriminator_loss(game, fake[:1].expand(9, 1), fake) + generator_loss(game, torch.zeros_like(fake), fake)
    torch.testing.assert_close(total, total[:1].expand(9))


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("size", [1.0, 200.0])
def test_each_player_pushes_the_logits_its_own_way(game: str, size: float) -> None:
    """The discriminator pulls real and generated logits apart, the generator raises its own; at ±200 nothing overflows.

    Where a player has lost, its slope is 1; where it has won, 0. The saturating generator's is the other way round, and
    Wasserstein's is 1 everywhere.
    """
    for sign in (-1.0, 1.0):  # who is fooled: at −1 the discriminator knows
        real = torch.full((1, 1), -sign * size, dtype=torch.float64, requires_grad=True)
        fake = torch.full((1, 1), sign * size, dtype=torch.float64, requires_grad=True)
        push_real, push_fake = torch.autograd.grad(discriminator_loss(game, real, fake).sum(), (real, fake))
        (push_own,) = torch.autograd.grad(generator_loss(game, real.detach(), fake).sum(), fake)
        assert push_real <= 0 <= push_fake
        assert push_own <= 0
        if size == 200:
            lost = float(game == "wasserstein" or sign > 0)
            assert (float(push_real), float(push_fake)) == pytest.approx((-lost, lost), abs=1e-12)
            steep = float(game == "wasserstein" or (game == "saturating") == (sign > 0))
            assert float(push_own) == pytest.approx(-steep, abs=1e-12)


@pytest.mark.parametrize(
    ("game", "level"),
    [("non-saturating", math.log(4)), ("saturating", math.log(4)), ("relativistic", math.log(2)), ("wasserstein", 0.0)],
)
def test_a_discriminator_that_cannot_tell(game: str, level: float) -> None:
    zero = torch.zeros(3, 5)
    assert discriminator_loss(game, zero, zero).tolist() == pytest.approx([level] * 3)
    if game in ("relativistic", "wasserstein"):  # only differences count
        assert discriminator_loss(game, zero + 7, zero + 7).tolist() == pytest.approx([level] * 3)


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
    torch.testing.assert_close(
        zero_centred_penalty(input_gradients(logits, x)), 0.5 * (x @ a).square().sum(-1).mean(-1)
    )


def test_slopes_of_images_are_those_of_their_pixels_in_a_row() -> None:
    a = torch.randn(1, 3, 3, dtype=torch.float64)
    x = torch.randn(5, 1, 3, 3, dtype=torch.float64).requires_grad_()
    logits = (0.5 * (a * x).square()).sum((1, 2, 3))
    torch.testing.assert_close(input_gradients(logits, x), (a.square() * x).flatten(1))


@pytest.mark.parametrize(("r1", "r2"), [(0.7, 0.7), (0.7, 0.0), (0.0, 0.4)])
def test_a_turn_adds_r1_and_r2_with_the_weights_it_names(r1: float, r2: float) -> None:
    """The discriminator's gradient: that of loss + r1/2 E‖∇D(x)‖² + r2/2 E‖∇D(x_g)‖²."""
    _, net = _pair()
    x, x_g = torch.randn(2, 16, 2)
    manual = copy.deepcopy(net)
    loss = discriminator_loss("non-saturating", manual(x)[..., 0], manual(x_g)[..., 0])
    for points, gamma in ((x, r1), (x_g, r2)):
        points = points.clone().requires_grad_()
        loss = loss + gamma * zero_centred_penalty(input_gradients(manual(points)[..., 0], points))
    loss.backward()
    parts = Game(r1=r1, r2=r2).discriminator_turn(net, x, x_g, torch.empty(16))
    sum(parts, torch.zeros(())).backward()
    for p, q in zip(net.parameters(), manual.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("penalties", [{"r1": 0.7, "r2": 0.3}, {"gp": 2.0}])
def test_the_turns_of_members_are_their_turns_alone(game: str, penalties: dict[str, float]) -> None:
    _, together = _pair(members=3)
    rules = Game(name=game, **penalties)
    x, x_g = torch.randn(2, 3, 5, 2)
    u = torch.rand(3, 5)
    losses = *rules.discriminator_turn(together, x, x_g, u), rules.generator_turn(together, x, x_g)
    for k in range(3):
        alone = member(together, k)
        single = *rules.discriminator_turn(alone, x[k], x_g[k], u[k]), rules.generator_turn(alone, x[k], x_g[k])
        for value, expected in zip(losses, single, strict=True):
            assert value.shape == (3,)
            torch.testing.assert_close(value[k], expected)


class Norm(nn.Module):
    """D(x) = c·‖x‖, whose slope is c everywhere but at zero."""

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.tensor(c, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.c * x.flatten(1).norm(dim=1, keepdim=True)


@pytest.mark.parametrize("shape", [(6, 2), (6, 1, 4, 4)])
def test_the_gradient_penalty_pulls_slopes_to_one_from_both_sides(shape: tuple[int, ...]) -> None:
    x, x_g = torch.randn(2, *shape, dtype=torch.float64)
    u = torch.rand(6, dtype=torch.float64)
    for c in (0.4, 1.0, 3.0):
        assert gradient_penalty(Norm(c), x, x_g, u).item() == pytest.approx((c - 1) ** 2, abs=1e-12)
    net = Norm(3.0)
    _, penalty = Game(name="wasserstein", gp=10.0).discriminator_turn(net, x, x_g, u)
    penalty.backward()
    assert float(net.c.grad) == pytest.approx(10 * 2 * (3 - 1))  # type: ignore[arg-type]


def test_a_flat_critic_has_a_penalty_and_no_nan() -> None:
    _, d = _pair()
    for p in d.parameters():
        nn.init.zeros_(p)
    penalty = gradient_penalty(d, *torch.randn(2, 6, 2), torch.rand(6))
    penalty.backward()
    assert penalty.item() == 1
    assert all(bool(torch.isfinite(p.grad).all()) for p in d.parameters() if p.grad is not None)


def test_the_gradient_penalty_looks_between_the_points() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach().clone())
            return x.sum(-1, keepdim=True)

    x, x_g = torch.randn(2, 3, 5, 2)
    u = torch.rand(3, 5)
    penalty = gradient_penalty(Spy(), x, x_g, u)
    torch.testing.assert_close(seen[0], u[..., None] * x + (1 - u[..., None]) * x_g)
    torch.testing.assert_close(penalty, torch.full((3,), (math.sqrt(2) - 1) ** 2))


def test_the_generators_turn_leaves_the_discriminator_alone() -> None:
    g, d = _pair()
    Game(name="relativistic").generator_turn(d, torch.randn(7, 2), g(torch.randn(7, 2))).backward()
    assert all(p.grad is None and p.requires_grad for p in d.parameters())
    assert all(p.grad is not None for p in g.parameters())


@pytest.mark.parametrize("game", GAMES)
def test_the_generators_turn_is_its_loss_on_what_the_discriminator_says(game: str) -> None:
    """Of real points and generated ones, each in its place: in the relativistic game the real ones matter."""
    _, d = _pair()
    x, x_g = torch.randn(2, 7, 2)
    found = Game(name=game).generator_turn(d, x, x_g)
    torch.testing.assert_close(found, generator_loss(game, d(x)[..., 0], d(x_g)[..., 0]))
    moved = Game(name=game).generator_turn(d, x + 1, x_g)
    assert (not torch.equal(moved, found)) == (game == "relativistic")


def test_wrong_arguments_are_named() -> None:
    zero = torch.zeros(4)
    with pytest.raises(ValueError, match="Did you mean 'saturating'"):
        generator_loss("saturated", zero, zero)
    with pytest.raises(ValueError, match="same shape"):
        discriminator_loss("relativistic", zero, torch.zeros(3))
    with pytest.raises(ValueError, match="requires_grad_"):
        zero_centred_penalty(input_gradients(zero, torch.zeros(4, 2)))
    for penalty in ("r1", "r2", "gp"):
        with pytest.raises(ValueError, match=f"{penalty} must be at least 0, got -1"):
            Game(**{penalty: -1.0})


def test_a_turn_of_the_generator_leaves_frozen_layers_frozen() -> None:
    discriminator = MLP(2, 1)
    discriminator.layers[0].requires_grad_(False)
    before = [weight.requires_grad for weight in discriminator.parameters()]
    Game(name="relativistic").generator_turn(discriminator, torch.randn(4, 2), torch.randn(4, 2))
    assert [weight.requires_grad for weight in discriminator.parameters()] == before
    assert True in before
    assert False in before


def test_slopes_that_cannot_be_taken_are_an_error_and_not_zero() -> None:
    x = torch.randn(4, 2, requires_grad=True)
    for logits in (torch.zeros(4), torch.zeros(4, requires_grad=True)):
        with pytest.raises(ValueError, match="logits must come from x by a discriminator"):
            input_gradients(logits, x)
    with torch.inference_mode(), pytest.raises(ValueError, match="leave out torch.no_grad"):
        gradient_penalty(MLP(2, 1), torch.randn(4, 2), torch.randn(4, 2), torch.rand(4))
