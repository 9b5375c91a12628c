"""The recipe of the checkpoint `encoder`: two crops of a training image shall have features alike, without labels.

    diffusion-teach train encoder --out checkpoints

About five minutes on one core. It was chosen, before any generator was tuned with it, for what it sees of spoilt real
digits: see `studies.judges`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.datasets import augmentation, mnist
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.features import in_batches
from diffusion_teach.metrics.neighbours import nearest
from diffusion_teach.networks.encoder import Encoder
from diffusion_teach.objectives.contrastive import nt_xent
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import Recipe, draws_no_images


def neighbour_accuracy(model: Encoder) -> float:
    """The share of the test images whose nearest training image, by the encoder's features, has their label."""
    device = next(_checks.instance("model", model, Encoder, "an Encoder").parameters()).device
    (known, labels), (images, wanted) = (mnist.load(split) for split in ("train", "test"))
    a, b = (in_batches(model, mnist.to_model(part).to(device)).cpu() for part in (images, known))
    _, index = nearest(a, b)
    return float((labels[index] == wanted).double().mean())


@dataclass(frozen=True, kw_only=True)
class EncoderRecipe(Recipe):
    """An encoder of crops of digits, trained on `contrastive.nt_xent` by AdamW.

    Of several processes each tells its own share of the images apart, which is an easier task than one has.

    Args:
        lr, weight_decay: AdamW's.
        smallest: the least side of a crop, a share of the image's.
        temperature: of the loss.
    """

    lr: float = 2e-3
    weight_decay: float = 1e-2
    smallest: float = 0.4
    temperature: float = 0.2

    def architecture(self) -> dict[str, Any]:
        return {"kind": "encoder"}

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        return [adamw(model.parameters(), lr=self.lr, weight_decay=self.weight_decay)]

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """The training images as bytes."""
        return (mnist.load("train")[0].to(device),)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Two crops (B, 1, 28, 28) of each of some images."""
        (images,) = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        x = mnist.to_model(images[rows])
        first, second = (augmentation.cropped(x, smallest=self.smallest, generator=generator) for _ in range(2))
        return first, second

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        a, b = model(torch.cat(drawn)).float().chunk(2)
        return nt_xent(a, b, self.temperature)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """How often a test image and its nearest training image show the same digit."""
        draws_no_images("an encoder", sampling, count, repeats)
        return {"neighbour_accuracy": neighbour_accuracy(cast(Encoder, model))}


ENCODER = EncoderRecipe(
    name="encoder",
    summary="an encoder that learned without labels; the second space of the book's metrics",
    intended_use=(
        "The second feature space of this book's metrics on MNIST-like 28 × 28 digits, beside the classifier's. "
        "Its distances compare only with one another."
    ),
    data_from=f"MNIST training images ({mnist.LICENCE})",
    licence="the code's licence; trained on MNIST, " + mnist.LICENCE,
    batch=512,
    steps=2500,
    warmup=250,
    decay="cosine",
    half=True,
)
