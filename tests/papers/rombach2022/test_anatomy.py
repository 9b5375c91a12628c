"""The anatomy of Stable Diffusion, counted by formulas, against the networks themselves on the device "meta"."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

from diffusion_teach.metrics import memory
from diffusion_teach.papers import rombach2022
from diffusion_teach.papers.rombach2022 import Part, autoencoder, text_encoder, total, unet

diffusers: Any = pytest.importorskip(
    "diffusers", reason="diffusers is not installed, so nothing is compared with it: pip install -r requirements.txt"
)
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "v1": {},
    "v2": {"context": 1024},
    "a toy": {"side": 32, "channels": 64, "mult": (1, 2), "blocks": 1, "attended": 1, "heads": 4, "context": 48},
    "attention everywhere": {"channels": 64, "mult": (1, 1, 3), "attended": 3},
    "three channels": {"latent": 3, "channels": 64, "mult": (1, 1, 1, 2), "blocks": 3, "attended": 2},
}
KINDS = {  # where diffusers has what a kind counts
    "residual block": (".resnets.",),
    "self-attention": (".attn1.", ".norm1."),
    "cross-attention": (".attn2.", ".norm2."),
    "feed-forward": (".ff.", ".norm3."),
    "maps in and out": (".proj_in.", ".proj_out."),
    "resampling": ("samplers.",),
    "time": ("time_embedding.",),
}


def built(side: int = 64, latent: int = 4, channels: int = 320, mult: Any = (1, 2, 4, 4), **other: Any) -> nn.Module:
    """The U-Net of `diffusers` with these settings, without memory for its weights."""
    attended, blocks = other.get("attended", 3), other.get("blocks", 2)
    down = tuple("CrossAttnDownBlock2D" if level < attended else "DownBlock2D" for level in range(len(mult)))
    up = tuple(name.replace("Down", "Up") for name in reversed(down))
    with torch.device("meta"):
        network: nn.Module = diffusers.UNet2DConditionModel(
            sample_size=side,
            in_channels=latent,
            out_channels=latent,
            block_out_channels=tuple(channels * m for m in mult),
            layers_per_block=blocks,
            down_block_types=down,
            up_block_types=up,
            cross_attention_dim=other.get("context", 768),
            attention_head_dim=other.get("heads", 8),
        )
    return network


def kind_of(name: str) -> str:
    if ".attentions." in name and name.split(".attentions.")[1].split(".")[1] == "norm":
        return "maps in and out"
    return next((kind for kind, marks in KINDS.items() if any(mark in name for mark in marks)), "convolution")


def test_the_three_networks_of_version_1_have_the_published_sizes() -> None:
    assert total(unet()) == 859_520_964
    assert total(autoencoder()) == 83_653_863
    assert total(text_encoder()) == 123_060_480


@pytest.mark.parametrize("settings", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_u_net_has_the_parts_that_diffusers_builds(settings: dict[str, Any]) -> None:
    counted: Counter[str] = Counter()
    for part in unet(**settings):
        counted[part.kind] += part.parameters
    found: Counter[str] = Counter()
    for name, parameter in built(**settings).named_parameters():
        found[kind_of(name)] += parameter.numel()
    assert counted == found


@pytest.mark.parametrize("settings", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_way_down_the_middle_and_the_way_up(settings: dict[str, Any]) -> None:
    network: Any = built(**settings)
    places = {"down": network.down_blocks, "middle": network.mid_block, "up": network.up_blocks}
    for where, module in places.items():
        parts = [part for part in unet(**settings) if part.where == where]
        assert total(parts) == sum(p.numel() for p in module.parameters()), where


@pytest.mark.parametrize("side", [64, 32])
def test_the_autoencoder_is_the_one_that_diffusers_builds(side: int) -> None:
    with torch.device("meta"):
        network: Any = diffusers.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
        )
    parts = autoencoder(side=8 * side)
    for where, modules in {
        "down": (network.encoder, network.quant_conv),
        "up": (network.post_quant_conv, network.decoder),
    }.items():
        wanted = sum(p.numel() for module in modules for p in module.parameters())
        assert total([part for part in parts if part.where == where]) == wanted
    seen: list[tuple[int, int]] = []
    watch(network.decoder, seen)
    with torch.no_grad():
        network.decode(torch.empty(1, 4, side, side, device="meta"))
    assert max(seen) == max((part.features, part.side) for part in parts if part.where == "up")


def watch(network: nn.Module, seen: list[tuple[int, int]]) -> None:
    """Note the numbers and the side of what each residual block and each resampling answers with."""
    for module in network.modules():
        if type(module).__name__ in ("ResnetBlock2D", "Upsample2D", "Downsample2D"):
            module.register_forward_hook(lambda m, a, y: seen.append((y[0].numel(), y.shape[-1])))


def test_the_sides_and_features_are_those_of_the_network() -> None:
    settings = CONFIGURATIONS["three channels"]
    network, seen = built(**settings), list[tuple[int, int]]()
    watch(network, seen)
    with torch.no_grad():
        call(network, 1, 3)
    parts = [part for part in unet(**settings) if part.kind in ("residual block", "resampling")]
    assert [(part.features, part.side) for part in parts] == seen


def call(network: Any, rows: int, latent: int = 4, context: int = 768, side: int = 64) -> Any:
    x, words = torch.empty(rows, latent, side, side, device="meta"), torch.empty(rows, 77, context, device="meta")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return network(x, torch.tensor(5.0, device="meta"), words).sample


@pytest.mark.parametrize("rows", [1, 6])
def test_twice_the_largest_table_is_most_of_the_memory_of_a_call(rows: int) -> None:
    """Its entries before and after the softmax, where attention is written out as in 2022."""
    network: Any = built()
    network.set_attn_processor(diffusers.models.attention_processor.AttnProcessor())
    with torch.no_grad():
        _, most = memory.peak_bytes(lambda: call(network, rows))
    table = 4 * rows * max(part.table for part in unet())
    assert 2 * table < most < 2.2 * table


def test_the_text_encoder_is_a_transformer_of_twelve_layers() -> None:
    with torch.device("meta"):
        layer = nn.TransformerEncoderLayer(768, 12, 4 * 768)
        others = [nn.Embedding(49408, 768), nn.Embedding(77, 768), nn.LayerNorm(768)]
    own, rest = (sum(p.numel() for module in of for p in module.parameters()) for of in ([layer], others))
    assert total(text_encoder()) == 12 * own + rest
    assert total([part for part in text_encoder() if part.where == "layers"]) == 12 * own + 2 * 768
    assert max(part.table for part in text_encoder()) == 12 * 77 * 77


def test_a_total_is_a_sum() -> None:
    assert total([Part("up", "a", 3), Part("in", "b", 4)]) == 7
    assert rombach2022.total([]) == 0
