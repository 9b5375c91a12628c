"""Attention equals torch's own, and a caption's words reach what they should."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diffusion_teach.networks.attention import Attention, TextEncoder


@pytest.mark.parametrize("context", [None, 6])
def test_it_is_the_attention_of_torch(context: int | None) -> None:
    torch.manual_seed(0)
    layer = Attention(8, context, heads=2).double()
    nn.init.normal_(layer.out.weight)
    h = torch.randn(3, 5, 8, dtype=torch.float64)
    words = h if context is None else torch.randn(3, 4, context, dtype=torch.float64)

    def heads(x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], 2, 4).transpose(1, 2)

    q, k, v = heads(layer.query(h)), heads(layer.key(words)), heads(layer.value(words))
    expected = layer.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(3, 5, 8))
    torch.testing.assert_close(layer(h, None if context is None else words), expected)
    assert layer.weights(h, None if context is None else words).sum(-1).allclose(torch.ones(1, dtype=torch.float64))


def test_a_fresh_layer_says_nothing() -> None:
    assert (Attention(8)(torch.randn(2, 3, 8)) == 0).all()


def test_the_order_of_words_matters() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(5, 4, 8, 1, heads=2)
    nn.init.normal_(encoder.attentions[0].out.weight)  # type: ignore[arg-type, union-attr]
    a, b = encoder(torch.tensor([[0, 1, 5, 5], [1, 0, 5, 5]]))
    assert not torch.allclose(a[0], b[1], atol=1e-3)


def test_words_beyond_the_vocabulary_are_refused() -> None:
    with pytest.raises(ValueError, match="0 … 5"):
        TextEncoder(5, 4, 8)(torch.tensor([[0, 1, 6, 5]]))
