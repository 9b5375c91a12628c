"""Contrastive learning: two views of one image shall be nearer to one another than to all other images.

It needs no labels. What the views share is kept by the features, and what is drawn anew for each view is not needed.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from diffusion_teach import _checks


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.2) -> Tensor:
    """The normalised, temperature-scaled cross-entropy of pairs: the mean of −log softmax_j(cos(z_i, z_j)/τ) at pairs.

    z holds all 2B views; j runs over all but i itself. Knowing nothing scores log(2B − 1).

    Args:
        a, b: (B, d) features of two views of B images, B ≥ 2; a_i belongs with b_i.
        temperature: τ > 0.

    Returns:
        A scalar, nats.

    Source: Chen et al. (2020), "A simple framework for contrastive learning of visual representations", eq. 1.
    """
    _checks.tensor("a", a, ("B", "d"), finite=False)
    _checks.same_shape("b", _checks.tensor("b", b, finite=False), "a", a)
    temperature = _checks.number("temperature", temperature, above=0)
    count = len(a)
    if count < 2:
        raise ValueError(f"a must hold at least 2 images, which are told apart, got {_checks.describe(a)}.")
    z = F.normalize(torch.cat([a, b]), dim=1)
    likeness = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    pair = torch.arange(2 * count, device=z.device).roll(count)
    return F.cross_entropy(likeness, pair)
