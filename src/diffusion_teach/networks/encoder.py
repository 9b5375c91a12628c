"""A convolutional encoder that is trained without labels: the second judge of the book's digits.

It is made to differ from `networks.classifier`: strides in place of pooling, smooth activations, and features that
nobody asked to tell digits apart, see `recipes.encoder`.
"""

from __future__ import annotations

from torch import Tensor, nn

from diffusion_teach import _checks

FEATURES = 64


class Encoder(nn.Module):
    """Three convolutions of stride 2, 28 → 14 → 7 → 4 pixels, then 1024 → 256 → 64."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, 64, 4, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(64, 64, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(1024, 256), nn.GELU(), nn.Linear(256, FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        """The features (B, 64) of images x (B, 1, 28, 28) in [−1, 1]."""
        _checks.tensor("x", _checks.input_of(self, "x", x, ("B", 1, 28, 28)))
        features: Tensor = self.head(self.convolutions(x))
        return features
