"""What a card says of its model's architecture, and how a model with fresh weights is built from it.

An architecture is what JSON holds: the `kind` of a model and the settings of its builder. The kinds are a closed
registry: a card can name one of them and nothing else, so that no card can run code. As the card carries the
architecture, a recipe may change or vanish, and the weights that it made are still built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.denoisers import DenoisingGAN, Distilled, Latent, Learned
from diffusion_teach.networks.autoencoder import Autoencoder, Eye
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.denoising_gan import LatentUNet
from diffusion_teach.networks.encoder import Encoder
from diffusion_teach.networks.gan import GAN
from diffusion_teach.networks.mlp import TimeMLP
from diffusion_teach.networks.network import Network
from diffusion_teach.networks.text_unet import TextUNet
from diffusion_teach.networks.unet import UNet
from diffusion_teach.networks.vae import VAE
from diffusion_teach.schedules import SCHEDULES

Architecture = Mapping[str, Any]


NETWORKS: Mapping[str, Callable[..., Network]] = MappingProxyType(
    {"mlp": TimeMLP, "text-unet": TextUNet, "unet": UNet, "latent-unet": LatentUNet}
)
"""By kind: the networks of denoisers, of points and of images, and one with noise of its own."""


def _denoiser(
    network: Architecture,
    schedule: Mapping[str, Any],
    target: str,
    unit_variance: bool = False,
    data_std: float = 1.0,
) -> Learned:
    with torch.device("cpu"):
        path = _built(schedule, "name", SCHEDULES)
    return Learned(_built(network, "kind", NETWORKS), path, target, unit_variance=unit_variance, data_std=data_std)


def _latent(autoencoder: Mapping[str, Any], network: Architecture, schedule: Mapping[str, Any], target: str) -> Latent:
    with torch.device("cpu"):
        path = _built(schedule, "name", SCHEDULES)
    made = _built({"kind": "autoencoder", **autoencoder}, "kind", {"autoencoder": Autoencoder})
    return Latent(made, _built(network, "kind", NETWORKS), path, target)


def _denoising_gan(network: Architecture, schedule: Mapping[str, Any], steps: int, target: str) -> DenoisingGAN:
    with torch.device("cpu"):
        path = _built(schedule, "name", SCHEDULES)
    return DenoisingGAN(_built(network, "kind", NETWORKS), path, steps, target)


def _distilled(network: Architecture, schedule: Mapping[str, Any], stop: float = 0.0, most: int = 1) -> Distilled:
    with torch.device("cpu"):
        path = _built(schedule, "name", SCHEDULES)
    return Distilled(_built(network, "kind", NETWORKS), path, stop=stop, most=most)


BUILDERS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "autoencoder": Autoencoder,
        "classifier": Classifier,
        "denoiser": _denoiser,
        "denoising-gan": _denoising_gan,
        "distilled": _distilled,
        "encoder": Encoder,
        "eye": Eye,
        "gan": GAN,
        "latent": _latent,
        "vae": VAE,
    }
)
"""By kind: what is called with the other settings of an architecture."""

LARGEST = 10_000
"""Any number in an architecture: more is a damaged card."""
_DDPM = {"kind": "denoiser", "schedule": {"name": "linear"}, "target": "v"}
_LARGE = {"kind": "unet", "blocks": 3, "dense": 512, "planes": 16}
BEFORE: Mapping[str, Architecture] = MappingProxyType(
    {
        "classifier": {"kind": "classifier"},
        "ddpm-mnist": {**_DDPM, "network": _LARGE},
        "ddpm-mnist-conditional": {**_DDPM, "network": {**_LARGE, "classes": 10}},
        "ddpm-stacked": {**_DDPM, "network": {"kind": "unet", "image_channels": 3, "planes": 16, "dense": 176}},
        "gan-mnist": {"kind": "gan", "width": None},
        "gan-stacked": {"kind": "gan", "width": None, "hidden": 100, "image_channels": 3},
        "ncsn-mnist": {
            **_DDPM,
            "network": _LARGE,
            "schedule": {"name": "ve", "sigma_min": 0.02, "sigma_max": 33.0},
            "unit_variance": True,
        },
        "rpgan-mnist": {"kind": "gan"},
        "rpgan-stacked": {"kind": "gan", "dense": 160, "image_channels": 3},
        "vae-mnist": {"kind": "vae", "width": 512},
    }
)
"""By recipe: the architectures of cards that were written before cards carried them. Frozen."""


def build(architecture: Architecture) -> nn.Module:
    """A model with fresh weights from torch's global generator.

    Args:
        architecture: `kind`, one of `BUILDERS`, and the settings of its builder.

    Raises:
        ValueError: an unknown kind, or settings that its builder does not take.
    """
    model: nn.Module = _built(architecture, "kind", BUILDERS)
    return model


def of_card(card: Mapping[str, Any]) -> Architecture:
    """The architecture that a card states, or for a card without one that of its recipe's name in `BEFORE`.

    Raises:
        ValueError: the card states none that this library can build.
    """
    found: Architecture | None = _checks.mapping("card", card, "a model card's fields").get("architecture")
    if found is None:
        found = BEFORE.get(str(card.get("recipe")))
    if found is None:
        raise ValueError(
            f"the card of recipe {card.get('recipe')!r} states no architecture that this library builds, one of "
            f"{', '.join(BUILDERS)}. Make your model, and fill it by model.load_state_dict(checkpoints.load(…))."
        )
    return found


def shapes(architecture: Architecture) -> dict[str, Tensor]:
    """The tensors that a model of this architecture has, without their memory: a card may state any size."""
    try:
        with torch.device("meta"):
            return build(architecture).state_dict()
    except RuntimeError as error:
        raise ValueError(f"a model of the architecture {dict(architecture)} cannot be built: {error}") from None


def _built(settings: Mapping[str, Any], key: str, builders: Mapping[str, Callable[..., Any]]) -> Any:
    """What the builder named by a key of the settings makes of the others."""
    if not isinstance(settings, Mapping):
        raise ValueError(f"architecture must be a mapping with {key!r}, got {_checks.describe(settings)}.")
    rest = dict(settings)
    name = _checks.choice(key, rest.pop(key, None), builders)
    for setting, value in rest.items():
        if isinstance(value, int) and value > LARGEST:
            raise ValueError(f"{setting} of {name!r} must be at most {LARGEST}, got {value}.")
    try:
        return builders[name](**rest)
    except TypeError as error:
        reason = str(error).removesuffix(".")
        raise ValueError(f"{name!r} cannot be built from {rest}: {reason}.") from None
