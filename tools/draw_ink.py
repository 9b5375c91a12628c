"""Draw the picture of the home page, book/assets/ink.png: a digit of ink dots that spreads, and the way back.

Run it again after changing it: python tools/draw_ink.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.schedules import VP

ROOT = Path(__file__).resolve().parent.parent
TIMES = (0.0, 0.06, 0.14, 0.3, 1.0)
INK, TEXT = "#3b7dd8", "#808890"  # both read well on white and on black


def ink_dots(image: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Dots in the plane, as dense as the image (28, 28) is dark, with mean 0 and spread 1."""
    where = torch.multinomial(image.double().flatten(), number, replacement=True, generator=generator)
    rows, columns = where // 28, where % 28
    dots = torch.stack([columns, -rows], dim=1) + torch.rand(number, 2, generator=generator)
    dots = dots - dots.mean(0)
    return dots / dots.std()


def main() -> None:
    """Draw the five panels and save them with a transparent background and few colours."""
    generator = torch.Generator().manual_seed(0)
    images, labels = mnist.load("train")
    digit = images[torch.nonzero(labels == 3)[2, 0]]
    x0 = ink_dots(digit, 1100, generator)
    eps = torch.randn(x0.shape, generator=generator)
    schedule = VP()

    figure, axes = plt.subplots(1, len(TIMES), figsize=(10, 2.9))
    figure.subplots_adjust(left=0, right=1, top=0.88, bottom=0.12, wspace=0)
    for axis, time in zip(axes, TIMES, strict=True):
        t = torch.tensor(time)
        dots = schedule.alpha(t) * x0 + schedule.sigma(t) * eps if time else x0
        axis.scatter(*dots.T, s=2.6, color=INK, alpha=0.75, linewidths=0)
        axis.set(xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), aspect="equal")
        axis.axis("off")
    for start, end, height, words in ((0.09, 0.91, 0.92, "noise is added"), (0.91, 0.09, 0.085, "following the score")):
        figure.add_artist(
            matplotlib.patches.FancyArrowPatch(
                (start, height), (end, height), arrowstyle="-|>", mutation_scale=14, color=TEXT, linewidth=1.2
            )
        )
        above = height > 0.5
        place = height + (0.015 if above else -0.02)
        figure.text(0.5, place, words, ha="center", va="bottom" if above else "top", color=TEXT, fontsize=11)
    path = ROOT / "book" / "assets" / "ink.png"
    figure.savefig(path, dpi=150, transparent=True)
    with Image.open(path) as picture:
        picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)


if __name__ == "__main__":
    main()
