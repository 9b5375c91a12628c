"""How each checkpoint is made: a recipe decides everything, `training.run` does it.

    diffusion-teach train ddpm-mnist --out checkpoints

What compares them lies in `studies`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusion_teach.training.recipe import Recipe


@functools.cache
def _recipes() -> dict[str, Recipe]:
    """Every recipe that makes a checkpoint, by its name."""
    # Here and not above: `diffusion-teach --help` is in this package, and should not wait for torch.
    from diffusion_teach.recipes import classifier, diffusion, gan, vae

    every: tuple[Recipe, ...] = (
        diffusion.DDPM_MNIST,
        diffusion.DDPM_MNIST_CONDITIONAL,
        diffusion.NCSN_MNIST,
        vae.VAE_MNIST,
        gan.GAN_MNIST,
        gan.RPGAN_MNIST,
        diffusion.DDPM_STACKED,
        gan.GAN_STACKED,
        gan.RPGAN_STACKED,
        classifier.CLASSIFIER,
    )
    return {recipe.name: recipe for recipe in every}


def names() -> list[str]:
    """The names of all recipes."""
    return list(_recipes())


def get(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    from diffusion_teach import _checks

    return _recipes()[_checks.choice("recipe", name, _recipes())]
