"""Latent diffusion, in the letters of its paper.

R. Rombach, A. Blattmann, D. Lorenz, P. Esser and B. Ommer (2022), "High-Resolution
Image Synthesis with Latent Diffusion Models", CVPR 2022. E encodes a picture, D decodes
a latent, τ_θ encodes what conditions it, and ε_θ is DDPM's network, of latents.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Map = Callable[..., Tensor]


def L_LDM(
    x: Tensor,
    y: Tensor,
    E: Map,
    τ_θ: Map,
    ε_θ: Map,
    t: Tensor,
    ε: Tensor,
    ᾱ: Tensor,
) -> Tensor:
    """Equation 3: DDPM's loss, but of z = E(x), and with a condition y.

    x (B, C, H, W), y (B, L); ε is shaped like z, and t (B,) counts DDPM's T steps, of
    which ᾱ (T + 1,) says how much data is left.
    """
    z = E(x)
    a = ᾱ[t].view(-1, *[1] * (z.ndim - 1)).to(z)
    z_t = a.sqrt() * z + (1 - a).sqrt() * ε
    return (ε - ε_θ(z_t, t, τ_θ(y))).square().mean()


def attention(φ: Tensor, τ: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor) -> Tensor:
    """Section 3.3: what places φ (B, N, C) take from a condition's τ (B, L, D)."""
    Q, K, V = φ @ W_Q.T, τ @ W_K.T, τ @ W_V.T
    d = Q.shape[-1]
    return torch.softmax(Q @ K.mT / d**0.5, dim=-1) @ V


def L_rec(
    x: Tensor,
    E: Callable[..., tuple[Tensor, Tensor]],
    D: Map,
    ε: Tensor,
    λ_kl: float,
) -> Tensor:
    """Appendix G, "KL-reg", without what judges by eye: error and a small divergence.

    E gives the mean and the log-variance of the latent of x (B, C, H, W).
    """
    μ, log_σ2 = E(x)
    z = μ + (log_σ2 / 2).exp() * ε
    kl = 0.5 * (μ.square() + log_σ2.exp() - log_σ2 - 1).flatten(1).sum(1).mean()
    return (x - D(z)).square().mean() + λ_kl * kl / x[0].numel()
