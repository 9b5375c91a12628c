"""Runge and Kutta's steps against known solutions, their orders, and an independent library."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from diffusion_teach.physics import runge_kutta

TURN = torch.tensor([[0.0, 1.0], [-1.0, -0.2]], dtype=torch.float64)
Y = torch.tensor([[1.0, 0.0], [0.5, -2.0]], dtype=torch.float64)


def swing(u: Tensor, y: Tensor) -> Tensor:
    return y @ TURN.T + u.cos()[None, None]


def reference(stop: float, start: float = 0.0) -> Tensor:
    """By scipy, in steps so short that nothing is left to tell."""
    rows = [
        solve_ivp(lambda u, y: TURN.numpy() @ y + math.cos(u), (start, stop), row.numpy(), rtol=1e-12, atol=1e-12).y[
            :, -1
        ]
        for row in Y
    ]
    return torch.from_numpy(np.stack(rows))


def error(steps: int) -> float:
    return float((runge_kutta.rk4(swing, Y, torch.linspace(0, 3, steps + 1)).y - reference(3.0)).abs().max())


def test_the_classical_method_is_of_fourth_order() -> None:
    assert math.log2(error(20) / error(40)) == pytest.approx(4, abs=0.15)


def test_on_a_polynomial_of_degree_three_the_classical_method_is_exact() -> None:
    # Simpson's rule: ∫ (4u³ − 3u²) from −1 to 2 = 15 − 9, on an uneven grid.
    grid = torch.tensor([-1.0, -0.3, 2.0], dtype=torch.float64)
    found = runge_kutta.rk4(lambda u, y: (4 * u**3 - 3 * u**2).expand_as(y), torch.zeros(1, 1).double(), grid)
    assert float(found.y) == pytest.approx(6, abs=1e-12)
    assert found.evaluations == 8


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize(("start", "stop"), [(0.0, 3.0), (3.0, -1.0)])
def test_the_adaptive_method_keeps_its_tolerance(tolerance: float, start: float, stop: float) -> None:
    found = runge_kutta.dormand_prince(swing, Y, start, stop, tolerance=tolerance)
    assert float((found.y - reference(stop, start)).abs().max()) < 30 * tolerance


def test_the_adaptive_method_is_the_rk45_of_scipy() -> None:
    """The same pair with the same norm of errors spends about as many evaluations for the same error."""
    found = runge_kutta.dormand_prince(swing, Y[:1], 0.0, 20.0, tolerance=1e-8)
    other = solve_ivp(
        lambda u, y: TURN.numpy() @ y + math.cos(u), (0.0, 20.0), Y[0].numpy(), rtol=1e-8, atol=1e-8, method="RK45"
    )
    assert found.evaluations == pytest.approx(other.nfev, rel=0.1)
    assert found.y[0].numpy() == pytest.approx(other.y[:, -1], abs=1e-6)


def test_its_steps_follow_what_the_slope_does() -> None:
    """A kick that lasts a tenth of the way: short steps there, and only there."""
    asked: list[float] = []

    def kick(u: Tensor, y: Tensor) -> Tensor:
        asked.append(float(u))
        return torch.exp(-((u - 0.7) ** 2) / 2e-3).expand_as(y)

    found = runge_kutta.dormand_prince(kick, torch.zeros(1, 1).double(), 0.0, 1.0, tolerance=1e-8)
    assert float(found.y) == pytest.approx(math.sqrt(2e-3 * math.pi), rel=1e-6)
    assert found.evaluations == len(asked)
    assert found.rejected > 0
    assert sum(abs(u - 0.7) < 0.15 for u in asked) > 0.6 * len(asked)


def test_the_answer_of_fifth_order_is_kept() -> None:
    """One step of y' = 5u⁴ is exact for it, and not for the one of fourth order: then the error is not 0."""
    weights = sum(a * c**4 for a, c in zip(runge_kutta._STAGES[-1], (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1), strict=True))
    assert weights == pytest.approx(1 / 5, abs=1e-14)
    assert sum(runge_kutta._ERROR) == pytest.approx(0, abs=1e-14)
    assert (
        abs(sum(e * c**4 for e, c in zip(runge_kutta._ERROR, (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1), strict=True)))
        > 1e-4
    )


def test_what_holds_a_solver_up_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"came as far as 1 of 2 in 300 steps"):
        runge_kutta.dormand_prince(lambda u, y: (1 / (1 - u)).expand_as(y), Y, 0.0, 2.0, most=300)
    with pytest.raises(ValueError, match="must differ"):
        runge_kutta.dormand_prince(swing, Y, 1.0, 1.0)
    with pytest.raises(ValueError, match="rise or fall"):
        runge_kutta.rk4(swing, Y, torch.tensor([0.0, 1.0, 0.5]))
    with pytest.raises(ValueError, match="same shape"):
        runge_kutta.rk4(lambda u, y: y.sum(1), Y, torch.tensor([0.0, 1.0]))
