"""One process of several that train together, started by torchrun: prints the median seconds a step."""

from __future__ import annotations

import json
import sys

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks import timing
from benchmarks.ours import Ours


class _Objective(nn.Module):
    """The loss as a module, so that DistributedDataParallel sees its forward pass."""

    def __init__(self, trained: Ours) -> None:
        super().__init__()
        self.model = trained.model
        self.trained = trained

    def forward(self, images: Tensor) -> Tensor:
        return self.trained.loss(images)


def main(steps: int, batch: int) -> None:
    """Take this process's share of the batch, and let process 0 print."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    trained = Ours(batch=batch // distributed.get_world_size())
    objective = DistributedDataParallel(_Objective(trained))
    images = torch.randint(0, 256, (batch, 28, 28), dtype=torch.uint8)

    def step() -> None:
        objective.zero_grad(set_to_none=True)
        objective(images).backward()
        for optimizer in trained.optimizers:
            optimizer.step()

    for _ in range(3):
        step()
    distributed.barrier()
    seconds = [timing.seconds(step) for _ in range(steps)]
    if distributed.get_rank() == 0:
        print(json.dumps(timing.quartiles(seconds).middle))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
