"""The recipe of the checkpoint `classifier`: a LeNet on MNIST's training images, slightly turned and shifted.

    python -m diffusion_teach.recipes.classifier --folder checkpoints

About a minute on one core. The same seed gives the same weights on the same machine with as many threads.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks, checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.networks.classifier import Classifier, evaluate
from diffusion_teach.training import fit

INTENDED_USE = (
    "The feature space and the labeller of this book's metrics on MNIST-like 28 × 28 digits. "
    "It is confident on pictures that are no digits; its distances compare only with one another."
)


def augment(
    x: Tensor, *, degrees: float = 10.0, pixels: float = 2.0, generator: torch.Generator | None = None
) -> Tensor:
    """Turn each image by up to ±degrees and shift it by up to ±pixels, uniformly; paper (−1) fills the border.

    Args:
        x: (B, 1, H, W) in [−1, 1].

    Returns:
        (B, 1, H, W).
    """
    _checks.tensor("x", x, ("B", 1, "H", "W"))
    turn, right, down = torch.rand(3, len(x), generator=generator) * 2 - 1
    angle = turn * math.radians(degrees)
    shift = torch.stack([right / x.shape[-1], down / x.shape[-2]], dim=-1) * (2 * pixels)
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=-1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x + 1, grid, padding_mode="zeros", align_corners=False) - 1


def train(*, epochs: int = 12, batch: int = 128, lr: float = 2e-3, seed: int = 0) -> tuple[Classifier, int]:
    """Minimise the cross-entropy on slightly turned and shifted digits; returns the model and the number of steps."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier()
    images, labels = mnist.load("train")
    x = mnist.to_model(images)

    def batches() -> Iterator[Tensor]:
        while True:
            order = torch.randperm(len(x), generator=generator)
            yield from order[: len(x) // batch * batch].split(batch)

    chosen = batches()

    def loss() -> Tensor:
        rows = next(chosen)
        return F.cross_entropy(model(augment(x[rows], generator=generator)), labels[rows])

    steps = epochs * (len(x) // batch)
    fit(model, loss, steps=steps, lr=lr, warmup=steps // 10, weight_decay=1e-2)
    return model, steps


def accuracy(model: Classifier, split: str = "test") -> float:
    """The share of a split's images whose largest logit is at their label."""
    images, labels = mnist.load(split)
    return float((evaluate(model, mnist.to_model(images)).argmax(1) == labels).double().mean())


def main(arguments: list[str] | None = None) -> None:
    """Train, measure, write the checkpoint with its card, and print where it is."""
    parser = argparse.ArgumentParser(description="Train the digit classifier of the book's metrics.")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=checkpoints.FOLDER, help="where to write (default: the package)")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    model, steps = train(epochs=_checks.integer("epochs", options.epochs), seed=options.seed)
    seconds = time.perf_counter() - began
    card = {
        "recipe": f"python -m diffusion_teach.recipes.classifier --epochs {options.epochs} --seed {options.seed}",
        "seed": options.seed,
        "steps": steps,
        "seconds": round(seconds, 1),
        "machine": f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores, {platform.machine()}",
        "torch": torch.__version__.split("+")[0],
        "data": f"MNIST training images ({mnist.LICENCE})",
        "metrics": {"test_accuracy": accuracy(model), "train_accuracy": accuracy(model, "train")},
        "licence": "the code's licence; trained on MNIST, " + mnist.LICENCE,
        "intended_use": INTENDED_USE,
    }
    path = checkpoints.save("classifier", model.state_dict(), card, folder=options.folder)
    print(f"{path}: {card['metrics']}, {seconds:.0f} s")


if __name__ == "__main__":
    main()
