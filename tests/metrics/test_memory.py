"""Memory is what the shapes say, whatever the machine does meanwhile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.metrics.memory import peak_bytes, weights_bytes

X = torch.zeros(10, 10, dtype=torch.float64)
SIZE = 800


def test_what_is_held_at_one_time_counts_and_what_was_freed_does_not() -> None:
    def draw() -> Tensor:
        a = X + 1
        b = a + 1
        del a
        c = b + 1
        del b
        return c + 1

    made, most = peak_bytes(draw)
    assert torch.equal(made, X + 4)
    assert most == 2 * SIZE


def test_what_is_kept_is_counted_together() -> None:
    assert peak_bytes(lambda: [X + k for k in range(5)])[1] == 5 * SIZE
    assert peak_bytes(lambda: [X.float() + k for k in range(5)])[1] == 6 * SIZE // 2


def test_views_and_changes_in_place_cost_nothing() -> None:
    def draw() -> Tensor:
        a = X + 1
        return a.T.reshape(-1)[5:].add_(1).view(5, 19).unsqueeze(0)

    assert peak_bytes(draw)[1] == 2 * SIZE  # the transposed is copied by reshape
    assert peak_bytes(lambda: X.view(-1)[3:])[1] == 0


def test_a_way_back_holds_what_it_needs() -> None:
    network = nn.Sequential(*[nn.Sequential(nn.Linear(10, 10), nn.Tanh()) for _ in range(6)]).double()
    _, held = peak_bytes(network, X)
    with torch.no_grad():
        _, free = peak_bytes(network, X)
    assert free <= 3 * SIZE
    assert held >= 6 * SIZE


def test_it_counts_what_no_machine_has() -> None:
    with torch.device("meta"):
        _, most = peak_bytes(lambda: torch.empty(1 << 24, 1 << 20, dtype=torch.float16) + 1)
    assert most == 2 * 2 * 2**44


def test_twice_is_as_much_as_once() -> None:
    def draw() -> None:
        for _ in range(20):
            torch.softmax(X @ X, 0)

    assert peak_bytes(draw)[1] == peak_bytes(draw)[1] == 2 * SIZE


def test_arguments_are_handed_on_and_errors_come_through() -> None:
    assert peak_bytes(torch.add, X, X, alpha=2)[1] == SIZE
    with pytest.raises(RuntimeError, match="size"):
        peak_bytes(torch.add, X, X[:3])
    with pytest.raises(TypeError, match="draw must be"):
        peak_bytes(7)  # type: ignore[arg-type]


def test_weights_are_counted_with_their_buffers_and_in_any_dtype() -> None:
    network = nn.Sequential(nn.Linear(10, 10), nn.BatchNorm1d(10))
    numbers = 110 + 20 + 20
    assert weights_bytes(network) == 4 * numbers + 8  # and the count of batches
    assert weights_bytes(network, torch.float16) == 2 * numbers + 8
    assert weights_bytes(network.double()) == 8 * numbers + 8
    with pytest.raises(TypeError, match=r"dtype must be a torch\.dtype"):
        weights_bytes(network, "float16")  # type: ignore[arg-type]
