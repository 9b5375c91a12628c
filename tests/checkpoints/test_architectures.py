"""Architectures: what a card states is what is built, every shipped model can be, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints, recipes
from diffusion_teach.checkpoints.architectures import BEFORE, BUILDERS, build, of_card, shapes
from diffusion_teach.denoisers import Learned


@pytest.mark.parametrize("name", checkpoints.names())
def test_every_shipped_card_states_what_its_recipe_makes(name: str) -> None:
    card = checkpoints.card(name)
    assert card["architecture"] == of_card(card)
    shapes = {key: tuple(value.shape) for key, value in checkpoints.load(name).items()}
    for architecture in (of_card(card), recipes.get(name).architecture()):
        assert architecture is not None
        built = build(json.loads(json.dumps(architecture)))
        assert {key: tuple(value.shape) for key, value in built.state_dict().items()} == shapes
        if isinstance(built, Learned):
            original: Any = checkpoints.model(name)
            t = torch.linspace(0.1, 0.9, 5)
            assert torch.equal(built.schedule.log_snr(t), original.schedule.log_snr(t))
            assert (built.target, built.unit_variance) == (original.target, original.unit_variance)


def test_ten_names_are_frozen_and_still_built_from_a_card_without_a_statement() -> None:
    """Weights outlive their recipe: a file of an old version is built as it was, whatever its recipe has become."""
    assert len(BEFORE) == 10
    for name, architecture in BEFORE.items():
        assert of_card({"recipe": name}) == architecture
        build(json.loads(json.dumps(architecture, default=dict)))


NETWORK = {"kind": "unet", "width": [8, 8], "blocks": 1, "dense": 0, "embedding": 8}


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"kind": "gann"}, "kind must be one of .*Did you mean 'gan'"),
        ({}, "kind must be one of 'autoencoder', .*'latent', 'vae', got None"),
        ({"kind": "os.system"}, "kind must be one of"),
        ({"kind": "gan", "widht": 3}, "'gan' cannot be built from .*widht"),
        ({"kind": "gan", "latent": 0}, "latent must be at least 1"),
        ({"kind": "gan", "latent": 10**12}, "latent of 'gan' must be at most 10000"),
        ({"kind": ["gan"]}, "kind must be one of"),
        (["gan"], r"architecture must be a mapping with 'kind', got \['gan'\] \(list\)"),
        ({"kind": "denoiser", "network": NETWORK, "target": "v"}, "'denoiser' cannot be built .*schedule"),
        ({"kind": "denoiser", "network": "unet", "schedule": {"name": "vp"}, "target": "v"}, "a mapping with 'kind'"),
        ({"kind": "denoiser", "network": NETWORK, "schedule": {"name": "vpp"}, "target": "v"}, "Did you mean 'vp'"),
        ({"kind": "denoiser", "network": NETWORK, "schedule": {"name": "vp"}, "target": "w"}, "target must be one of"),
    ],
)
def test_what_cannot_be_built_is_named(architecture: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(architecture)


def test_what_a_large_model_would_hold_is_told_without_its_memory() -> None:
    found = shapes({"kind": "gan", "dense": 10_000, "latent": 10_000})
    assert found["generator.layers.0.weight"].shape == (10_000, 10_000)
    assert all(value.is_meta for value in found.values())


def test_the_registry_is_closed() -> None:
    with pytest.raises(TypeError):
        BUILDERS["mine"] = torch.nn.Identity  # type: ignore[index]
