r"""Linear inverse problems with a closed answer: what is known of x when y = A·x + s·η has been seen.

For x ~ N(μ, Σ) and η ~ N(0, I), the law of x given y is the Gaussian

    N(μ + K(y − Aμ), Σ − KAΣ),      K = ΣAᵀ(AΣAᵀ + s²I)⁻¹,

and for a mixture it is a mixture again, in which component k has the weight wₖ·N(y; Aμₖ, AΣₖAᵀ + s²I).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from diffusion_teach import _checks
from diffusion_teach.exact.distributions import GaussianMixture


def observed(mixture: GaussianMixture, matrix: Tensor, y: Tensor, std: float) -> GaussianMixture:
    """The mixture that x follows when y = A·x + s·η has been seen.

    Args:
        mixture: what x follows before, in d dimensions.
        matrix: A, (m, d).
        y: (m,) what was seen.
        std: s of its noise, from 0 on.

    Raises:
        ValueError: for shapes that do not fit, and for s = 0 where A sees directions without spread, or one twice.
    """
    _checks.instance("mixture", mixture, GaussianMixture, "a GaussianMixture")
    rows = _checks.tensor("matrix", matrix, ("m", mixture.dim)).double()
    _checks.tensor("y", y, (len(rows),))
    std = _checks.number("std", std, least=0)
    seen = rows @ mixture.covariances @ rows.T + std**2 * torch.eye(len(rows), dtype=torch.float64)
    if torch.linalg.cholesky_ex(seen).info.any():
        raise ValueError("y has no density: A·x has no spread in some direction. Give it noise, std > 0.")
    gain = torch.linalg.solve(seen, rows @ mixture.covariances).mT
    guess = mixture.means @ rows.T
    log_weights = mixture.weights.log() + MultivariateNormal(guess, seen).log_prob(y.double())
    means = mixture.means + torch.einsum("kdm,km->kd", gain, y.double() - guess)
    left = mixture.covariances - gain @ rows @ mixture.covariances
    weights = (log_weights - log_weights.max()).exp().clamp(min=torch.finfo(torch.float64).tiny)
    return GaussianMixture(weights, means, (left + left.mT) / 2)
