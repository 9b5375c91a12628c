r"""Two losses that look at pictures as an eye does, and the weight that balances one of them.

    perceptual:  Σ_l mean ‖φ_l(x) − φ_l(y)‖²/C,   φ_l the features of layer l, of length 1 over their C channels

(Zhang et al. 2018, eq. 1, with the layers weighed alike.) The patch discriminator's loss enters an autoencoder's with
the weight λ = ‖∇L_rec‖/(‖∇L_adv‖ + δ), the ratio of the two gradients at the decoder's last layer, so that neither
drowns the other (Esser et al. 2021, eq. 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from diffusion_teach import _checks

DELTA, MOST = 1e-6, 1e4


def perceptual_distance(features: Callable[[Tensor], Sequence[Tensor]], x: Tensor, y: Tensor) -> Tensor:
    """The distance of pictures x and y (B, C, H, W) in a network's features, a scalar: the mean over the batch.

    Args:
        features: maps pictures to several layers' features (B, C_l, H_l, W_l), as `Eye.features`.
        x, y: of the same shape.
    """
    _checks.function("features", features)
    _checks.tensor("x", x, ("B", "C", "H", "W"), finite=False)
    _checks.same_shape("y", _checks.tensor("y", y, finite=False), "x", x)
    found = torch.zeros((), device=x.device)
    for a, b in zip(features(x), features(y), strict=True):
        a, b = (torch.nn.functional.normalize(f.float(), dim=1, eps=1e-4) for f in (a, b))
        found = found + (a - b).square().mean()
    return found


def balance(reconstruction: Tensor, adversarial: Tensor, weight: Tensor) -> Tensor:
    """λ, the ratio of the lengths of two losses' gradients at a weight; a scalar without a gradient.

    Args:
        reconstruction, adversarial: scalars that depend on the weight.
        weight: of the decoder's last layer.
    """
    for name, loss in {"reconstruction": reconstruction, "adversarial": adversarial}.items():
        if _checks.tensor(name, loss, finite=False).numel() != 1 or not loss.requires_grad:
            raise ValueError(f"{name} must be a scalar that depends on the weight, got {_checks.describe(loss)}.")
    if not _checks.tensor("weight", weight).requires_grad:
        raise ValueError("weight must have a gradient: take a parameter of the decoder.")
    lengths = []
    for loss in (reconstruction, adversarial):
        (slope,) = torch.autograd.grad(loss, weight, retain_graph=True, allow_unused=True)
        if slope is None:
            raise ValueError("weight must be one that both losses depend on: that of the decoder's last layer.")
        lengths.append(slope.norm())
    return (lengths[0] / (lengths[1] + DELTA)).clamp(max=MOST).detach()
