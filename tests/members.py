"""One member of a batch of networks by itself, to hold the batch against."""

from __future__ import annotations

import copy

from diffusion_teach.networks.mlp import MLP


def member(net: MLP, index: int) -> MLP:
    """A copy of one member as a single network."""
    single = copy.deepcopy(net)
    single.members = None
    for parameter in single.parameters():
        parameter.data = parameter.data[index : index + 1]
    return single
