r"""A U-Net that reads captions: Stable Diffusion's kind of network, small.

    16×16 ─ residual, cross ─┬─ 8×8 ─ residual, self, cross ─ … ─ 16×16 ─┬─ residual, cross ─ 16×16
                             └────────────────── skip ───────────────────┘

At both resolutions the places of the picture attend to the words of the caption; at 8×8 also to one another. The noise
level enters every residual block. There is no other way from the caption into the picture, as in Stable Diffusion v1.

With `patch` > 1 each patch × patch block of pixels is folded into channels first, "space to depth": so the same network
takes pixels instead of latents, at the same cost.

Source: Rombach et al. (2022), section 3.3 and appendix E.2.1, with the blocks of `networks.unet`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks, devices
from diffusion_teach.networks.attention import Attention, TextEncoder
from diffusion_teach.networks.unet import ChannelNorm, ResidualBlock, TimedNetwork, zeroed


class TextUNet(TimedNetwork):
    """A U-Net of two resolutions with attention to a caption, called as network(x_t, t, cond).

    Args:
        classes: words of the vocabulary; the number `classes` fills captions up, and a caption of nothing else is none.
        length: L, words of a caption.
        width: channels at the full and at half resolution, multiples of 8.
        blocks: at half resolution, each a residual block with attention.
        image_channels, image_size: of x, 4 and 16 for the latents of the book's canvases.
        patch: side of the blocks of pixels that are folded into channels first.
        embedding: size of the time embedding, even.
        text: features of a word.
    """

    def __init__(
        self,
        classes: int,
        length: int,
        width: tuple[int, int] = (64, 128),
        *,
        blocks: int = 2,
        image_channels: int = 4,
        image_size: int = 16,
        patch: int = 1,
        embedding: int = 128,
        text: int = 64,
    ) -> None:
        super().__init__()
        self.patch = _checks.integer("patch", patch)
        size, channels = _checks.integer("image_size", image_size), _checks.integer("image_channels", image_channels)
        if size % (2 * patch):
            raise ValueError(f"image_size must be a multiple of twice the patch of {patch}, got {size}.")
        self.shape = (channels, size, size)
        self.classes, self.condition = _checks.integer("classes", classes), (_checks.integer("length", length),)
        fine, coarse = _checks.sizes("width", width, 2)
        folded = patch**2 * channels

        self._hear_time(embedding)
        self.text = TextEncoder(classes, length, _checks.integer("text", text))
        self.stem = nn.Conv2d(folded, fine, 3, padding=1)
        self.encoder = ResidualBlock(fine, embedding, convolutions=2)
        self.encoder_attention = PlacesAttention(fine, text, to_places=False)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        blocks = _checks.integer("blocks", blocks)
        self.middle = nn.ModuleList(ResidualBlock(coarse, embedding, convolutions=2) for _ in range(blocks))
        self.attentions = nn.ModuleList(PlacesAttention(coarse, text, to_places=True) for _ in range(blocks))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.join = nn.Conv2d(2 * fine, fine, 1)
        self.decoder = ResidualBlock(fine, embedding, convolutions=2)
        self.decoder_attention = PlacesAttention(fine, text, to_places=False)
        self.last_norm = ChannelNorm(fine)
        self.head = zeroed(nn.Conv2d(fine, folded, 3, padding=1))
        self.share = nn.Linear(embedding, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """The network's answer, shaped like x_t.

        Args:
            x_t: (B, C, H, W) of the network's size.
            t: in [0, 1], 0-dimensional or (B,).
            cond: captions as word numbers (B, L), or None.

        Raises:
            TypeError, ValueError: for shapes or dtypes that do not fit, and words that the network does not know.
        """
        self._check(x_t, t)
        if cond is not None:
            cond = _checks.indices("cond", cond, self.classes + 1, (len(x_t), *self.condition)).to(x_t.device)
        in_full = devices.autocast(x_t.device, "float32")
        with in_full:
            e = F.silu(self.embed(self._time_waves(t, x_t)))
            folded = F.pixel_unshuffle(x_t, self.patch)
            h = self.stem(folded.contiguous(memory_format=torch.channels_last))
        words = self.words(cond)
        skip = self.encoder_attention(self.encoder(h, e), words)
        h = self.down(skip)
        for block, attention in zip(self.middle, self.attentions, strict=True):
            h = attention(block(h, e), words)
        h = self.join(torch.cat([skip, self.up(h)], dim=1))
        h = self.decoder_attention(self.decoder(h, e), words)
        with in_full:
            y = F.pixel_shuffle(self.head(F.silu(self.last_norm(h.to(x_t.dtype)))), self.patch)
            return y + self.share(e)[:, :, None, None] * x_t

    def words(self, cond: Tensor | None = None) -> Tensor:
        """Features of the words of captions (B, L), (B, L, text); of no caption, (1, L, text)."""
        if cond is None:
            cond = torch.full((1, *self.condition), self.classes, device=self.frequencies.device)
        features: Tensor = self.text(_checks.indices("cond", cond, self.classes + 1, ("B", *self.condition)))
        return features

    def inside(self) -> list[nn.Parameter]:
        """The matrices and kernels between the first and the last layer: the weights that `optimizers.Muon` is for."""
        parts = (self.text.attentions, self.text.perceptrons, self.encoder, self.encoder_attention, self.down)
        rest = (self.middle, self.attentions, self.up, self.join, self.decoder, self.decoder_attention)
        named = [pair for part in (*parts, *rest) for pair in part.named_parameters()]
        return [weight for name, weight in named if weight.ndim > 1 and "modulation" not in name]


class PlacesAttention(nn.Module):
    """h + attention of the places of h (B, C, H, W) to the words, and before it to one another where `to_places`."""

    def __init__(self, channels: int, text: int, *, to_places: bool) -> None:
        super().__init__()
        self.own = Attention(channels) if _checks.flag("to_places", to_places) else None
        self.own_norm = nn.LayerNorm(channels) if to_places else None
        self.norm = nn.LayerNorm(channels)
        self.cross = Attention(channels, text)

    def forward(self, h: Tensor, words: Tensor) -> Tensor:
        size = h.shape[2:]
        places = h.flatten(2).mT
        if self.own is not None and self.own_norm is not None:
            places = places + self.own(self.own_norm(places))
        places = places + self.cross(self.norm(places), words)
        return places.mT.unflatten(2, size)
