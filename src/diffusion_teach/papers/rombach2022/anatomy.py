r"""The anatomy of Stable Diffusion v1, the latent diffusion model of Rombach et al. (2022) whose weights went out.

Three networks make a picture of 512 × 512 pixels:

    text τ ─ text encoder ─ 77 × 768 ─┐
    noise, 64 × 64 × 4 ─ U-Net, asked once or twice a step, sees the text by cross-attention ─ z
    z ─ decoder of the autoencoder ─ 512 × 512 × 3

Each is told here as a list of its parts, with the numbers that are learned in each, by formulas from the configuration
that its authors published: a convolution of k × k from a to b channels has a·b·k² + b, a linear map a·b + b, a norm of
c channels 2·c. Nothing is built, and nothing is downloaded.

Source: Rombach et al. (2022), section 3; the settings are those that CompVis published with version 1, see
`compvis2022stable` in the bibliography. The text encoder is CLIP's ViT-L/14 (Radford et al. 2021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TIME = 4
"""The U-Net's embedding of the time has four times as many numbers as its first level has channels."""


@dataclass(frozen=True)
class Part:
    """One part of a network.

    Attributes:
        where: "in", "down", "middle", "up" or "out" of a U; "embedding" or "layers" of the text encoder.
        kind: what it is, such as "residual block" or "cross-attention".
        parameters: how many numbers are learned in it.
        side: the height and width of what it works on, in places; 0 where that is no picture.
        features: how many numbers it answers with, for one picture or text.
        table: how many numbers its attention compares places by, for one picture: heads × places × places that are
            looked at; 0 without attention.
    """

    where: str
    kind: str
    parameters: int
    side: int = 0
    features: int = 0
    table: int = 0


def total(parts: Sequence[Part]) -> int:
    """How many numbers are learned in all parts together."""
    return sum(part.parameters for part in parts)


def unet(
    *,
    side: int = 64,
    latent: int = 4,
    channels: int = 320,
    mult: Sequence[int] = (1, 2, 4, 4),
    blocks: int = 2,
    attended: int = 3,
    heads: int = 8,
    context: int = 768,
    words: int = 77,
) -> list[Part]:
    """The U-Net ε_θ(z_t, t, τ), section 3.3; by default that of Stable Diffusion v1, 859,520,964 parameters.

    Args:
        side: height and width of the latent z, a multiple of 2^(levels − 1).
        latent: its channels.
        channels: those of the first level; level l has mult[l] times as many.
        blocks: residual blocks a level on the way down; on the way up one more.
        attended: so many levels, from the first on, have attention after each residual block.
        heads: of the attention.
        context: numbers a word is told by.
        words: of a text.
    """
    sides, widths = _levels(side, channels, mult)
    time = TIME * channels
    parts = [
        Part("in", "time", _linear(channels, time) + _linear(time, time), features=time),
        Part("in", "convolution", _conv(latent, channels, 3), sides[0], channels * sides[0] ** 2),
    ]

    def block(where: str, level: int, entering: int, attention: bool) -> Iterator[Part]:
        s, c = sides[level], widths[level]
        yield Part(where, "residual block", _residual(entering, c, time), s, c * s**2)
        if attention:
            yield from _transformer(where, s, c, heads, context, words)

    skips, entering = [channels], channels
    for level, c in enumerate(widths):
        for _ in range(blocks):
            parts += block("down", level, entering, level < attended)
            entering = c
            skips.append(c)
        if level < len(widths) - 1:
            parts.append(Part("down", "resampling", _conv(c, c, 3), sides[level + 1], c * sides[level + 1] ** 2))
            skips.append(c)
    last = len(widths) - 1
    parts += [*block("middle", last, entering, True), *block("middle", last, entering, False)]
    for level, c in reversed(list(enumerate(widths))):
        for _ in range(blocks + 1):
            parts += block("up", level, entering + skips.pop(), level < attended)
            entering = c
        if level:
            parts.append(Part("up", "resampling", _conv(c, c, 3), sides[level - 1], c * sides[level - 1] ** 2))
    return [*parts, Part("out", "convolution", _norm(channels) + _conv(channels, latent, 3), side, latent * side**2)]


