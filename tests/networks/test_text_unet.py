"""The U-Net of captions: shapes, what reaches what, equal cost of latents and folded pixels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from diffusion_teach.metrics import cost
from diffusion_teach.networks.text_unet import TextUNet


def network(**settings: object) -> TextUNet:
    torch.manual_seed(0)
    made = TextUNet(5, 3, (8, 16), blocks=1, image_size=8, embedding=16, text=8, **settings)  # type: ignore[arg-type]
    for weight in made.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.2)
    return made


def test_each_picture_hears_its_own_caption_only() -> None:
    net, x, t = network(), torch.randn(2, 4, 8, 8), torch.tensor([0.3, 0.7])
    a = net(x, t, torch.tensor([[0, 1, 5], [2, 5, 5]]))
    b = net(x, t, torch.tensor([[0, 1, 5], [3, 5, 5]]))
    torch.testing.assert_close(a[0], b[0])
    assert not torch.allclose(a[1], b[1], atol=1e-3)


def test_no_caption_is_the_caption_of_padding() -> None:
    net, x, t = network(), torch.randn(2, 4, 8, 8), torch.tensor(0.5)
    torch.testing.assert_close(net(x, t), net(x, t, torch.full((2, 3), 5)))


def test_a_fresh_network_answers_with_a_share_of_its_input() -> None:
    net = TextUNet(5, 3, (8, 16), blocks=1, image_size=8, embedding=16, text=8)
    x = torch.randn(2, 4, 8, 8)
    share = net(x, torch.tensor(0.5)) / x
    torch.testing.assert_close(share, share[:1, :1, :1, :1].expand_as(share), atol=1e-4, rtol=1e-4)


def test_every_weight_learns() -> None:
    net = network()
    words = torch.tensor([[0, 1, 5], [2, 5, 4]])
    net(torch.randn(2, 4, 8, 8), torch.tensor([0.3, 0.7]), words).square().mean().backward()
    still = [name for name, w in net.named_parameters() if w.grad is None or not w.grad.any()]
    assert still == []


def test_folded_pixels_cost_what_latents_cost() -> None:
    def spent(channels: int, size: int, patch: int) -> int:
        net = TextUNet(5, 3, (32, 64), image_channels=channels, image_size=size, patch=patch, text=16)
        x = torch.randn(1, channels, size, size)
        return cost.counted(net, x, torch.tensor(0.5))[1].multiplications

    latent, folded, whole = spent(4, 16, 1), spent(1, 64, 4), spent(1, 64, 1)
    assert folded / latent == pytest.approx(1, abs=0.15)
    assert whole / latent > 12


def test_settings_that_do_not_fit_are_told() -> None:
    with pytest.raises(ValueError, match="twice the patch of 4"):
        TextUNet(5, 3, image_size=20, patch=4)
    with pytest.raises(ValueError, match="embedding must be a multiple of 2"):
        TextUNet(5, 3, embedding=7)
    with pytest.raises(ValueError, match="one for each image"):
        network()(torch.randn(2, 4, 8, 8), torch.tensor([0.5]))
