"""Latent diffusion in the paper's letters is what the core computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach import denoisers, schedules
from diffusion_teach.networks.attention import Attention
from diffusion_teach.networks.autoencoder import Autoencoder
from diffusion_teach.networks.text_unet import TextUNet
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.papers import ho2020, rombach2022
from diffusion_teach.recipes.autoencoder import CANVAS_AUTOENCODER


def test_the_loss_is_ddpm_s_of_latents() -> None:
    torch.manual_seed(0)
    betas = schedules.linear_betas(100)
    net = TextUNet(5, 3, (8, 8), blocks=1, image_size=4, embedding=8, text=8)
    torch.nn.init.normal_(net.head.weight, std=0.1)
    torch.nn.init.normal_(net.decoder_attention.cross.out.weight)
    model = denoisers.Latent(Autoencoder((8, 8), image_size=16), net, schedules.Discrete(betas), "eps")
    x, y = torch.rand(6, 1, 16, 16), torch.randint(0, 5, (6, 3))
    model.set_scale(x)
    t, eps = torch.randint(1, 101, (6,)), torch.randn(6, 4, 4, 4)

    def ε_θ(z_t: torch.Tensor, t: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return net(z_t, t / 100, words)

    printed = rombach2022.L_LDM(x, y, model.encode, lambda y: y, ε_θ, t, eps, ho2020.tables(betas).ᾱ)
    core = diffusion_loss(model, model.encode(x), t=t / 100, eps=eps, cond=y)
    torch.testing.assert_close(printed, core)


def test_attention_is_the_layer_s_with_one_head() -> None:
    torch.manual_seed(0)
    layer = Attention(8, 6, heads=1)
    layer.out = torch.nn.Identity()  # type: ignore[assignment]
    φ, τ = torch.randn(2, 5, 8), torch.randn(2, 3, 6)
    printed = rombach2022.attention(φ, τ, layer.query.weight, layer.key.weight, layer.value.weight)
    torch.testing.assert_close(printed, layer(φ, τ))


def test_the_autoencoder_s_loss_is_the_recipe_s() -> None:
    torch.manual_seed(0)
    model: Any = CANVAS_AUTOENCODER.model()
    x, eps = torch.rand(3, 1, 64, 64) * 2 - 1, torch.randn(3, 4, 16, 16)
    printed = rombach2022.L_rec(x, model.encode, model.decode, eps, CANVAS_AUTOENCODER.kl)
    assert float(printed.detach()) == pytest.approx(float(CANVAS_AUTOENCODER.loss(model, x, eps).detach()), rel=1e-5)
