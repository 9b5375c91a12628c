r"""Canvases of 64 × 64 pixels with one digit or two, drawn anew from MNIST's: thickness, slant, size and place at will.

A digit of MNIST is thinned to its skeleton, one pixel wide, whose pixels are points. The points are straightened (their
second moments say how far they lean), scaled to a height, sheared, and moved to their place; ink is what lies within
half a stroke's width of any of them. So the stroke is as wide as it is asked for wherever the line goes, and what a
canvas shows is known exactly, in the fields of `captions`.

Source of thinning: Zhang and Suen (1984), "A fast parallel algorithm for thinning digital patterns".
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.datasets import captions, mnist
from diffusion_teach.datasets.captions import DIGIT, LAYOUT, PLACE, SECOND, SIZE, SLANT, THICKNESS

CPU = torch.device("cpu")
SIZE_OF_CANVAS = 64
HEIGHTS = (20.0, 32.0)
"""Of a small and of a large digit's skeleton, in pixels; the digits of a pair are small."""
WIDEST = 0.75
"""The largest width of an upright skeleton, of its height."""
STROKES = (0.09, 0.14, 0.22)
"""Width of a stroke, of the height: thin, medium, thick."""
SHEARS = (-0.45, 0.0, 0.45)
"""Pixels to the right for each upwards."""
MARGIN, APART = 6.0, (14.0, 15.0)
"""Of a skeleton in a corner to the frame; and of a pair's digits from the middle, one above the other or beside."""
JITTER = {"height": 0.03, "stroke": 0.04, "shear": 0.04, "place": 0.7}
"""Deviations of what a field leaves to chance: of the first two relative, of the last in pixels."""
POINTS = 160
"""Of a skeleton; shorter ones repeat their first point."""


class Canvases(NamedTuple):
    """Pictures (N, 64, 64) uint8, ink 255, and what they show, (N, 7) int64 in the order of `captions.FIELDS`."""

    images: Tensor
    about: Tensor


def thinned(ink: Tensor) -> Tensor:
    """The skeletons of binary pictures (B, H, W) bool, one pixel wide and as connected as they were."""
    if _checks.tensor("ink", ink, ("B", "H", "W"), floating=False).dtype != torch.bool:
        raise TypeError(f"ink must be bool, True where there is ink, got {_checks.describe(ink)}.")
    ink = ink.clone()
    while True:
        before = ink.sum()
        for first in (True, False):
            padded = F.pad(ink, (1, 1, 1, 1))
            h, w = ink.shape[1:]
            # the eight neighbours, clockwise from above
            places = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
            n = [padded[:, i : i + h, j : j + w] for i, j in places]
            count = sum(x.to(torch.uint8) for x in n)
            rises = sum((~a & b).to(torch.uint8) for a, b in zip(n, [*n[1:], n[0]], strict=True))
            up, right, down, left = n[0], n[2], n[4], n[6]
            free = (
                ~(up & right & down) & ~(right & down & left) if first else ~(up & right & left) & ~(up & down & left)
            )
            ink = ink & ~((count >= 2) & (count <= 6) & (rises == 1) & free)
        if ink.sum() == before:
            return ink


