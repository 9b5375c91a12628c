"""Several processes: they share rows, results and errors, and none of them waits in vain."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach._files import DamagedFileError
from diffusion_teach.training import distributed
from diffusion_teach.training.distributed import Processes
from tests.processes import together


@given(st.integers(1, 8), st.integers(1, 20))
def test_the_rows_of_all_processes_are_the_batch(count: int, each: int) -> None:
    rows = [list(range(count * each))[Processes(rank, count).rows(count * each)] for rank in range(count)]
    assert all(len(mine) == each for mine in rows)
    assert [row for mine in rows for row in mine] == list(range(count * each))


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a batch of 10 .* by 4 processes.*\(1, 2, 5, 10\), or use a batch of 8"):
        Processes(0, 4).rows(10)


def test_one_process_is_alone() -> None:
    with distributed.processes() as group:
        assert group == Processes()
        assert group.first
        assert not dist.is_initialized()
    loss = torch.tensor(1.0, requires_grad=True)
    assert group.share(lambda: b"x") == b"x"
    assert group.averaged(loss, True) == (loss, True)


def fail(error: Exception) -> bytes:
    raise error


def _shared(errors: list[Exception]) -> Any:
    with distributed.processes() as group:
        results: list[Any] = [group.count, group.share(lambda: bytes([group.rank] * 3)), group.share(bytes)]
        results.append(len(group.share(lambda: bytes(10**6))))
        for error in errors:
            try:
                group.share(lambda error=error: fail(error))
            except Exception as caught:
                results.append((type(caught).__name__, str(caught)))
    return [*results, dist.is_initialized()]


def test_what_the_first_one_finds_all_get_also_its_errors() -> None:
    errors = [
        ValueError("no"),
        FileExistsError("there"),
        DamagedFileError("bad"),
        OSError(errno.ENOSPC, "full"),
        KeyError("strange"),
    ]
    first, second = together(2, _shared, errors)
    assert first[:4] == second[:4] == [2, b"\0\0\0", b"", 10**6]
    assert first[4:-1] == [(type(error).__name__, str(error)) for error in errors]
    assert second[4:-1] == first[4:-1]
    assert first[-1] is second[-1] is False


def _averaged(values: list[float], stops: list[bool]) -> Any:
    with distributed.processes() as group:
        x = torch.tensor(values[group.rank], requires_grad=True)
        loss, stop = group.averaged(3 * x, stops[group.rank])
        loss.backward()
        assert x.grad is not None
    return float(loss), float(x.grad), stop


def test_all_see_the_mean_loss_and_any_wish_to_stop_and_keep_their_own_gradient() -> None:
    assert together(2, _averaged, [1.0, 2.0], [False, True]) == [(4.5, 3.0, True)] * 2
    for loss, _, stop in together(2, _averaged, [1.0, float("nan")], [False, False]):
        assert loss != loss
        assert not stop


def _within_a_group() -> Any:
    dist.init_process_group("gloo")
    dist.barrier()  # none may leave while another still connects
    with distributed.processes() as group:
        seen = group.rank
    still = dist.is_initialized()
    dist.destroy_process_group()
    return seen, still


def test_a_group_that_is_there_already_is_used_and_left() -> None:
    assert together(2, _within_a_group) == [(0, True), (1, True)]
