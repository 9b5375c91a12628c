"""Muon: its step has singular values near one, and it descends."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from diffusion_teach import training
from diffusion_teach.training.optimizers import MOMENTUM, Muon, muon_and_adamw, orthogonalised


@pytest.mark.parametrize("shape", [(8, 8), (5, 30), (30, 5), (1, 7)])
def test_singular_values_become_alike_and_directions_stay(shape: tuple[int, int]) -> None:
    g = torch.Generator().manual_seed(0)
    u, _, vh = torch.linalg.svd(torch.randn(shape, generator=g, dtype=torch.float64), full_matrices=False)
    singular = torch.linspace(0.1, 3, min(shape), dtype=torch.float64)
    result = orthogonalised(u * singular @ vh)
    inner = u.T @ result @ vh.T
    torch.testing.assert_close(inner, torch.diag(inner.diagonal()), rtol=0, atol=1e-6)
    assert inner.diagonal().min() > 0.6
    assert inner.diagonal().max() < 1.3


def test_the_scale_of_the_gradient_does_not_matter() -> None:
    matrix = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(orthogonalised(matrix), orthogonalised(1e3 * matrix), rtol=1e-3, atol=1e-4)


def test_a_batch_of_matrices_is_taken_one_by_one() -> None:
    matrices = torch.randn(3, 6, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrices[1] *= 100  # a large neighbour must not shrink the others
    torch.testing.assert_close(orthogonalised(matrices), torch.stack([orthogonalised(m) for m in matrices]))


@pytest.mark.parametrize("shape", [(4, 16), (9, 9), (16, 4), (24, 2, 1, 2)])
def test_a_step_is_as_long_as_stated_in_every_direction(shape: tuple[int, ...]) -> None:
    """With the weights (out, in·h·w), all singular values of a step are about lr·√(out/in·h·w), and at least lr."""
    weight = nn.Parameter(torch.zeros(shape, dtype=torch.float64))
    weight.grad = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    Muon([weight], lr=0.1).step()
    rows, columns = weight.flatten(1).shape
    lengths = torch.linalg.svdvals(weight.detach().flatten(1)) / (0.1 * math.sqrt(max(1, rows / columns)))
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3
    assert (weight.detach() * weight.grad).sum() < 0


@pytest.mark.parametrize("shape", [(5, 8), (8, 5)])
def test_it_walks_as_torchs_own_does(shape: tuple[int, int]) -> None:
    """Five steps beside torch's Muon, which computes in bfloat16: the same to one in a hundred."""
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("torch has its own Muon from 2.9 on")
    start, g = torch.randn(shape), torch.Generator().manual_seed(0)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizers = [
        Muon([ours], lr=0.1),
        torch.optim.Muon([theirs], lr=0.1, momentum=MOMENTUM, weight_decay=0.0),
    ]
    for _ in range(5):
        gradient = torch.randn(shape, generator=g)
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved


def test_it_descends_a_quadratic() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(10, 10, bias=False)
    goal = torch.randn(10, 10)

    def loss() -> torch.Tensor:
        return (layer.weight - goal).square().mean()

    before = loss().item()
    training.fit(layer, loss, steps=200, optimizers=[Muon(layer.parameters(), lr=0.1)], progress=False)
    assert loss().item() < 1e-3 * before


def test_every_parameter_moves_once_and_kernels_keep_their_layout() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 2))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizers = muon_and_adamw(model, [model[0].weight])
    before = [p.detach().clone() for p in model.parameters()]
    training.fit(model, lambda: model(torch.randn(4, 3, 3, 3)).square().mean(), steps=2, optimizers=optimizers)
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="Give biases to AdamW"):
        Muon([nn.Parameter(torch.zeros(3))])
    with pytest.raises(ValueError, match="at least one weight"):
        Muon([])
    with pytest.raises(ValueError, match="lr must be above 0"):
        Muon([nn.Parameter(torch.zeros(3, 3))], lr=0.0)
    with pytest.raises(ValueError, match="matrix must have shape"):
        orthogonalised(torch.zeros(3))
    with pytest.raises(TypeError, match="parameters must be weights, as model.parameters"):
        Muon(["weight"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="inside must be weights of the model"):
        muon_and_adamw(nn.Linear(2, 2), nn.Linear(2, 2).parameters())


def test_directions_that_are_hardly_there_stay_short() -> None:
    u, v = (torch.linalg.qr(torch.randn(20, 20, dtype=torch.float64))[0] for _ in range(2))
    shares = torch.tensor([1.0, *[1e-4] * 19], dtype=torch.float64)
    found = torch.linalg.svdvals(orthogonalised(u @ torch.diag(shares) @ v.T))
    assert found[1:].tolist() == pytest.approx([3.4445**5 * 1e-4] * 19, rel=1e-3)
