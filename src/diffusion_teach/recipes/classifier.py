"""The recipe of the checkpoint `classifier`: a LeNet on MNIST's training images, slightly turned and shifted.

    diffusion-teach train classifier --out checkpoints

About three minutes on one core.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.datasets import augmentation, mnist
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.features import predict
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import Recipe, draws_no_images


def accuracy(model: Classifier, split: str = "test") -> float:
    """The share of a split's images whose largest logit is at their label."""
    _checks.instance("model", model, Classifier, "a Classifier")
    images, labels = mnist.load(split)
    device = next(model.parameters()).device
    found = predict(model, mnist.to_model(images).to(device)).argmax(1).cpu()
    return float((found == labels).double().mean())


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(Recipe):
    """A classifier of slightly turned and shifted digits, trained on the cross-entropy by AdamW.

    Args:
        lr, weight_decay: AdamW's.
    """

    lr: float = 2e-3
    weight_decay: float = 1e-2

    def architecture(self) -> dict[str, Any]:
        return {"kind": "classifier"}

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        return [adamw(model.parameters(), lr=self.lr, weight_decay=self.weight_decay)]

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """The training images as bytes, and their labels."""
        images, labels = mnist.load("train")
        return images.to(device), labels.to(device)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Images x (B, 1, 28, 28), turned and shifted, and their labels (B,)."""
        images, labels = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        return augmentation.turned_and_shifted(mnist.to_model(images[rows]), generator=generator), labels[rows]

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        x, labels = drawn
        return F.cross_entropy(model(x), labels)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The accuracy on test and training images."""
        draws_no_images("a classifier", sampling, count, repeats)
        classifier = cast(Classifier, model)
        return {"test_accuracy": accuracy(classifier), "train_accuracy": accuracy(classifier, "train")}


CLASSIFIER = ClassifierRecipe(
    name="classifier",
    summary="a LeNet that names digits; its features are the space of the book's metrics",
    intended_use=(
        "The feature space and the labeller of this book's metrics on MNIST-like 28 × 28 digits. "
        "It is confident on pictures that are no digits; its distances compare only with one another."
    ),
    data_from=f"MNIST training images ({mnist.LICENCE})",
    licence="the code's licence; trained on MNIST, " + mnist.LICENCE,
    batch=128,
    steps=5616,  # 12 times through the 60,000 images
    warmup=561,
    decay="cosine",
    precision="float32",
)
