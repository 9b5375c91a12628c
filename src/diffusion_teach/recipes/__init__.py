"""How each checkpoint is made: a recipe decides everything, `training.run` does it.

    diffusion-teach train ddpm-mnist --out checkpoints

What compares them lies in `studies`.
"""

from __future__ import annotations

from diffusion_teach import _checks
from diffusion_teach.recipes import (
    adversarial_distillation,
    autoencoder,
    canvas,
    classifier,
    consistency,
    denoising_gan,
    diffusion,
    encoder,
    gan,
    latent,
    likelihood,
    vae,
)
from diffusion_teach.training.recipe import Recipe

_RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        diffusion.DDPM_MNIST,
        diffusion.DDPM_MNIST_CONDITIONAL,
        diffusion.NCSN_MNIST,
        vae.VAE_MNIST,
        gan.GAN_MNIST,
        gan.RPGAN_MNIST,
        diffusion.DDPM_STACKED,
        gan.GAN_STACKED,
        gan.GAN_PENALISED_STACKED,
        gan.RPGAN_STACKED,
        denoising_gan.DDGAN_MNIST,
        consistency.CONSISTENCY_MNIST,
        adversarial_distillation.ADD_MNIST,
        classifier.CLASSIFIER,
        encoder.ENCODER,
        likelihood.LIKELIHOOD_MNIST,
        canvas.CANVAS_READER,
        canvas.CANVAS_EYE,
        autoencoder.CANVAS_AUTOENCODER,
        latent.LDM_DIGITS,
        latent.CANVAS_PIXELS,
    )
}


def names() -> list[str]:
    """The names of all recipes."""
    return list(_RECIPES)


def get(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    return _RECIPES[_checks.choice("recipe name", name, _RECIPES)]
