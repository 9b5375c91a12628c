"""What a sample costs, counted: the calls of networks and the multiplications in them, the same on every machine.

Seconds depend on the machine and on what else it does. Counted are the products of matrices and convolutions, where a
network's work is: a product of (n, k) and (k, m) takes n·k·m multiplications, each with an addition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from torch.nn.modules import module
from torch.utils.flop_counter import FlopCounterMode

from diffusion_teach import _checks

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Cost:
    """What was counted: `calls` of modules from outside any module, a network's once, and `multiplications`."""

    calls: int
    multiplications: int


def counted(draw: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> tuple[R, Cost]:
    """Call draw(*arguments, **options), and count.

    Args:
        draw: what draws samples, or computes anything else with torch.
        arguments, options: handed on to it.

    Returns:
        What `draw` returned, and its cost. A call for a batch is one call, and its multiplications are those of the
        whole batch.
    """
    _checks.function("draw", draw)
    calls = depth = 0

    def enter(*_: Any) -> None:
        nonlocal calls, depth
        calls, depth = calls + (depth == 0), depth + 1

    def leave(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    hooks = [
        module.register_module_forward_pre_hook(enter),
        module.register_module_forward_hook(leave, always_call=True),
    ]
    try:
        with FlopCounterMode(display=False) as operations:
            result = draw(*arguments, **options)
    finally:
        for hook in hooks:
            hook.remove()
    return result, Cost(calls, operations.get_total_flops() // 2)  # it counts the additions too