def skeletons(images: Tensor) -> Tensor:
    """The points of digits (B, 28, 28) uint8, straightened: (B, 160, 2) float32, x to the right and y downwards.

    They are centred, the height is 1 and the width at most 0.75.
    """
    x = F.interpolate(mnist.to_model(images), scale_factor=2.0, mode="bilinear").squeeze(1)
    found = thinned(x > -0.2)
    order = found.flatten(1).byte().argsort(dim=1, descending=True, stable=True)[:, :POINTS]
    place = torch.stack([order % x.shape[2], order // x.shape[2]], dim=-1).float()
    inside = found.flatten(1).gather(1, order).unsqueeze(-1)
    place = torch.where(inside, place, place[:, :1])
    weight = inside.float() / inside.sum(1, keepdim=True).clamp(min=1)
    x_, y = (place - (weight * place).sum(1, keepdim=True)).unbind(-1)
    w = weight.squeeze(-1)
    x_ = x_ - ((w * x_ * y).sum(1) / (w * y * y).sum(1).clamp(min=1e-6))[:, None] * y
    points = torch.stack([x_, y], dim=-1)
    top, bottom = points.amin(1, keepdim=True), points.amax(1, keepdim=True)
    points, (width, height) = points - (top + bottom) / 2, (bottom - top).clamp(min=1.0).unbind(-1)
    narrow = torch.clamp(WIDEST * height / width, max=1.0)
    return points / height.unsqueeze(-1) * torch.stack([narrow, torch.ones_like(narrow)], dim=-1)


def glyphs(split: str = "train", most: int = 20_000, *, device: torch.device = CPU) -> tuple[Tensor, Tensor]:
    """The skeletons (N, 160, 2) of the first digits of MNIST's split, and their labels (N,), on a device.

    They are computed once, in about a second a thousand on a core, and are not to be changed.
    """
    _checks.instance("device", device, torch.device, "a torch.device")
    return _glyphs(_checks.choice("split", split, mnist.SPLITS), _checks.integer("most", most), device)


@functools.lru_cache(maxsize=4)
def _glyphs(split: str, most: int, device: torch.device) -> tuple[Tensor, Tensor]:
    images, labels = (part[:most].to(device) for part in mnist.load(split))
    return torch.cat([skeletons(part) for part in images.split(500)]), labels


def rendered(points: Tensor, height: Tensor, stroke: Tensor, shear: Tensor, place: Tensor) -> Tensor:
    """Ink in [0, 1], (B, 64, 64), of skeletons (B, P, 2) of height 1.

    Args:
        points: as `skeletons` gives them.
        height, stroke: (B,) in pixels, of the skeleton and of the line.
        shear: (B,) pixels to the right for each upwards.
        place: (B, 2) of the skeleton's middle, in pixels from the left and from the top.
    """
    _checks.tensor("points", points, ("B", "P", 2))
    for name, value in {"height": height, "stroke": stroke, "shear": shear}.items():
        _checks.tensor(name, value, (len(points),))
    _checks.tensor("place", place, (len(points), 2))
    x, y = (height[:, None, None] * points).unbind(-1)
    x = x - shear[:, None] * y + place[:, :1]
    y = y + place[:, 1:]
    centres = torch.arange(SIZE_OF_CANVAS, device=points.device) + 0.5
    across, down = ((centres[:, None] - line[:, None, :]).square() for line in (x, y))
    ink = torch.empty(len(points), SIZE_OF_CANVAS, SIZE_OF_CANVAS, device=points.device)
    for row in range(SIZE_OF_CANVAS):  # a row at a time, or it would take gigabytes
        ink[:, row] = (across + down[:, row, None, :]).amin(-1)
    return (stroke[:, None, None] / 2 + 0.5 - ink.sqrt()).clamp(0, 1)


def draw(
    count: int,
    split: str = "train",
    *,
    about: Tensor | None = None,
    unseen: bool = False,
    glyph_count: int = 20_000,
    generator: torch.Generator | None = None,
) -> Canvases:
    """Draw canvases, three in ten with a pair.

    Args:
        count: how many.
        split: of MNIST, whose handwriting is used.
        about: what to show, (count, 7) as `captions.FIELDS`; where not given, or −1, it is drawn.
        unseen: draw the combinations that `captions.held_out` keeps away from training, else none of them; without
            effect where `about` is given.
        glyph_count: of the split's digits that are used, the first ones.
        generator: draws all; its device is where this computes and where the result lies.
    """
    count, glyph_count = _checks.integer("count", count), _checks.integer("glyph_count", glyph_count)
    generator = _checks.generator(generator)
    device = CPU if generator is None else generator.device
    points, labels = glyphs(split, glyph_count, device=device)
    fields = fields_of(count, about=about, unseen=unseen, generator=generator)
    images = []
    for part in fields.split(256):
        ink = _ink(points, labels, part, 0, generator)
        pairs = part[:, LAYOUT] > 0
        if pairs.any():
            ink[pairs] = torch.maximum(ink[pairs], _ink(points, labels, part[pairs], 1, generator))
        images.append((255 * ink).round().to(torch.uint8))
    return Canvases(torch.cat(images), fields)


def fields_of(
    count: int, *, about: Tensor | None = None, unseen: bool = False, generator: torch.Generator | None = None
) -> Tensor:
    """What canvases show, (count, 7) int64: drawn evenly where `about` is −1 or not given, see `draw`."""
    generator, unseen = _checks.generator(generator), _checks.flag("unseen", unseen)
    device = CPU if generator is None else generator.device
    count = _checks.integer("count", count)
    given = torch.full((count, len(captions.FIELDS)), -1) if about is None else about
    given = captions.check_fields("about", given, count)

    def fresh() -> Tensor:
        u = torch.rand(count, len(captions.FIELDS), generator=generator, device=device)
        sizes = torch.tensor([len(source) for source in captions.SOURCES], device=device)
        drawn = (u * sizes).long()
        drawn[:, LAYOUT] = (u[:, LAYOUT] < 0.3).long() * (1 + (u[:, LAYOUT] < 0.15).long())
        drawn = torch.where(given.to(device) < 0, drawn, given.to(device))
        pair = drawn[:, LAYOUT] > 0
        drawn[:, SECOND] = torch.where(pair, drawn[:, SECOND], -1)
        for field in (SIZE, PLACE):
            drawn[:, field] = torch.where(pair, 0, drawn[:, field])
        return drawn

    found = fresh()
    if about is None:
        for _ in range(100):
            wrong = captions.held_out(found) != unseen
            if not wrong.any():
                break
            found = torch.where(wrong[:, None], fresh(), found)
    return found


def _ink(points: Tensor, labels: Tensor, fields: Tensor, which: int, generator: torch.Generator | None) -> Tensor:
    """The first or the second digits of canvases, (B, 64, 64), drawn from the handwriting of their labels."""
    digit = fields[:, SECOND if which else DIGIT]
    n, device = len(fields), points.device
    order = labels.argsort(stable=True)
    counts = labels.bincount(minlength=10)
    begins = torch.tensor([0, *counts.tolist()], device=device).cumsum(0)[:10]
    u = torch.rand(n, generator=generator, device=device)
    rows = order[begins[digit] + (u * counts[digit]).long()]
    normal = torch.randn(n, 5, generator=generator, device=device).clamp(-2.5, 2.5)
    height = torch.tensor(HEIGHTS, device=device)[fields[:, SIZE]]
    tall = height * (1 + JITTER["height"] * normal[:, 0])
    stroke = torch.tensor(STROKES, device=device)[fields[:, THICKNESS]] * height * (1 + JITTER["stroke"] * normal[:, 1])
    shear = torch.tensor(SHEARS, device=device)[fields[:, SLANT]] + JITTER["shear"] * normal[:, 2]
    place = middles(fields)[:, which] + JITTER["place"] * normal[:, 3:]
    return rendered(points[rows], tall, stroke, shear, place)


def middles(fields: Tensor) -> Tensor:
    """Where the digits of canvases (B, 7) lie, (B, 2, 2) float32: of each x and y; a single has only the first."""
    captions.check_fields("fields", fields)
    device, middle = fields.device, SIZE_OF_CANVAS / 2
    signs = torch.tensor([[0, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]], device=device)[fields[:, PLACE]]
    far = middle - torch.tensor(HEIGHTS, device=device)[fields[:, SIZE]] / 2 - MARGIN
    single = middle + signs * far[:, None]
    above, beside = APART
    pair = torch.tensor([[0.0, 0.0], [0.0, above], [beside, 0.0]], device=device)[fields[:, LAYOUT]]
    first = torch.where(fields[:, LAYOUT, None] > 0, middle - pair, single)
    return torch.stack([first, middle + pair], dim=1)


def to_model(images: Tensor) -> Tensor:
    """Bytes (N, 64, 64) as the models' pictures, (N, 1, 64, 64) float32 in [−1, 1], as `mnist.to_model`."""
    return mnist.to_model(images)
