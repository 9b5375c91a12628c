"""Power iteration against the singular value decomposition, and our normalisation against torch's."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import silu

from diffusion_teach.networks.mlp import MLP
from diffusion_teach.networks.spectral import SpectralNorm, power_iteration, spectral_normalise
from diffusion_teach.training import fit


def _with_singular_values(values: list[float], rows: int, columns: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    left, right = (torch.linalg.qr(torch.randn(n, n, generator=g, dtype=torch.float64))[0] for n in (rows, columns))
    n = len(values)
    return left[:, :n] @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ right[:n]


@given(st.integers(2, 12), st.integers(2, 12), st.floats(0.1, 50), st.integers(0, 100))
def test_a_known_gap_is_found_within_one_per_cent(rows: int, columns: int, top: float, seed: int) -> None:
    values = [top, *[0.5 * top] * (min(rows, columns) - 1)]
    weight = _with_singular_values(values, rows, columns, seed)
    u = torch.randn(rows, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    sigma, u = power_iteration(weight, u, 40)
    assert float(sigma) == pytest.approx(top, rel=1e-6)
    assert float(u.norm()) == pytest.approx(1)


def test_the_error_shrinks_by_the_fourth_power_of_the_gap() -> None:
    weight = _with_singular_values([1.0, 0.9], 2, 2)
    u, errors = torch.tensor([1.0, 0.3], dtype=torch.float64), []
    for _ in range(80):
        sigma, u = power_iteration(weight, u)
        errors.append(1 - float(sigma))
    assert errors[60] / errors[59] == pytest.approx(0.9**4, rel=1e-2)


def test_a_normalised_weight_stretches_nothing_whatever_the_layer() -> None:
    network = nn.Sequential(nn.Linear(7, 9), nn.Conv2d(3, 5, 3), MLP(4, 2, width=6, depth=1, members=3))
    spectral_normalise(network, generator=torch.Generator().manual_seed(0))
    layers = [network[0], network[1], *network[2].layers]
    for layer in layers:
        for _ in range(200):
            weight = layer.weight
        matrices = weight.flatten(1) if weight.ndim == 4 else weight
        top = torch.linalg.svdvals(matrices)[..., 0]
        torch.testing.assert_close(top, torch.ones_like(top), rtol=1e-2, atol=0)


def test_torch_finds_the_same() -> None:
    ours = nn.Linear(12, 8)
    theirs = copy.deepcopy(ours)
    spectral_normalise(ours, generator=torch.Generator().manual_seed(0))
    torch.nn.utils.parametrizations.spectral_norm(theirs)
    for layer in (ours, theirs):
        for _ in range(300):
            layer(torch.zeros(1, 12))
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-4, atol=1e-5)
    x = torch.randn(4, 12)
    gradients = []
    for layer in (ours, theirs):  # through σ too, with u and v as constants
        (gradient,) = torch.autograd.grad(layer(x).square().sum(), layer.parametrizations.weight.original)
        gradients.append(gradient)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)


def test_members_are_normalised_each_by_its_own() -> None:
    weight = torch.randn(3, 5, 6)
    g = torch.Generator().manual_seed(1)
    together = SpectralNorm(weight, generator=g)
    for _ in range(300):
        normalised = together(weight)
    for member in range(3):
        top = torch.linalg.svdvals(weight[member])[0]
        torch.testing.assert_close(normalised[member], weight[member] / top, rtol=1e-3, atol=1e-5)


def test_it_follows_the_weights_in_training_and_rests_in_evaluation() -> None:
    network = spectral_normalise(MLP(2, 1, width=16, depth=2))
    x = torch.randn(64, 2)
    fit(network, lambda: (network(x).squeeze(-1) - 3 * x[:, 0]).square().mean(), steps=100, lr=1e-2)
    assert not network.training
    first, again = network(x), network(x)
    assert torch.equal(first, again)
    for layer in network.layers:
        largest = float(torch.linalg.svdvals(layer.weight[0].detach())[0])
        assert largest == pytest.approx(1, rel=0.1)  # the iteration runs a little behind the weights


def test_the_slope_of_a_network_keeps_its_bound() -> None:
    grid = torch.linspace(-10, 10, 200_001, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(silu(grid).sum(), grid)
    steepest = float(slope.max())
    assert steepest == pytest.approx(1.0998, abs=1e-4)
    network = spectral_normalise(MLP(2, 1, width=32, depth=2)).double()
    for _ in range(300):
        network(torch.zeros(1, 2, dtype=torch.float64))
    network.eval()
    x = (3 * torch.randn(500, 2, dtype=torch.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).sum(), x)
    assert float(gradient.norm(dim=1).max()) <= steepest**2 * 1.02


def test_two_uses_before_one_gradient() -> None:
    network = spectral_normalise(MLP(2, 1, width=8))
    (network(torch.randn(4, 2)).mean() - network(torch.randn(4, 2)).mean()).backward()
    assert all(p.grad is not None and math.isfinite(float(p.grad.sum())) for p in network.parameters())


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="no linear"):
        spectral_normalise(nn.ReLU())
    network = spectral_normalise(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="already"):
        spectral_normalise(network)
    with pytest.raises(ValueError, match="u must have shape"):
        power_iteration(torch.zeros(3, 2), torch.zeros(2))
