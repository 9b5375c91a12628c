"""The smallest game: its field against the losses, its matrices against the runs, spirals against eigenvalues."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach.exact.dirac_gan import ORDERS, STRENGTHS, eigenvalues, field, play, step_matrix
from diffusion_teach.objectives import adversarial
from diffusion_teach.objectives.gradient_penalties import input_gradients, zero_centred_penalty

games = pytest.mark.parametrize("game", STRENGTHS)
orders = pytest.mark.parametrize("order", ORDERS)
RATES = st.floats(0.01, 1.5)


def _descent(theta: float, psi: float, game: str, r1: float, r2: float) -> list[float]:
    """Each player's descent direction, from the library's losses by automatic differentiation."""
    t, p = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (theta, psi))
    zero = torch.zeros(1, dtype=torch.float64)
    loss = adversarial.discriminator_loss(game, p * zero, p * t)
    for point, weight in ((zero, r1), (t.detach(), r2)):
        x = point.clone().reshape(1, 1).requires_grad_()
        loss = loss + weight * zero_centred_penalty(input_gradients((p * x).squeeze(-1), x))
    (for_psi,) = torch.autograd.grad(loss, p)
    (for_theta,) = torch.autograd.grad(adversarial.generator_loss(game, p * zero, p * t), t)
    return [-float(for_theta), -float(for_psi)]


@pytest.mark.parametrize("game", [game for game in STRENGTHS if game in adversarial.GAMES])
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 2), st.floats(0, 2))
def test_the_field_is_the_descent_of_the_losses(game: str, theta: float, psi: float, r1: float, r2: float) -> None:
    point = torch.tensor([theta, psi], dtype=torch.float64)
    found = field(point, game=game, penalty=r1 + r2)
    assert found.tolist() == pytest.approx(_descent(theta, psi, game, r1, r2), abs=1e-12)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_the_relativistic_game_is_the_non_saturating_one(theta: float, psi: float) -> None:
    found = field(torch.tensor([theta, psi], dtype=torch.float64), game="non-saturating")
    assert found.tolist() == pytest.approx(_descent(theta, psi, "relativistic", 0, 0), abs=1e-12)


@games
@orders
@given(RATES, st.floats(0, 3))
def test_one_turn_near_the_solution_is_its_matrix(game: str, order: str, rate: float, penalty: float) -> None:
    def turn(point: Tensor) -> Tensor:
        return play(point, 1, rate, game=game, order=order, penalty=penalty)[1]

    jacobian = torch.autograd.functional.jacobian(turn, torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(jacobian, step_matrix(rate, game=game, order=order, penalty=penalty))


@games
@orders
@given(RATES, st.floats(0, 3))
def test_the_eigenvalues_are_those_of_the_matrix(game: str, order: str, rate: float, penalty: float) -> None:
    closed = eigenvalues(rate, game=game, order=order, penalty=penalty)
    numeric = torch.linalg.eigvals(step_matrix(rate, game=game, order=order, penalty=penalty))
    for value in numeric:  # a double eigenvalue is found to half the digits only
        assert float((closed - value).abs().min()) < 1e-6
    h, c = rate * STRENGTHS[game], 1 - rate * penalty
    det = c + h * h if order == "simultaneous" else c
    assert complex(closed.prod()) == pytest.approx(det, abs=1e-12)
    if float(closed[0].imag) != 0:
        assert closed.abs().tolist() == pytest.approx([math.sqrt(det)] * 2)


@given(RATES, st.floats(-3, 3), st.floats(0.1, 3))
def test_the_bilinear_game_spins_out_by_its_factor_each_turn(rate: float, theta: float, psi: float) -> None:
    path = play(torch.tensor([theta, psi], dtype=torch.float64), 40, rate, game="wasserstein")
    radius = path.norm(dim=-1)
    torch.testing.assert_close(radius[1:] / radius[:-1], torch.full((40,), math.sqrt(1 + rate**2)).double())


@given(st.floats(0.01, 1.99), st.floats(-3, 3), st.floats(0.1, 3))
def test_alternating_turns_stay_on_an_ellipse(rate: float, theta: float, psi: float) -> None:
    path = play(torch.tensor([theta, psi], dtype=torch.float64), 200, rate, game="wasserstein", order="alternating")
    t, p = path.unbind(-1)
    conserved = t.square() + p.square() - rate * t * p
    torch.testing.assert_close(conserved, conserved[:1].expand_as(conserved), rtol=1e-9, atol=1e-9)
    assert eigenvalues(rate, game="wasserstein", order="alternating").abs().tolist() == pytest.approx([1, 1])


def test_beyond_a_rate_of_two_alternating_turns_explode() -> None:
    assert float(eigenvalues(2.1, game="wasserstein", order="alternating").abs().max()) > 1.3


@given(RATES)
def test_the_penalty_that_holds_simultaneous_turns(rate: float) -> None:
    """γ = ηa² is the border: c + h² = 1."""
    border = rate * STRENGTHS["saturating"] ** 2
    for factor, inside in ((0.9, False), (1.1, True)):
        modulus = eigenvalues(rate, penalty=factor * border).abs().max()
        assert (float(modulus) < 1) == inside


@games
def test_the_solution_is_the_only_place_of_rest(game: str) -> None:
    points = torch.cartesian_prod(*2 * [torch.linspace(-2, 2, 9, dtype=torch.float64)])
    still = field(points, game=game, penalty=0.3).norm(dim=1) < 1e-12
    assert still.nonzero().flatten().tolist() == [40]


def test_many_games_are_played_at_once() -> None:
    starts = torch.randn(5, 3, 2).double()
    together = play(starts, 7, 0.3, order="alternating", penalty=0.2)
    assert together.shape == (8, 5, 3, 2)
    torch.testing.assert_close(together[:, 2, 1], play(starts[2, 1], 7, 0.3, order="alternating", penalty=0.2))


def test_wrong_arguments_are_named() -> None:
    point = torch.zeros(2)
    with pytest.raises(ValueError, match="Did you mean 'saturating'"):
        field(point, game="saturated")
    with pytest.raises(ValueError, match="Did you mean 'alternating'"):
        play(point, 1, 0.1, order="alternate")
    with pytest.raises(ValueError, match="point must have shape"):
        field(torch.zeros(3))
    with pytest.raises(ValueError, match="rate must be above 0"):
        eigenvalues(0.0)
    with pytest.raises(ValueError, match="penalty"):
        step_matrix(0.1, penalty=-1)
