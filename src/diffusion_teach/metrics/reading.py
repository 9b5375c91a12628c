r"""What a canvas shows, read from the picture: the digit by a reader, all else by measuring the ink.

Ink is what is darker than middle grey; faint noise would else move every box and moment. From the box around all of it:
two digits one above the other are taller, two side by side flatter and wider than any single one; a small digit is less
tall than a large one; the place is the nearest of the five. Leaning is the ratio of second moments, −Σxy/Σy²; the width
of a stroke is twice the area of the ink over the length of its edge, on the height. Nothing is left out as a blot: to
keep only the largest piece would flatter.

The digit is cut out by its box, brought to 28 × 28 pixels and shown to the checkpoint `canvas-reader`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks, checkpoints
from diffusion_teach.datasets import canvases, captions
from diffusion_teach.datasets.captions import DIGIT, LAYOUT, PLACE, SECOND, SIZE, SLANT, THICKNESS
from diffusion_teach.metrics.features import in_batches
from diffusion_teach.networks.classifier import Classifier

SIDE, BOX = 28, 20.0
"""Of a cut-out, and of the digit in it, in pixels: as MNIST has them."""
TALL, FLAT, WIDE = 44.5, 29.0, 31.0
"""Heights above and below which there are two digits above one another, or a small one; two small ones are wider."""
LEAN = 0.21
"""Half way between upright and leaning, of the moments."""
LIMITS = (0.096, 0.14)
"""Between thin, medium and thick, of the measured stroke over the measured height."""
SINGLE, PAIR = (LAYOUT, DIGIT, THICKNESS, SLANT, SIZE, PLACE), (LAYOUT, DIGIT, SECOND)
"""What is asked for of a single digit and of a pair."""


@functools.cache
def reader() -> Classifier:
    """The frozen reader of the shipped checkpoint `canvas-reader`: evaluation mode, loaded once."""
    return cast(Classifier, checkpoints.model("canvas-reader"))


def boxes(x: Tensor) -> Tensor:
    """The boxes around the ink of pictures (B, 1, H, W): left, top, right, bottom, (B, 4); of no ink the picture's."""
    ink = _checks.tensor("x", x, ("B", 1, "H", "W"))[:, 0] > 0
    h, w = ink.shape[1:]
    ends = []
    for places, size in ((ink.any(1), w), (ink.any(2), h)):
        index = torch.arange(size, device=x.device)
        first = torch.where(places, index, size).amin(1)
        last = torch.where(places, index + 1, 0).amax(1)
        empty = first >= last
        ends += [torch.where(empty, 0, first), torch.where(empty, size, last)]
    return torch.stack([ends[0], ends[2], ends[1], ends[3]], dim=1).float()


def cut_out(x: Tensor, box: Tensor) -> Tensor:
    """What boxes (B, 4) hold of pictures (B, 1, H, W), brought to 28 × 28 pixels, (B, 1, 28, 28).

    The longer side becomes 20 pixels, and the rest is paper, as in MNIST.
    """
    x = _checks.tensor("x", x, ("B", 1, "H", "W")).float()
    left, top, right, bottom = _checks.tensor("box", box, (len(x), 4)).to(x).unbind(1)
    h, w = x.shape[2:]
    scale = torch.maximum(right - left, bottom - top).clamp(min=2.0) / BOX
    line = torch.arange(SIDE, device=x.device) + 0.5 - SIDE / 2
    across = ((left + right) / 2)[:, None] + scale[:, None] * line
    down = ((top + bottom) / 2)[:, None] + scale[:, None] * line
    inside = (across >= left[:, None] - 1) & (across <= right[:, None] + 1)
    inside_down = (down >= top[:, None] - 1) & (down <= bottom[:, None] + 1)
    grid = torch.stack(torch.broadcast_tensors(2 * across[:, None, :] / w - 1, 2 * down[:, :, None] / h - 1), dim=-1)
    found = F.grid_sample(x + 1, grid, padding_mode="zeros", align_corners=False)
    return found * (inside[:, None, None, :] & inside_down[:, None, :, None]) - 1


