"""Show a figure so that the notebook's stored output is the same on every machine.

What a notebook's test compares is the text; so the text is the alternative text, which holds no measured value, and
the picture may differ by a pixel. The alternative text travels in the metadata too, where the site finds it.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import matplotlib.figure
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from PIL import Image

from diffusion_teach import _checks, _console
from diffusion_teach.plots import style


def show(fig: matplotlib.figure.Figure, *, alt: str, dpi: float = style.DPI) -> None:
    """Show a figure as PNG, with its alternative text, and close it.

    Args:
        fig: any matplotlib figure.
        alt: what the figure shows, for those who do not see it: one or two sentences without a measured value.
        dpi: pixels an inch.
    """
    publish(png(fig, dpi=dpi), alt)
    close(fig)


def png(fig: matplotlib.figure.Figure, *, dpi: float = style.DPI) -> bytes:
    """The figure as a PNG with a palette of at most 64 colours: a quarter of the size, and it looks the same."""
    if not isinstance(fig, matplotlib.figure.Figure):
        raise TypeError(f"fig must be a matplotlib Figure, got {_checks.describe(fig)}.")
    _checks.number("dpi", dpi, above=0, most=600)
    raw = io.BytesIO()
    fig.savefig(raw, format="png", dpi=dpi, facecolor=fig.get_facecolor())
    image = (
        Image.open(raw).convert("RGB").quantize(64, method=Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    )
    small = io.BytesIO()
    image.save(small, format="PNG", optimize=True)
    return small.getvalue()


def close(fig: matplotlib.figure.Figure) -> None:
    """Forget the figure, so that a notebook does not show it a second time; pyplot is not imported for this."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    fig.clear()


def check_alt(alt: str) -> str:
    """An alternative text is a sentence: not empty, on one line."""
    if not isinstance(alt, str) or not alt.strip() or "\n" in alt:
        raise ValueError(f"alt must say in one line what the figure shows, got {_checks.describe(alt)}.")
    return alt.strip()


def publish(picture: bytes, alt: str, handle: Any = None, *, updatable: bool = False) -> Any:
    """Display a PNG with its constant text, or replace what `handle` displays.

    Args:
        picture: the bytes of a PNG or APNG.
        alt: the alternative text; the text shown is "Figure: " and this.
        handle: what an earlier call returned, to replace that picture in place.
        updatable: whether a handle is wanted.

    Returns:
        The handle where `updatable`, else None. Outside IPython only the text is printed, once.
    """
    text = f"Figure: {check_alt(alt)}"
    if not InteractiveShell.initialized():
        if handle is None:
            _console.say(text)
        return text if updatable else None
    data = {"image/png": picture, "text/plain": text}
    # Under the picture's own type it is where nbconvert, and so an exported page, looks for it.
    metadata = {"diffusion_teach": {"alt": alt.strip()}, "image/png": {"alt": alt.strip()}}
    if handle is not None:
        handle.update(data, raw=True, metadata=metadata)
        return handle
    return display(data, raw=True, metadata=metadata, display_id=True if updatable else None)
