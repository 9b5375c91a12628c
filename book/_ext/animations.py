"""Animations on the site: an animated PNG that can be paused, wound and played again, and keeps still when asked to.

The picture plays by itself, without a script. Its frames lie beside it and are loaded when a reader pauses or winds;
who has asked for less motion sees one of them.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Frames(NamedTuple):
    """The frames of an animation: the first and the last that move, the one that stands still, and the pace."""

    first: int
    last: int
    still: int
    milliseconds: int


def size(file: Path) -> tuple[int, int] | None:
    """The width and height of a PNG picture in pixels; None for anything else."""
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        head = stream.read(24)
    return struct.unpack(">II", head[16:24]) if head.startswith(SIGNATURE) else None


def is_animated(file: Path) -> bool:
    """Whether a picture is an animated PNG: its chunk of animation stands before the data."""
    with file.open("rb") as stream:
        return b"acTL" in stream.read(4096).split(b"IDAT")[0]


def place(source: str) -> str:
    """The folder of an animation's frames."""
    return source.removesuffix(".png") + "_frames"


def frames(file: Path) -> Frames:
    """Write the frames of an animation beside it, as 000.webp, 001.webp, …, where they are not yet there."""
    folder = Path(place(str(file)))
    with Image.open(file) as picture:
        last = int(getattr(picture, "n_frames", 1)) - 1
        first = int(bool(picture.info.get("default_image")))  # shown where nothing moves, and no part of what moves
        folder.mkdir(exist_ok=True)
        milliseconds = 100
        for i in range(last + 1):  # in order: after a step back Pillow may lose a frame's palette
            picture.seek(i)
            if i == first:
                milliseconds = round(picture.info.get("duration", milliseconds))
            target = folder / f"{i:03d}.webp"
            if not target.exists():
                picture.convert("RGBA").save(target, lossless=True, quality=60, method=3)
    return Frames(first, last, 0 if first else last, max(milliseconds, 20))


def player(image: str, source: str, frames: Frames) -> str:
    """The animation with what `book.js` needs to add a button and a slider; without the script it just plays."""
    folder = place(source)
    return (
        f'<span class="animation" data-first="{frames.first}" data-last="{frames.last}" '
        f'data-milliseconds="{frames.milliseconds}" data-folder="{folder}">'
        f'<a class="full-size" href="{source}"><picture>'
        f'<source media="(prefers-reduced-motion: reduce)" srcset="{folder}/{frames.still:03d}.webp" />'
        f"{image}</picture></a></span>"
    )
