r"""Attention, and an encoder of captions made of it.

    softmax(Q·Kᵀ/√d)·V,   Q from the places of a picture, K and V from the same places, or from the words of a caption

The first is self-attention, the second cross-attention. Products and softmax are written out: the fused kernel of torch
takes more than half of a training step in bfloat16 on a CPU.

Source: Vaswani et al. (2017), eq. 1; cross-attention to a caption in a U-Net: Rombach et al. (2022), section 3.3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.unet import zeroed


class Attention(nn.Module):
    """Attention of places (B, N, C) to a context (B or 1, L, D), in several heads; the answer (B, N, C) starts at 0.

    Args:
        width: C, a multiple of `heads`.
        context: D; the places themselves where None.
        heads: into which the channels are divided.
    """

    def __init__(self, width: int, context: int | None = None, heads: int = 4) -> None:
        super().__init__()
        self.heads = _checks.integer("heads", heads)
        if _checks.integer("width", width) % heads:
            raise ValueError(f"width must be a multiple of the {heads} heads, got {width}.")
        source = width if context is None else _checks.integer("context", context)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(source, width, bias=False)
        self.value = nn.Linear(source, width, bias=False)
        self.out = zeroed(nn.Linear(width, width))

    def forward(self, h: Tensor, context: Tensor | None = None) -> Tensor:
        """h (B, N, C) and context (B or 1, L, D), h itself where None, to (B, N, C)."""
        source = h if context is None else context
        q, k, v = (self._divided(x) for x in (self.query(h), self.key(source), self.value(source)))
        weights = (q * q.shape[-1] ** -0.5 @ k.mT).softmax(-1).to(v.dtype)
        answer: Tensor = self.out((weights @ v).transpose(1, 2).flatten(2))
        return answer

    def weights(self, h: Tensor, context: Tensor | None = None) -> Tensor:
        """How much each place (B, N, C) attends to each of the context (B or 1, L, D), (B, heads, N, L)."""
        source = h if context is None else context
        q, k = self._divided(self.query(h)), self._divided(self.key(source))
        return (q * q.shape[-1] ** -0.5 @ k.mT).softmax(-1)

    def _divided(self, x: Tensor) -> Tensor:
        """(B, N, C) as (B, heads, N, C/heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TextEncoder(nn.Module):
    """Captions as word numbers (B, L) to features of their words (B, L, width): a small transformer.

    Args:
        words: of the vocabulary; the number `words` is one more, which fills captions up.
        length: L.
        width: of a word.
        layers: of self-attention and a perceptron each.
    """

    def __init__(self, words: int, length: int, width: int = 64, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.words, self.length = _checks.integer("words", words), _checks.integer("length", length)
        self.embedding = nn.Embedding(self.words + 1, _checks.integer("width", width))
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.attentions = nn.ModuleList(Attention(width, heads=heads) for _ in range(_checks.integer("layers", layers)))
        self.perceptrons = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.last = nn.LayerNorm(width)

    def forward(self, words: Tensor) -> Tensor:
        """Word numbers (B, L) int64 in 0 … words to (B, L, width)."""
        words = _checks.indices("words", words, self.words + 1, ("B", self.length))
        h = self.embedding(words) + self.position
        for norm, attention, perceptron in zip(self.norms, self.attentions, self.perceptrons, strict=True):
            h = h + attention(norm(h))
            h = h + perceptron(h)
        features: Tensor = self.last(h)
        return features
