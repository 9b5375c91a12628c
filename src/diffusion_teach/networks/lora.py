r"""LoRA: a trained network is left as it is, and learns small changes of low rank beside its weights.

    W′ = W + s·B·A,   W (m, n),  B (m, r),  A (r, n),  r small,

so a change takes r·(m + n) numbers where W has m·n. A begins at random and B at zero: at first nothing is changed. Only
A and B learn. They are a file of their own, which is handed on without W, switched off by s = 0, turned up by s > 1, or
added to W once and for all.

The kernel of a convolution, (out, in, k, k), is taken as a matrix of out rows. The paper adapts the matrices of
attention; nothing in the formula asks for it.

Source: Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685, equation 3; its α/r
is `strength` here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from diffusion_teach import _checks

ADAPTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
"""The layers that a change of low rank is made for."""


class LowRank(nn.Module):
    """W ↦ W + s·(B·A), shaped like W: what a layer's weight goes through.

    Attributes:
        down: A, (r, n).
        up: B, (m, r), zero at first.
        strength: s.
    """

    def __init__(
        self,
        weight: Tensor,
        rank: int,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        rows, columns = weight.shape[0], weight[0].numel()
        drawn = torch.randn(rank, columns, generator=generator) / math.sqrt(columns)
        self.down = nn.Parameter(drawn.to(weight))
        self.up = nn.Parameter(torch.zeros(rows, rank).to(weight))
        self.strength = 1.0

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.strength * (self.up @ self.down).view_as(weight)


class LoRA(nn.Module):
    """The changes of a network's layers, as a module of its own: its `state_dict` is the file that people hand on.

    Making one freezes the network's own weights and puts the changes in; training the network then trains them alone.
    The weights stay frozen when the changes are merged or taken out.

    Args:
        network: whose `nn.Linear`, `nn.Conv2d` and `nn.ConvTranspose2d` layers are adapted, in place.
        rank: r, at most the rank that a layer's weight can have; smaller layers get as much as they can have.
        only: says by a layer's name whether it is adapted; all are where not given.
        generator: draws A.

    Raises:
        ValueError: no layer is adapted, or the network holds changes of low rank already.
    """

    def __init__(
        self,
        network: nn.Module,
        rank: int,
        *,
        only: Callable[[str], bool] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _checks.module("network", network)
        rank = _checks.integer("rank", rank)
        _checks.generator(generator)
        if only is not None:
            _checks.function("only", only)
        layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, ADAPTED)}
        if any(parametrize.is_parametrized(layer) for layer in layers.values()):
            raise ValueError("the network holds changes already. Merge or remove them first.")
        chosen = {name: layer for name, layer in layers.items() if only is None or only(name)}
        if not chosen:
            raise ValueError(f"only must choose a layer, and chose none of {', '.join(layers) or 'no layers'}.")
        network.requires_grad_(False)
        self._layers = list(chosen.values())  # in a list, so that they are not parts of this module
        self.changes = nn.ModuleDict()
        for name, layer in chosen.items():
            most = min(layer.weight.shape[0], layer.weight[0].numel())
            change = LowRank(layer.weight, min(rank, most), generator)
            parametrize.register_parametrization(layer, "weight", change)
            self.changes[name.replace(".", "/") or "whole"] = change  # a part's name may hold no dot

    @property
    def strength(self) -> float:
        """s, the same for all layers: 0 is the network as it was, 1 as it was trained."""
        return self._changes()[0].strength

    @strength.setter
    def strength(self, value: float) -> None:
        value = _checks.number("strength", value)
        for change in self._changes():
            change.strength = value

    def merge(self) -> None:
        """Add the changes to the network's weights, once and for all; it then costs what it cost before."""
        self._leave(with_changes=True)

    def remove(self) -> None:
        """Take the changes out: the network's weights are what they were, bit for bit."""
        self._leave(with_changes=False)

    def _changes(self) -> list[LowRank]:
        return [change for change in self.changes.values() if isinstance(change, LowRank)]

    def _leave(self, with_changes: bool) -> None:
        for layer in self._layers:
            if not parametrize.is_parametrized(layer, "weight"):
                raise ValueError("the changes were merged or removed already.")
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=with_changes)
