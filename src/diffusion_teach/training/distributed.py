"""One process or many: what `torchrun` starts works together, and everything else runs as it would alone.

    torchrun --nproc-per-node 2 -m diffusion_teach.cli train ddpm-mnist

Each of N processes takes its rows of the same global batch. With as many rows each, the average of their gradients is
the gradient of the whole batch's mean, so N processes train what one would, within rounding (Li et al. 2020, "PyTorch
Distributed"). What only one may do, such as writing files, the first does; `share` hands its result, or its error, to
all, so that none waits for an answer that will not come.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Processes:
    """Who works together: this process is number `rank` of `count`, number `local_rank` on its machine."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """The rows of a global batch that this process takes.

        Raises:
            ValueError: where the processes cannot take as many each.
        """
        if batch % self.count:
            near = max(self.count, round(batch / self.count) * self.count)
            divisors = [str(n) for n in range(1, min(batch, 64) + 1) if batch % n == 0]
            raise ValueError(
                f"a batch of {batch} cannot be shared evenly by {self.count} processes. Start a number of processes "
                f"that divides it ({', '.join(divisors)}), or use a batch of {near}."
            )
        share = batch // self.count
        return slice(self.rank * share, (self.rank + 1) * share)

    def share(self, function: Callable[[], Answer]) -> Answer:
        """Call function() in the first process; all return what it returned, or raise its error. Both go by pickle."""
        if self.count == 1:
            return function()
        outcome: list[Any] = [None, None]
        if self.first:
            try:
                outcome[0] = function()
            except Exception as error:
                outcome[1] = error
        dist.broadcast_object_list(outcome, src=0, device=torch.device("cpu"))
        answer, raised = outcome
        if raised is not None:
            raise raised
        return answer

    def averaged(self, loss: Tensor, stop: bool) -> tuple[Tensor, bool]:
        """The mean over all processes of a loss, and whether any of them wants to stop.

        The loss keeps its own gradient, which DistributedDataParallel averages; only the value is the mean of all. So
        every process sees the same loss, also one that is NaN, and all stop after the same step.
        """
        if self.count == 1:
            return loss, stop
        both = torch.stack([loss.detach().cpu().double() / self.count, torch.tensor(float(stop)).double()])
        dist.all_reduce(both)
        mean = both[0].to(loss)
        return loss - loss.detach() + mean, bool(both[1] > 0)


@contextmanager
def processes() -> Iterator[Processes]:
    """The processes that torchrun started together with this one, connected within the context; or this one alone.

    CPU tensors go by gloo, those of CUDA by nccl. Let go of every DistributedDataParallel before the context ends: one
    that outlives it would end the connection holding Python's lock, for which the connection's own thread may wait.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    mine = dist.is_initialized()
    if not mine:
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        dist.all_reduce(torch.zeros(()))  # none may leave, not by an error either, while another still connects
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        if not mine:
            gc.collect()  # a DistributedDataParallel may be part of a cycle
            dist.destroy_process_group()
