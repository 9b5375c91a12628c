r"""Latent diffusion: a denoiser of what an autoencoder makes of pictures.

    z₀ = (E(x) − shift)·scale,   x = D(z₀/scale + shift)

E is the mean of the encoder, D the decoder. The scale brings latents to variance 1, as a schedule with α² + σ² = 1
takes for granted: of latents k times as large, the same noise is k times less.

Source: Rombach et al. (2022), section 3.2 and appendix G.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.denoisers.learned import Learned
from diffusion_teach.networks.autoencoder import Autoencoder
from diffusion_teach.schedules import Schedule


class Latent(Learned):
    """A learned denoiser of latents; `encode` and `pictures` go from pictures to latents and back.

    Args:
        autoencoder: is not trained any more.
        network, schedule, target: of the latents, see `Learned`.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, autoencoder: Autoencoder, network: nn.Module, schedule: Schedule, target: str = "v") -> None:
        super().__init__(network, schedule, target)
        self.autoencoder = _checks.instance("autoencoder", autoencoder, Autoencoder, "an Autoencoder")
        self.autoencoder.requires_grad_(False)
        if self.shape is not None and tuple(self.shape) != autoencoder.latent_shape:
            raise ValueError(
                f"the network's shape must be that of the latents, {autoencoder.latent_shape}, got {self.shape}."
            )
        self.register_buffer("shift", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    @torch.no_grad()
    def set_scale(self, x: Tensor) -> None:
        """Let latents of pictures x (B, C, H, W) have mean 0 and variance 1, over all of their numbers."""
        mean = self.autoencoder.encode(x)[0]
        self.shift.copy_(mean.mean())
        self.scale.copy_(1 / mean.std().clamp(min=1e-6))

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Latents z₀ (B, C', H', W') of pictures x (B, C, H, W) in [−1, 1]."""
        return (self.autoencoder.encode(x)[0] - self.shift) * self.scale

    def pictures(self, x: Tensor) -> Tensor:
        """The decoded pictures (B, C, H, W) of latents x (B, C', H', W')."""
        _checks.tensor("x", x, finite=False)
        return self.autoencoder.decode(x.float() / self.scale + self.shift)
