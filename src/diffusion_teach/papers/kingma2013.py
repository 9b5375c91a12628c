r"""Auto-Encoding Variational Bayes (Kingma and Welling 2013): estimator and Gaussian case, in the paper's letters.

An encoder q_φ(z|x) stands for the posterior that nobody can compute; a decoder p_θ(x|z) makes data. For every φ

    log p_θ(x) = D_KL(q_φ(z|x) ‖ p_θ(z|x)) + L(θ, φ; x)  ≥  L(θ, φ; x)                                      (eq. 1–2)
    L(θ, φ; x) = −D_KL(q_φ(z|x) ‖ p_θ(z)) + E_{q_φ(z|x)}[log p_θ(x|z)]                                      (eq. 3)

and φ can be learnt by gradients because z = g_φ(ε, x) with noise ε that does not depend on φ (section 2.4).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

Encoder = Callable[[Tensor], tuple[Tensor, Tensor]]
"""x (M, D) to μ and log σ² of q_φ(z|x), both (M, J)."""
Decoder = Callable[[Tensor], Tensor]
"""z (M, J) to the logits of the pixels y, (M, D)."""


def g_φ(μ: Tensor, log_σ2: Tensor, ε: Tensor) -> Tensor:
    """z = μ + σ ⊙ ε ∼ q_φ(z|x), with ε ∼ N(0, I) (section 2.4; eq. 10)."""
    return μ + (log_σ2 / 2).exp() * ε


def minus_D_KL(μ: Tensor, log_σ2: Tensor) -> Tensor:
    """−D_KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ_j (1 + log σ_j² − μ_j² − σ_j²) (appendix B).

    (M, J) gives (M,).
    """
    return 0.5 * (1 + log_σ2 - μ**2 - log_σ2.exp()).sum(-1)


def log_p_x_given_z(x: Tensor, logits: Tensor) -> Tensor:
    """Σ_i x_i log y_i + (1 − x_i) log(1 − y_i), y = sigmoid(logits) (eq. 11).

    Binary pixels (M, D) give (M,).
    """
    return (x * logits - softplus(logits)).sum(-1)


def L_B(x: Tensor, encoder: Encoder, decoder: Decoder, ε: Tensor) -> Tensor:
    """The second SGVB estimator (eq. 7), its KL divergence exact.

    x (M, D) and noise ε (L, M, J) give (M,).
    """
    μ, log_σ2 = encoder(x)
    reconstruction = [log_p_x_given_z(x, decoder(g_φ(μ, log_σ2, ε_l))) for ε_l in ε]
    return minus_D_KL(μ, log_σ2) + sum(reconstruction) / len(ε)
