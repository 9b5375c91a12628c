r"""ControlNet: a picture tells a trained U-Net what to draw where, and the U-Net is left as it is.

    y(x_t, c) = up(skip + Z₁(skip′), middle + Z₂(middle′)),   skip′, middle′ = down′(x_t, Z₀(hint(c)))

down′ is a copy of the U-Net's way down, which learns. Z₀, Z₁, Z₂ are *zero convolutions*: 1 × 1, with weights and
biases that begin at zero. So at first the answer is the old network's, whatever c says, and no step of training has to
undo what fresh random numbers did to it. They do learn: the gradient of w·h + b at w = 0 is h, which is not zero.

Source: Zhang, Rao and Agrawala (2023), "Adding Conditional Control to Text-to-Image Diffusion Models", ICCV 2023.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks, devices
from diffusion_teach.networks.network import Network
from diffusion_teach.networks.unet import UNet


class ControlNet(nn.Module):
    """A trained U-Net, frozen, with a copy of its way down that looks at a control picture.

    Args:
        base: the trained U-Net; its weights are frozen.
        channels: of the control picture, which is as high and wide as the U-Net's.
        generator: draws the first layer that sees the control picture.
    """

    def __init__(self, base: UNet, *, channels: int = 1, generator: torch.Generator | None = None) -> None:
        super().__init__()
        _checks.instance("base", base, UNet, "a U-Net", "A checkpoint's is checkpoints.model(…).network.")
        self.channels = _checks.integer("channels", channels)
        _checks.generator(generator)
        self.base = base.requires_grad_(False)
        self.copy = copy.deepcopy(base).requires_grad_(True)
        for name in ("up", "join", "decoder", "last_norm", "head", "share"):  # the way up is not copied
            delattr(self.copy, name)
        fine, coarse = self.base.stem.out_channels, self.base.down.out_channels
        self.hint = nn.Conv2d(4 * self.channels, fine, 3, padding=1)
        nn.init.normal_(self.hint.weight, std=self.hint.weight[0].numel() ** -0.5, generator=generator)
        self.entrance, self.to_skip, self.to_middle = (_zero_convolution(c) for c in (fine, fine, coarse))
        self.to(next(base.parameters()))

    def given(self, control: Tensor) -> Network:
        """The U-Net with a control picture bound to it, one for each row: a network as any other.

        Args:
            control: (B, channels, H, W).
        """
        return _Controlled(self, control)

    def answer(
        self,
        x_t: Tensor,
        t: Tensor,
        cond: Tensor | None,
        control: Tensor,
    ) -> Tensor:
        """The U-Net's answer, shaped like x_t; control is (B, channels, H, W)."""
        skip, h, e = way_down(self.base, x_t, t, cond)
        seen = self.entrance(F.silu(self.hint(F.pixel_unshuffle(control, 2))))
        copied, middle, _ = way_down(self.copy, x_t, t, cond, added=seen)
        skip, h = skip + self.to_skip(copied), h + self.to_middle(middle)
        return way_up(self.base, x_t, skip, h, e)


def way_down(
    network: UNet, x_t: Tensor, t: Tensor, cond: Tensor | None, added: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The first half of `UNet.forward`; `added`, shaped like the skip connection, joins what leaves the stem.

    Returns:
        The skip connection (B, width[0], H/2, W/2), the middle's answer (B, width[1], H/4, W/4), and the embedding of
        time and label.
    """
    network._check(x_t, t)
    with devices.autocast(x_t.device, "float32"):
        e = network._embedding(t, cond, x_t)
        folded = F.pixel_unshuffle(network._with_waves(x_t), 2)
        h = network.stem(folded.contiguous(memory_format=torch.channels_last))
    skip = network.encoder(h if added is None else h + added, e)
    h = network.down(skip)
    for block in network.middle:
        h = block(h, e)
    return skip, h, e


def way_up(network: UNet, x_t: Tensor, skip: Tensor, h: Tensor, e: Tensor) -> Tensor:
    """The second half of `UNet.forward`, from what `way_down` returns to the answer, shaped like x_t."""
    h = network.decoder(network.join(torch.cat([skip, network.up(h)], dim=1)), e)
    with devices.autocast(x_t.device, "float32"):
        y = F.pixel_shuffle(network.head(F.silu(network.last_norm(h.to(x_t.dtype)))), 2)
        return y + network.share(e)[:, :, None, None] * x_t


class _Controlled(Network):
    def __init__(self, source: ControlNet, control: Tensor) -> None:
        super().__init__()
        self.source = source
        self.shape, self.classes = source.base.shape, source.base.classes
        self.control = _checks.input_of(source, "control", control, ("B", source.channels, *self.shape[1:]))

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        if len(x_t) != len(self.control):
            raise ValueError(
                f"a control is bound for {len(self.control)} rows, and x_t has {len(x_t)}. Bind one for each row."
            )
        return self.source.answer(x_t, t, cond, self.control)


def _zero_convolution(channels: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels, channels, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
