r"""Deep Unsupervised Learning using Nonequilibrium Thermodynamics (Sohl-Dickstein et al. 2015), in the paper's letters.

                        Gaussian                               binomial (of bits)
    π(x⁽ᵀ⁾)             N(0, I)                                B(0.5)
    q(x⁽ᵗ⁾|x⁽ᵗ⁻¹⁾)      N(√(1−β_t)·x⁽ᵗ⁻¹⁾, β_t·I)              B(x⁽ᵗ⁻¹⁾·(1−β_t) + 0.5·β_t)
    p(x⁽ᵗ⁻¹⁾|x⁽ᵗ⁾)      N(f_μ(x⁽ᵗ⁾, t), f_Σ(x⁽ᵗ⁾, t))          B(f_b(x⁽ᵗ⁾, t))                       (table App.1)

    L ≥ K = −Σ_{t=2}^T E_q KL(q(x⁽ᵗ⁻¹⁾|x⁽ᵗ⁾, x⁽⁰⁾) ‖ p(x⁽ᵗ⁻¹⁾|x⁽ᵗ⁾))
            + H_q(X⁽ᵀ⁾|X⁽⁰⁾) − H_q(X⁽¹⁾|X⁽⁰⁾) − H_p(X⁽ᵀ⁾)                                                  (eq. 14)

x⁽ᵗ⁾ is written x_t. The Gaussian forward process is the one that DDPM took over five years later: `tables`, `q_step`,
`q_jump` and `posterior` are those of `ho2020`, and tables have T + 1 entries here too. Everything is in nats.

The paper's own heartbeats forget towards coins that show a 1 as often as the data do, one time in five (appendix
D.1.2), and not towards fair ones: `rest` is that rate, and stands where the table has 0.5.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.papers.ho2020 import Tables, posterior, tables
from diffusion_teach.papers.ho2020 import q_jump as q_jump
from diffusion_teach.papers.ho2020 import q_step as q_step


def binomial_tables(T: int) -> Tables:
    """β_t = 1/(T − t + 1): each step forgets as much as every other one does.

    So ᾱ_t = Π_{s≤t} (1 − β_s) = 1 − t/T.
    """
    t = torch.arange(1, _checks.integer("T", T) + 1, dtype=torch.float64)
    k = tables(1 / (T - t + 1))
    ᾱ = 1 - torch.arange(T + 1, dtype=torch.float64) / T  # the product, not rounded
    return k._replace(ᾱ=ᾱ)


def _rate(x: Tensor | float, kept: Tensor, rest: float) -> Tensor:
    """The rate of a bit that is kept, or else replaced by a coin of that rate."""
    return x * kept + rest * (1 - kept)


def binomial_jump(
    x_0: Tensor,
    t: int | Tensor,
    k: Tables,
    u: Tensor,
    *,
    rest: float = 0.5,
) -> Tensor:
    """One draw of q(x_t|x_0) = B(x_0·ᾱ_t + rest·(1 − ᾱ_t)), with u uniform in [0, 1).

    t is a step number, or one for each row, (B, 1).
    """
    _checks.same_shape("u", u, "x_0", x_0)
    return (u < _rate(x_0, k.ᾱ[t].to(x_0), rest)).to(x_0)


def binomial_posterior(
    x_0: Tensor,
    x_t: Tensor,
    t: int | Tensor,
    k: Tables,
    *,
    rest: float = 0.5,
) -> Tensor:
    """q(x_{t−1} = 1|x_t, x_0) of each bit, (..., d), by Bayes' rule.

    For x_0 between 0 and 1, a rate p(x_0 = 1|x_t), it is the posterior averaged over
    x_0. With the true rates that is the best factorised f_b: no other has a larger K.
    """
    α, before = k.α[t].to(x_t), k.ᾱ[t - 1].to(x_t)
    rates = _rate(1.0, α, rest), _rate(0.0, α, rest)
    one, zero = (torch.lerp(1 - rate, rate, x_t) for rate in rates)  # q(x_t|x_{t−1})

    def given(bit: float) -> Tensor:
        prior = _rate(torch.full_like(x_t, bit), before, rest)
        return prior * one / (prior * one + (1 - prior) * zero)

    return torch.lerp(given(0.0), given(1.0), x_0)


def binomial_kl(q: Tensor, p: Tensor) -> Tensor:
    """KL(B(q) ‖ B(p)), summed over the bits: rates (..., d) give (...)."""
    _checks.same_shape("p", p, "q", q)
    q_0, p_0 = 1 - q, 1 - p
    ones = torch.special.xlogy(q, q) - torch.special.xlogy(q, p)
    zeros = torch.special.xlogy(q_0, q_0) - torch.special.xlogy(q_0, p_0)
    return (ones + zeros).sum(-1)


def binomial_entropy(rate: Tensor) -> Tensor:
    """The entropy of B(rate), summed over the bits: (..., d) gives (...)."""
    return torch.special.entr(rate).sum(-1) + torch.special.entr(1 - rate).sum(-1)


def gaussian_kl(μ: Tensor, Σ: Tensor, f_μ: Tensor, f_Σ: Tensor) -> Tensor:
    """KL(N(μ, Σ·I) ‖ N(f_μ, f_Σ·I)), summed over the coordinates.

    Means (..., d) and variances that broadcast to them, such as (..., 1), give (...).
    """
    return 0.5 * (Σ / f_Σ + (μ - f_μ) ** 2 / f_Σ - 1 + torch.log(f_Σ / Σ)).sum(-1)


def gaussian_entropy(variance: float, d: int) -> float:
    """The entropy of N(μ, variance·I) in d dimensions, d/2·log(2πe·variance)."""
    variance = _checks.number("variance", variance, above=0)
    return d / 2 * math.log(2 * math.pi * math.e * variance)


def best_variance(t: int, k: Tables, mse: float) -> Tensor:
    """The f_Σ that depends on t alone and has the largest K: β̃_t + c_t²·mse.

    mse is the mean over data and coordinates of (x_0 − x̂_0)², where f_μ is the
    posterior's mean with x̂_0 in x_0's place, and c_t its factor of x̂_0. The mean of
    KL at t is then d/2·log(f_Σ/β̃_t). (It is ours: the paper learns its variance.)
    """
    one, zero = torch.ones_like(k.β[:1]), torch.zeros_like(k.β[:1])
    c, β̃ = posterior(one, zero, t, k)
    return β̃ + c.square() * mse


def bound(kl: Tensor, H_q_T: float, H_q_1: float, H_p_T: float) -> Tensor:
    """K, the lower bound of the log-likelihood (eq. 14).

    The last step of the reverse process is fixed, to a forward step (appendix B.2), so
    t = 1 has no term.

    Args:
        kl: (T − 1,) the means of KL(q ‖ p) at t = 2 … T.
        H_q_T, H_q_1: the entropies of q(x_T|x_0) and q(x_1|x_0).
        H_p_T: the entropy of π.

    Raises:
        ValueError: for a negative mean, which no divergence has.
    """
    if kl.shape != (0,):  # as it is for T = 1
        _checks.tensor("kl", kl, ("T - 1",))
    if (kl < 0).any():
        least = f"{float(kl.min()):g}"
        raise ValueError(f"kl are divergences, which are never negative, got {least}.")
    return -kl.sum() + H_q_T - H_q_1 - H_p_T
