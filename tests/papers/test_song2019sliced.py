"""Sliced score matching over all directions is the exact trace, and the core's is this one."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.objectives.score_matching import implicit, sliced
from diffusion_teach.papers import song2019sliced

# Neither symmetric nor diagonal: on a diagonal Jacobian signs would be exact, one by one.
A = torch.tensor([[-1.0, 0.7, 0.1], [-0.4, -1.5, 0.3], [0.2, 0.8, -0.6]], dtype=torch.float64)
SIGNS = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)), dtype=torch.float64)


def _curved(x: Tensor) -> Tensor:
    return torch.tanh(x @ A) * x.flip(1) - x


@pytest.fixture
def x() -> Tensor:
    return torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_mean_over_all_signs_is_the_exact_objective(x: Tensor) -> None:
    values = torch.stack([song2019sliced.ssm_vr(_curved, x, v.expand_as(x)) for v in SIGNS])
    torch.testing.assert_close(values.mean(), implicit(_curved, x))
    assert values.std() > 0.1


def test_on_a_linear_model_one_direction_is_its_quadratic_form(x: Tensor) -> None:
    """With s_m = Ax the Jacobian is A, whatever x: vᵀAv + ½E‖Ax‖²."""
    for v in SIGNS:
        expected = v @ A @ v + 0.5 * (x @ A.T).square().sum(1).mean()
        torch.testing.assert_close(song2019sliced.ssm_vr(lambda x: x @ A.T, x, v.expand_as(x)), expected)


def test_the_core_has_the_paper_s_objective(x: Tensor) -> None:
    v = song2019sliced.projections(x, generator=torch.Generator().manual_seed(3))
    core = sliced(_curved, x, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(song2019sliced.ssm_vr(_curved, x, v), core)


@pytest.mark.parametrize("seed", range(3))
def test_projections_are_independent_fair_signs(seed: int) -> None:
    x = torch.zeros(20_000, 3, dtype=torch.float64)
    v = song2019sliced.projections(x, generator=torch.Generator().manual_seed(seed))
    assert v.dtype == x.dtype
    assert set(v.unique().tolist()) == {-1.0, 1.0}
    assert v.mean(0).abs().max() < 4.5 / len(x) ** 0.5  # standard errors
    products = v.T @ v / len(x) - torch.eye(3)
    assert products.abs().max() < 4.5 / len(x) ** 0.5


def test_a_model_learns_from_it(x: Tensor) -> None:
    """Its slope in the weights, averaged over all signs, is that of the exact objective."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    loss = torch.stack([song2019sliced.ssm_vr(net, x, v.expand_as(x)) for v in SIGNS]).mean()
    found = torch.autograd.grad(loss, list(net.parameters()))
    expected = torch.autograd.grad(implicit(net, x), list(net.parameters()))
    for slope, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(slope, exact)


def test_wrong_arguments_are_named(x: Tensor) -> None:
    with pytest.raises(ValueError, match="v and x must have the same shape"):
        song2019sliced.ssm_vr(_curved, x, x[:2])
    with pytest.raises(ValueError, match=r"x must have shape \(batch, dimensions\)"):
        song2019sliced.ssm_vr(_curved, x[0], x[0])
    with pytest.raises(TypeError, match=r"v must be a torch\.Tensor"):
        song2019sliced.ssm_vr(_curved, x, 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x must hold floating-point numbers"):
        song2019sliced.projections(x.long())
    with pytest.raises(TypeError, match=r"manual_seed\(0\)"):
        song2019sliced.projections(x, generator=0)  # type: ignore[arg-type]
