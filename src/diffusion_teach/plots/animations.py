"""Short animations as APNG: they need no script, play in every browser and notebook, and end after a few loops.

The file's default picture, which a reader sees where animations do not play, is a still that tells the story: the last
frame, unless another is given.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.plots import output
from diffusion_teach.plots.grids import mosaic

MOST_BYTES = 300_000
GREYS = 8
LOOPS = 3

Frame = Tensor | Figure


def image_frames(trajectory: Sequence[Tensor], *, columns: int = 8, scale: int = 2) -> list[Tensor]:
    """Frames of digits in a grid, ink on paper, from the images that a sampler yields.

    Args:
        trajectory: tensors (N, 1, H, W) in [−1, 1] or bytes (N, H, W).
        columns: images in a row.
        scale: screen pixels a pixel.

    Returns:
        One (height, width) uint8 tensor for each, of 8 greys: about 250 KB for 21 frames of 24 noisy digits.
    """
    _checks.integer("scale", scale)
    frames = []
    for images in trajectory:
        sheet = 255 - mosaic(images, columns)
        steps = sheet.float().mul((GREYS - 1) / 255).round().mul(255 / (GREYS - 1)).round().to(torch.uint8)
        frames.append(steps.repeat_interleave(scale, 0).repeat_interleave(scale, 1))
    return frames


def _film(frames: Sequence[Frame], still: Frame | None = None) -> tuple[Image.Image, list[Image.Image]]:
    """The still, by default the last frame, and the frames, as pictures of one size."""
    pictures = [_picture(f"frames[{index}]", frame) for index, frame in enumerate(frames)]
    if len(pictures) < 2:
        raise ValueError(f"frames must hold at least 2 frames, got {len(pictures)}.")
    front = pictures[-1] if still is None else _picture("still", still)
    if len(sizes := {picture.size for picture in (front, *pictures)}) > 1:
        raise ValueError(f"all frames and the still must be of one size, got {', '.join(map(str, sorted(sizes)))}.")
    return front, pictures


def apng(frames: Sequence[Frame], *, fps: float = 10.0, hold: float = 1.5, still: Frame | None = None) -> bytes:
    """An animated PNG, which plays three times.

    Args:
        frames: at least 2, of one size: (H, W) uint8 greys, (H, W, 3) uint8 colours, or figures of matplotlib.
        fps: frames a second.
        hold: seconds for which the last frame stays.
        still: the picture where animations do not play; by default the last frame.
    """
    _checks.number("fps", fps, above=0, most=60)
    _checks.number("hold", hold, above=0, most=60)
    front, pictures = _film(frames, still)
    if any(picture.mode == "RGB" for picture in (front, *pictures)):
        # One palette for all: an APNG has only one.
        base = front.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT)
        front, *pictures = (
            picture.convert("RGB").quantize(palette=base, dither=Image.Dither.NONE) for picture in (front, *pictures)
        )
    file = io.BytesIO()
    front.save(
        file,
        format="PNG",
        save_all=True,
        default_image=True,
        append_images=pictures,
        duration=[round(1000 / fps)] * (len(pictures) - 1) + [round(1000 * hold)],
        loop=LOOPS,
        optimize=True,
    )
    return file.getvalue()


def gif(frames: Sequence[Tensor]) -> bytes:
    """An animated GIF for where an APNG cannot go, ten frames a second; it plays three times and ends on the last one.

    Args:
        frames: at least 2, of one size, (H, W) uint8 greys.
    """
    _, pictures = _film(frames)
    file = io.BytesIO()
    pictures[0].save(
        file,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[100] * (len(pictures) - 1) + [3000],  # milliseconds
        loop=LOOPS - 1,  # what is stored is how often it plays again
        optimize=True,
    )
    return file.getvalue()


def show_animation(
    frames: Sequence[Frame],
    *,
    alt: str,
    fps: float = 10.0,
    hold: float = 1.5,
    still: Frame | None = None,
) -> None:
    """Show an animation (see `apng`) with its alternative text.

    Raises:
        ValueError: where the file would exceed 300 KB, which is too much for a notebook.
    """
    output.check_alt(alt)
    data = apng(frames, fps=fps, hold=hold, still=still)
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"the animation has {len(data):,} bytes, at most {MOST_BYTES:,} are shown. Take fewer than {len(frames)} "
            "frames, fewer images in a frame, or a smaller scale."
        )
    output.publish(data, alt)


def _picture(name: str, frame: Frame) -> Image.Image:
    if isinstance(frame, Figure):
        return Image.open(io.BytesIO(output.png(frame))).convert("RGB")
    _checks.tensor(name, frame, floating=False)
    grey = frame.ndim == 2
    if frame.dtype != torch.uint8 or not (grey or (frame.ndim == 3 and frame.shape[2] == 3)):
        raise ValueError(
            f"{name} must be (H, W) or (H, W, 3) bytes (uint8) or a figure, got {_checks.describe(frame)}."
        )
    return Image.fromarray(frame.cpu().contiguous().numpy())