def autoencoder(
    *, side: int = 512, latent: int = 4, channels: int = 128, mult: Sequence[int] = (1, 2, 4, 4), blocks: int = 2
) -> list[Part]:
    """Encoder ℰ ("down") and decoder 𝒟 ("up") of pictures of three colours, section 3.1; 83,653,863 parameters.

    Args:
        side: height and width of the picture, a multiple of f = 2^(levels − 1), by which the latent is smaller.
        latent: channels of the latent; the encoder answers with a mean and a log variance for each.
        channels, mult, blocks: as for `unet`; attention, of one head, stands in the middle alone.
    """
    sides, widths = _levels(side, channels, mult)
    s, c = sides[-1], widths[-1]

    def middle(where: str) -> list[Part]:
        residual = Part(where, "residual block", _residual(c, c), s, c * s**2)
        attention = Part(where, "self-attention", _norm(c) + 4 * _linear(c, c), s, c * s**2, s**4)
        return [residual, attention, residual]

    parts = [Part("down", "convolution", _conv(3, channels, 3), side, channels * side**2)]
    entering = channels
    for level, (wide, here) in enumerate(zip(widths, sides, strict=True)):
        for _ in range(blocks):
            parts.append(Part("down", "residual block", _residual(entering, wide), here, wide * here**2))
            entering = wide
        if level < len(widths) - 1:
            parts.append(Part("down", "resampling", _conv(wide, wide, 3), here // 2, wide * (here // 2) ** 2))
    answer = _norm(c) + _conv(c, 2 * latent, 3) + _conv(2 * latent, 2 * latent, 1)
    parts += [*middle("down"), Part("down", "convolution", answer, s, 2 * latent * s**2)]
    parts.append(Part("up", "convolution", _conv(latent, latent, 1) + _conv(latent, c, 3), s, c * s**2))
    parts += middle("up")
    for level, (wide, here) in reversed(list(enumerate(zip(widths, sides, strict=True)))):
        for _ in range(blocks + 1):
            parts.append(Part("up", "residual block", _residual(entering, wide), here, wide * here**2))
            entering = wide
        if level:
            parts.append(Part("up", "resampling", _conv(wide, wide, 3), 2 * here, wide * (2 * here) ** 2))
    return [*parts, Part("up", "convolution", _norm(channels) + _conv(channels, 3, 3), side, 3 * side**2)]


def text_encoder(
    *, vocabulary: int = 49408, words: int = 77, width: int = 768, layers: int = 12, heads: int = 12
) -> list[Part]:
    """The text encoder τ_θ, a transformer; by default CLIP's of ViT-L/14, with 123,060,480 parameters, not trained on.

    Args:
        vocabulary: pieces of words that it knows.
        words: that a text is cut to or filled up to.
        width: numbers a word is told by.
        layers: each of self-attention and two linear maps, four times as wide in between.
        heads: of the attention.
    """
    attention = Part(
        "layers", "self-attention", _norm(width) + 4 * _linear(width, width), 0, words * width, heads * words**2
    )
    forward = _norm(width) + _linear(width, 4 * width) + _linear(4 * width, width)
    layer = [attention, Part("layers", "feed-forward", forward, 0, words * width)]
    return [
        Part("embedding", "words and places", (vocabulary + words) * width, 0, words * width),
        *layer * layers,
        Part("layers", "norm", _norm(width), 0, words * width),
    ]


def _transformer(
    where: str,
    side: int,
    c: int,
    heads: int,
    context: int,
    words: int,
) -> Iterator[Part]:
    """Places look at places, then at words; between a map in and a map out."""
    places, features = side**2, c * side**2
    at = (side, features)
    out = _linear(c, c) + _norm(c)  # of what was gathered; and the norm before it
    to_places, to_words = 3 * c * c + out, c * c + 2 * context * c + out
    forward = _norm(c) + _linear(c, 8 * c) + _linear(4 * c, c)  # half is a gate
    yield Part(where, "maps in and out", _norm(c) + 2 * _conv(c, c, 1), *at)
    yield Part(where, "self-attention", to_places, *at, heads * places * places)
    yield Part(where, "cross-attention", to_words, *at, heads * places * words)
    yield Part(where, "feed-forward", forward, side, 8 * features)


def _residual(a: int, b: int, time: int = 0) -> int:
    """Norm and convolution, twice, from a to b channels; a map of the time, and of the input where its size changes."""
    shortcut = _conv(a, b, 1) if a != b else 0
    return _norm(a) + _conv(a, b, 3) + (_linear(time, b) if time else 0) + _norm(b) + _conv(b, b, 3) + shortcut


def _conv(a: int, b: int, k: int) -> int:
    return a * b * k * k + b


def _linear(a: int, b: int) -> int:
    return a * b + b


def _norm(c: int) -> int:
    return 2 * c


def _levels(side: int, channels: int, mult: Sequence[int]) -> tuple[list[int], list[int]]:
    """The side and the channels of each level."""
    return [side // 2**level for level in range(len(mult))], [channels * m for m in mult]