def halves(x: Tensor, layout: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, 1, H, W) with only the first or only the second half inked: the upper and the lower for layout 1,
    the left and the right for 2, the whole picture and none of it for 0.
    """
    _checks.tensor("x", x, ("B", 1, "H", "W"), finite=False)
    layout = _checks.indices("layout", layout, len(captions.LAYOUTS), (len(x),))[:, None, None, None]
    h, w = x.shape[2:]
    upper = (torch.arange(h, device=x.device) < h / 2)[None, None, :, None]
    left = (torch.arange(w, device=x.device) < w / 2)[None, None, None, :]
    first = torch.where(layout == 1, upper, torch.where(layout == 2, left, torch.ones_like(upper & left)))
    return torch.where(first, x, -1.0), torch.where(first, -1.0, x)


def strokes(x: Tensor) -> dict[str, Tensor]:
    """Measures of the ink of pictures (B, 1, H, W), each (B,): `height` and `width` of its box, `x` and `y` of the
    box's middle, `slant`, and `thickness`, of the height; NaN where there is no ink.
    """
    left, top, right, bottom = boxes(x).unbind(1)
    x = x.float()
    ink = (0.75 * x[:, 0] + 0.5).clamp(0, 1)  # sharper at the edge, nothing of what is faint
    area = ink.sum((1, 2))
    across, down = (torch.arange(size, device=x.device) + 0.5 for size in (x.shape[3], x.shape[2]))
    share = ink / area.clamp(min=1e-6)[:, None, None]
    mean_x, mean_y = (share.sum(1) @ across)[:, None], (share.sum(2) @ down)[:, None]
    dx, dy = across - mean_x, down - mean_y
    xy = torch.einsum("bij,bj,bi->b", share, dx, dy)
    yy = torch.einsum("bij,bi->b", share, dy.square())
    padded = F.pad(ink, (1, 1, 1, 1))
    right_step = padded[:, 1:, 1:] - padded[:, 1:, :-1]
    down_step = padded[:, 1:, 1:] - padded[:, :-1, 1:]
    edge = torch.hypot(right_step, down_step).sum((1, 2))
    thickness = 2 * area / edge.clamp(min=1e-6)
    nothing = (x > 0).flatten(1).sum(1) == 0
    found = {
        "height": bottom - top,
        "width": right - left,
        "x": (left + right) / 2,
        "y": (top + bottom) / 2,
        "slant": -xy / yy.clamp(min=1e-6),
        "thickness": thickness / (bottom - top),
    }
    return {name: torch.where(nothing, torch.nan, value) for name, value in found.items()}


def digits(x: Tensor, judge: Classifier | None = None) -> Tensor:
    """The digit that all the ink of each picture (B, 1, H, W) makes, (B,) int64."""
    judge = reader() if judge is None else _checks.instance("judge", judge, Classifier, "a Classifier")
    return in_batches(judge, cut_out(x, boxes(x)), 1000).argmax(1)


def read(x: Tensor, judge: Classifier | None = None) -> Tensor:
    """What pictures (B, 1, 64, 64) show, (B, 7) int64 in the order of `captions.FIELDS`; −1 for what has no answer.

    Args:
        x: in [−1, 1].
        judge: names the digits; by default `reader()`, on the device of x.
    """
    x = _checks.tensor("x", x, ("B", 1, canvases.SIZE_OF_CANVAS, canvases.SIZE_OF_CANVAS)).float()
    seen = strokes(x)
    height, width = seen["height"], seen["width"]
    above = height > TALL
    beside = ~above & (height < FLAT) & (width > WIDE)
    layout = above.long() + 2 * beside.long()
    first, second = halves(x, layout)
    size = (height >= FLAT).long()
    thickness = (seen["thickness"][:, None] > torch.tensor(LIMITS, device=x.device)).sum(1)
    slant = 1 + (seen["slant"] > LEAN).long() - (seen["slant"] < -LEAN).long()
    fields = torch.zeros(len(x) * 5, len(captions.FIELDS), dtype=torch.long, device=x.device)
    fields[:, SIZE], fields[:, PLACE] = size.repeat_interleave(5), torch.arange(5, device=x.device).repeat(len(x))
    spots = canvases.middles(fields)[:, 0].view(len(x), 5, 2)
    middle = torch.stack([seen["x"], seen["y"]], dim=-1)[:, None]
    place = (spots - middle).square().sum(-1).nan_to_num(0).argmin(1)
    single = layout == 0
    columns = {
        LAYOUT: layout,
        DIGIT: digits(first, judge),
        SECOND: torch.where(single, -1, digits(second, judge)),
        **{field: torch.where(single, value, -1) for field, value in ((THICKNESS, thickness), (SLANT, slant))},
        **{field: torch.where(single, value, -1) for field, value in ((SIZE, size), (PLACE, place))},
    }
    found = torch.stack([columns[field] for field in range(len(captions.FIELDS))], dim=1)
    return torch.where(seen["height"].isnan()[:, None], -1, found)


def obeyed(asked: Tensor, x: Tensor, judge: Classifier | None = None) -> dict[str, Tensor]:
    """Whether pictures (B, 1, 64, 64) show what was asked for, (B, 7): by field (B,) bool, and "all" of its kind.

    A field that was left open, −1, is obeyed whatever the picture shows; those of `SINGLE` count for a single digit,
    those of `PAIR` for a pair, and the others are true.
    """
    found = read(x, judge)
    asked = captions.check_fields("asked", asked, len(x)).to(x.device)
    pair = asked[:, LAYOUT] > 0
    right = (found == asked) | (asked < 0)
    for field in range(len(captions.FIELDS)):
        counts = (pair & (field in PAIR)) | (~pair & (field in SINGLE))
        right[:, field] |= ~counts
    named = {name: right[:, field] for field, name in enumerate(captions.FIELDS)}
    return {**named, "all": right.all(1)}


def obedience(asked: Tensor, x: Tensor, judge: Classifier | None = None) -> Mapping[str, Any]:
    """Shares of obedience by kind of canvas and by field, of pictures (B, 1, 64, 64) asked for by (B, 7).

    Returns:
        `single` and `pair`: the share of each field that counts, `all` for all of them together, and `count`; a kind
        that was not asked for is left out.
    """
    right, pair = obeyed(asked, x, judge), (asked[:, LAYOUT] > 0).to(x.device)
    table: dict[str, Any] = {}
    for kind, fields, rows in (("single", SINGLE, ~pair), ("pair", PAIR, pair)):
        if rows.any():
            names = [captions.FIELDS[field] for field in fields]
            table[kind] = {name: float(right[name][rows].double().mean()) for name in (*names, "all")}
            table[kind]["count"] = int(rows.sum())
    return table
