"""A small LeNet that names digits, and whose last hidden layer is the feature space of the book's metrics.

There is no standard feature network for MNIST (Inception has never seen a digit), so the book freezes its own: this
one, with the weights of the shipped checkpoint `classifier`. Its distances compare with one another, not with papers.
"""

from __future__ import annotations

from torch import Tensor, nn

from diffusion_teach import _checks

FEATURES = 84


class Classifier(nn.Module):
    """LeNet-5 with rectifiers and max-pooling: two convolutions, then 400 → 120 → 84 → 10.

    Source: LeCun et al. (1998), section II; its subsampling and radial basis functions are replaced by today's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.hidden = nn.Sequential(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """The last hidden layer.

        Args:
            x: (B, 1, 28, 28) in [−1, 1], as `datasets.mnist.to_model` gives.

        Returns:
            (B, 84), not negative.
        """
        _checks.tensor("x", _checks.input_of(self, "x", x, ("B", 1, 28, 28)))
        return self.hidden(self.convolutions(x))

    def forward(self, x: Tensor) -> Tensor:
        """The logits (B, 10) of images x (B, 1, 28, 28) in [−1, 1]."""
        return self.head(self.features(x))
