"""How much memory a computation holds at most, counted: the same on every machine, and without one that has so much.

Counted are the bytes of the tensors that torch makes, from their making until nobody holds them. What a library keeps
aside for speed is not counted. On the device "meta" tensors have a size and no content, so that the bill of a network
that fits on no machine at hand can be had in seconds.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from diffusion_teach import _checks

P = ParamSpec("P")
R = TypeVar("R")


def peak_bytes(draw: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> tuple[R, int]:
    """Call draw(*arguments, **options), and count the bytes that the tensors made in it take at most.

    Args:
        draw: what calls a network, or computes anything else with torch. What it holds before, such as the network's
            weights, is not counted: see `weights_bytes`. Under `torch.no_grad` nothing is held for a way back.
        arguments, options: handed on to it.

    Returns:
        What `draw` returned, and the largest number of bytes held at one time.
    """
    _checks.function("draw", draw)
    with _Meter() as meter:
        result = draw(*arguments, **options)
    return result, meter.most


def weights_bytes(network: nn.Module, dtype: torch.dtype | None = None) -> int:
    """The bytes that a network's weights and buffers take, as they are, or all numbers in a dtype."""
    if dtype is not None:
        _checks.instance("dtype", dtype, torch.dtype, "a torch.dtype")
    tensors = [*_checks.module("network", network).parameters(), *network.buffers()]
    return sum(t.numel() * (t.dtype if dtype is None or not t.is_floating_point() else dtype).itemsize for t in tensors)


class _Meter(TorchDispatchMode):
    """Follows each storage that an operation makes, until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {id(t.untyped_storage()) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage(), before)
        self.most = max(self.most, self.held)
        return out

    def _follow(self, storage: torch.UntypedStorage, before: set[int]) -> None:
        size = storage.nbytes()
        if id(storage) in before:  # a view, or a change in place
            return
        self.held += size

        def free() -> None:
            self.held -= size

        weakref.finalize(storage, free).atexit = False
