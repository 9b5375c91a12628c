r"""A convolutional autoencoder of pictures, with a Gaussian latent that keeps its places: 64 × 64 to 16 × 16 × 4.

    x ─ space-to-depth ─ 32×32 ─ block ─ 16×16 ─ block ─ mean, log-variance of q(z|x)
    z ─ 16×16 ─ block ─ 32×32 ─ block ─ depth-to-space ─ x̂

It is a VAE (Kingma and Welling 2014) whose KL divergence counts so little that the latent is a compression and no prior
to draw from: "KL-reg" of Rombach et al. (2022), section 3.1 and appendix G. The patch discriminator judges each region
of a picture by itself (Isola et al. 2017).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks
from diffusion_teach.networks.network import OneStepGenerator
from diffusion_teach.networks.unet import ChannelNorm, zeroed

LOG_VARIANCES = (-30.0, 20.0)
"""Where the log-variance is held, or a bad step could overflow."""


class Autoencoder(OneStepGenerator):
    """Pictures (B, C, S, S) to latents (B, latent, S/4, S/4) and back.

    Args:
        width: channels at half and at quarter resolution.
        latent: channels of the latent.
        image_channels, image_size: C and S, a multiple of 4.
    """

    def __init__(
        self, width: tuple[int, int] = (32, 64), latent: int = 4, *, image_channels: int = 1, image_size: int = 64
    ) -> None:
        super().__init__()
        fine, coarse = _checks.sizes("width", width, 2)
        self.latent = _checks.integer("latent", latent)
        image_size, latent = _checks.integer("image_size", image_size), self.latent
        if image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, got {image_size}.")
        self.shape = (_checks.integer("image_channels", image_channels), image_size, image_size)
        self.latent_shape = (latent, image_size // 4, image_size // 4)
        folded = 4 * image_channels
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(folded, fine, 3, padding=1),
            Block(fine),
            nn.Conv2d(fine, coarse, 2, stride=2),
            Block(coarse),
            ChannelNorm(coarse),
            nn.SiLU(),
            nn.Conv2d(coarse, 2 * latent, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latent, coarse, 3, padding=1),
            Block(coarse),
            nn.ConvTranspose2d(coarse, fine, 2, stride=2),
            Block(fine),
            ChannelNorm(fine),
            nn.SiLU(),
            nn.Conv2d(fine, folded, 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), both (B, latent, S/4, S/4), of pictures x (B, C, S, S) in [−1, 1]."""
        _checks.input_of(self, "x", x, ("B", *self.shape))
        mean, log_variance = self.encoder(x).float().chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCES)

    def decode(self, z: Tensor) -> Tensor:
        """Pictures (B, C, S, S) of latents z (B, latent, S/4, S/4)."""
        _checks.input_of(self, "z", z, ("B", *self.latent_shape))
        pictures: Tensor = self.decoder(z)
        return pictures.float()

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Pictures of latents from the prior N(0, I), drawn on the CPU, (count, C, S, S) in [−1, 1]."""
        size = (_checks.integer("count", count), *self.latent_shape)
        z = torch.randn(size, generator=_checks.generator(generator))
        return self.decode(z.to(self.device)).clamp(-1, 1)


class Block(nn.Module):
    """h + f(h): norm, silu, 3×3 convolution, twice; the last starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(ChannelNorm(channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)),
            *(ChannelNorm(channels), nn.SiLU(), zeroed(nn.Conv2d(channels, channels, 3, padding=1))),
        )

    def forward(self, h: Tensor) -> Tensor:
        answer: Tensor = h + self.layers(h)
        return answer


class PatchDiscriminator(nn.Module):
    """Pictures (B, C, S, S) to logits (B, 1, S/8, S/8), each of what a region of 22 × 22 pixels shows."""

    def __init__(self, image_channels: int = 1, width: int = 16) -> None:
        super().__init__()
        width = _checks.integer("width", width)
        sizes = [_checks.integer("image_channels", image_channels), width, 2 * width, 4 * width]
        layers = [m for i, o in pairwise(sizes) for m in (nn.Conv2d(i, o, 4, stride=2, padding=1), nn.LeakyReLU(0.2))]
        self.layers = nn.Sequential(*layers, nn.Conv2d(sizes[-1], 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(_checks.input_of(self, "x", x, ("B", "C", "H", "W")))
        return logits


class Eye(nn.Module):
    """A classifier of pictures (B, 1, 64, 64) whose layers serve as features: four convolutions of stride 2, and heads.

    Args:
        answers: how many answers each question has; the logits of all lie side by side.
    """

    def __init__(self, answers: tuple[int, ...]) -> None:
        super().__init__()
        self.answers = _checks.sizes("answers", answers)
        sizes = (1, 16, 32, 64, 64)
        self.stages = nn.ModuleList(nn.Conv2d(i, o, 4, stride=2, padding=1) for i, o in pairwise(sizes))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 16, 128), nn.SiLU(), nn.Linear(128, sum(self.answers)))

    def features(self, x: Tensor) -> list[Tensor]:
        """What each convolution sees, (B, 16, 32, 32) to (B, 64, 4, 4), of pictures x (B, 1, 64, 64) in [−1, 1]."""
        h, found = _checks.input_of(self, "x", x, ("B", 1, 64, 64)), []
        for stage in self.stages:
            h = F.silu(stage(h))
            found.append(h)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, Σ answers) of pictures x (B, 1, 64, 64)."""
        logits: Tensor = self.head(self.features(x)[-1])
        return logits
