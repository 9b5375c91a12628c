"""Hyvärinen's estimate against the moments of a Gaussian and a density without its constant, and the core against J."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from diffusion_teach.objectives.score_matching import implicit
from diffusion_teach.papers import hyvarinen2005

Features = Callable[[Tensor], Tensor]
"""Points (B, n) to features (B, m)."""


def derivatives(features: Features) -> tuple[Features, Features]:
    """∇F (B, m, n) and ΔF (B, m) of any features, by automatic differentiation."""

    def of_one(point: Tensor) -> Tensor:
        return features(point[None])[0]

    gradient = torch.func.vmap(torch.func.jacrev(of_one))
    hessian = torch.func.vmap(torch.func.jacrev(torch.func.jacrev(of_one)))
    return gradient, lambda x: hessian(x).diagonal(dim1=-2, dim2=-1).sum(-1)


def quadratic(x: Tensor) -> Tensor:
    """Those of every Gaussian in the plane."""
    a, b = x.unbind(1)
    return torch.stack([a, b, a**2 / 2, b**2 / 2, a * b], dim=1)


def curved(x: Tensor) -> Tensor:
    a, b = x.unbind(1)
    return torch.stack([torch.sin(a) * b, a**4, torch.exp(-(b**2)) + a * b], dim=1)


@pytest.fixture
def x() -> Tensor:
    z = torch.randn(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return z @ torch.tensor([[1.0, 0.4], [0.0, 0.7]], dtype=torch.float64) + torch.tensor([0.5, -1.0])


def test_a_gaussian_is_estimated_by_its_moments(x: Tensor) -> None:
    """log q = bᵀξ − ½ξᵀPξ: P is the inverse of the sample's covariance (divisor n), and b = P·mean, exactly."""
    θ = hyvarinen2005.estimate(x, *derivatives(quadratic))
    precision = torch.linalg.inv(x.T.cov(correction=0))
    torch.testing.assert_close(θ[2:4], -precision.diag())
    torch.testing.assert_close(θ[4], -precision[0, 1])
    torch.testing.assert_close(θ[:2], precision @ x.mean(0))


def test_j_is_the_core_s_implicit_objective(x: Tensor) -> None:
    gradient, laplacian = derivatives(curved)
    for θ in torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)):
        found = hyvarinen2005.J(gradient(x), laplacian(x), θ)
        torch.testing.assert_close(found, implicit(lambda x, θ=θ: torch.einsum("bmn,m->bn", gradient(x), θ), x))


def test_the_estimate_is_the_minimum_of_j(x: Tensor) -> None:
    gradient, laplacian = derivatives(curved)
    θ = hyvarinen2005.estimate(x, gradient, laplacian).requires_grad_()
    least = hyvarinen2005.J(gradient(x), laplacian(x), θ)
    (slope,) = torch.autograd.grad(least, θ)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-10)
    for step in 0.1 * torch.eye(3, dtype=torch.float64):
        assert hyvarinen2005.J(gradient(x), laplacian(x), θ + step) > least


def test_a_density_without_its_constant_is_found() -> None:
    """q(ξ) = exp(ξ² − ξ⁴/2), whose Z is no elementary function, from its quantiles."""
    θ = torch.tensor([1.0, -0.5], dtype=torch.float64)
    grid = torch.linspace(-4, 4, 200_001, dtype=torch.float64)
    share = torch.exp(θ[0] * grid**2 + θ[1] * grid**4).cumsum(0)
    u = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    x = grid[torch.searchsorted(share / share[-1], u), None]
    found = hyvarinen2005.estimate(x, *derivatives(lambda x: torch.cat([x**2, x**4], dim=1)))
    torch.testing.assert_close(found, θ, rtol=2e-3, atol=0)


def test_wrong_arguments_are_named(x: Tensor) -> None:
    gradient, laplacian = derivatives(quadratic)
    with pytest.raises(ValueError, match=r"2 features are linearly dependent on these data. Drop one"):
        hyvarinen2005.estimate(x, *derivatives(lambda x: torch.cat([x[:, :1], 2 * x[:, :1]], dim=1)))
    with pytest.raises(ValueError, match=r"x must have shape \(batch, dimensions\)"):
        hyvarinen2005.estimate(x[0], gradient, laplacian)
    with pytest.raises(ValueError, match=r"grad_F\(x\) must have shape \(40, features, 2\)"):
        hyvarinen2005.estimate(x, lambda x: gradient(x)[:5], laplacian)
    with pytest.raises(ValueError, match=r"laplace_F\(x\) must have shape \(40, 5\)"):
        hyvarinen2005.estimate(x, gradient, lambda x: laplacian(x)[:, :2])
    with pytest.raises(ValueError, match="grad_F must have shape"):
        hyvarinen2005.J(x, laplacian(x), torch.zeros(5).double())
    with pytest.raises(ValueError, match=r"laplace_F must have shape \(40, 5\)"):
        hyvarinen2005.J(gradient(x), x, torch.zeros(5).double())
    with pytest.raises(ValueError, match=r"theta must have shape \(5\)"):
        hyvarinen2005.J(gradient(x), laplacian(x), torch.zeros(4).double())
