"""What looks at canvases: a reader of their digits, and an eye.

    diffusion-teach train canvas-reader --out checkpoints

The reader judges; the eye lends its features to a perceptual loss, and judges nothing. On one core the reader takes
about three minutes, and the eye one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.datasets import augmentation, canvases, captions, mnist
from diffusion_teach.datasets.captions import DIGIT, LAYOUT, SECOND, SLANT, THICKNESS
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics import reading
from diffusion_teach.networks.autoencoder import Eye
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import Recipe, draws_no_images

TEST_GLYPHS = 2000
"""Of MNIST's test digits, the handwriting of the canvases that measure."""
DATA = f"canvases drawn from the skeletons of MNIST's training images ({mnist.LICENCE})"
LICENCE = "the code's licence; trained on MNIST, " + mnist.LICENCE
QUESTIONS = {LAYOUT: 3, DIGIT: 10, THICKNESS: 3, SLANT: 3}
"""What the eye is asked about a canvas, and how many answers there are."""


@dataclass(frozen=True, kw_only=True)
class CanvasRecipe(Recipe):
    """A network of canvases, trained by AdamW.

    Args:
        pictures, glyphs: how many canvases are drawn for the training, from how many of MNIST's training images.
        lr, weight_decay: AdamW's.
    """

    pictures: int = 40_000
    glyphs: int = 20_000
    lr: float = 2e-3
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pictures", "glyphs"):
            object.__setattr__(self, name, _checks.integer(name, getattr(self, name)))

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        return [adamw(model.parameters(), lr=self.lr, weight_decay=self.weight_decay)]

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """The canvases as bytes (N, 64, 64), and what they show (N, 7)."""
        return tuple(self.drawn(device))

    def drawn(self, device: torch.device) -> canvases.Canvases:
        """The canvases of the training, none of what is held out; the same for every recipe on a kind of device."""
        g = torch.Generator(device).manual_seed(self.pictures)
        return canvases.draw(self.pictures, glyph_count=self.glyphs, generator=g)


def in_fresh_hand(count: int, device: torch.device, *, unseen: bool = False, seed: int = 0) -> canvases.Canvases:
    """Canvases in the handwriting of MNIST's test digits, on a device; `unseen`: of held-out combinations only."""
    _checks.instance("device", device, torch.device, "a torch.device")
    g = torch.Generator(device).manual_seed(_checks.integer("seed", seed, least=0))
    return canvases.draw(count, "test", unseen=unseen, glyph_count=TEST_GLYPHS, generator=g)


def cut_outs(drawn: canvases.Canvases) -> tuple[Tensor, Tensor]:
    """The digits of canvases, cut out at their measured boxes, as bytes (M, 28, 28), and their labels (M,)."""
    images, about = _checks.instance("drawn", drawn, canvases.Canvases, "canvases.Canvases")
    found, labels = [], []
    for part, fields in zip(images.split(1000), about.split(1000), strict=True):
        halves = reading.halves(canvases.to_model(part), fields[:, LAYOUT])
        pair = fields[:, LAYOUT] > 0
        for x, field, rows in ((halves[0], DIGIT, slice(None)), (halves[1], SECOND, pair)):
            if len(x[rows]):
                found.append(mnist.to_uint8(reading.cut_out(x[rows], reading.boxes(x[rows]))))
                labels.append(fields[rows, field])
    return torch.cat(found), torch.cat(labels)


@dataclass(frozen=True, kw_only=True)
class ReaderRecipe(CanvasRecipe):
    """A LeNet that names the digits of canvases, cut out, slightly turned and shifted."""

    def architecture(self) -> dict[str, Any]:
        return {"kind": "classifier"}

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """The cut-outs as bytes, and their labels."""
        return cut_outs(self.drawn(device))

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Cut-outs x (B, 1, 28, 28), turned and shifted, and their labels (B,)."""
        images, labels = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        x = mnist.to_model(images[rows])
        return augmentation.turned_and_shifted(x, degrees=8.0, pixels=1.0, generator=generator), labels[rows]

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        x, labels = drawn
        return F.cross_entropy(model(x), labels)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The accuracy on digits cut out of canvases in the test digits' handwriting."""
        draws_no_images("a classifier", sampling, count, repeats)
        judge = cast(Classifier, model)
        images, labels = cut_outs(in_fresh_hand(4000, next(judge.parameters()).device))
        with torch.no_grad():
            found = judge(mnist.to_model(images)).argmax(1)
        return {"test_accuracy": float((found == labels).double().mean())}


@dataclass(frozen=True, kw_only=True)
class EyeRecipe(CanvasRecipe):
    """A classifier of whole canvases: layout, first digit, thickness and slant."""

    def architecture(self) -> dict[str, Any]:
        return {"kind": "eye", "answers": list(QUESTIONS.values())}

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Canvases x (B, 1, 64, 64) and what they show (B, 7)."""
        images, about = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        return canvases.to_model(images[rows]), about[rows]

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The sum of the questions' cross-entropies."""
        x, about = drawn
        logits = cast(Eye, model)(x).split(list(QUESTIONS.values()), dim=1)
        losses = [F.cross_entropy(part, about[:, field]) for field, part in zip(QUESTIONS, logits, strict=True)]
        return torch.stack(losses).sum()

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The share of right answers by question, on canvases in the test digits' handwriting."""
        draws_no_images("a classifier", sampling, count, repeats)
        images, about = in_fresh_hand(2000, next(model.parameters()).device)
        with torch.no_grad():
            logits = model(canvases.to_model(images)).split(list(QUESTIONS.values()), dim=1)
        right = {field: logits[k].argmax(1) == about[:, field] for k, field in enumerate(QUESTIONS)}
        return {f"test_{captions.FIELDS[field]}": float(found.double().mean()) for field, found in right.items()}


USE = "Teaching: to look at the book's canvases of digits. It knows nothing else."
CANVAS_READER = ReaderRecipe(
    name="canvas-reader",
    summary="a LeNet that names the digits cut out of canvases: the judge of obedience",
    intended_use=USE,
    data_from=DATA,
    licence=LICENCE,
    batch=128,
    steps=4000,
    warmup=200,
    decay="cosine",
    precision="float32",
)
CANVAS_EYE = EyeRecipe(
    name="canvas-eye",
    summary="a classifier of canvases whose features make a perceptual loss; it judges nothing",
    intended_use=USE,
    data_from=DATA,
    licence=LICENCE,
    pictures=10_000,
    glyphs=5_000,
    batch=128,
    steps=800,
    warmup=40,
    decay="cosine",
    precision="float32",
)
