"""How each checkpoint is made: a recipe decides everything, `run.train` does it.

    diffusion-teach train ddpm-mnist --out checkpoints

`duel2d` is another kind: the search for the settings of chapter 11's duel, `python -m diffusion_teach.recipes.duel2d`.
`duel2d_seeds` trains two of its contenders with forty seeds. So is `stacked`, its duel with stacked digits: a search,
and a count of modes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusion_teach.recipes.recipe import Recipe

    RECIPES: dict[str, Recipe]
    """Every recipe that makes a checkpoint, by its name."""


@functools.cache
def _recipes() -> dict[str, Recipe]:
    # Here and not above: `diffusion-teach --help` is in this package, and should not wait for torch.
    from diffusion_teach.recipes import adversarial, classifier, diffusion, vae

    every: tuple[Recipe, ...] = (
        diffusion.DDPM_MNIST,
        diffusion.DDPM_MNIST_CONDITIONAL,
        diffusion.NCSN_MNIST,
        vae.VAE_MNIST,
        adversarial.GAN_MNIST,
        adversarial.RPGAN_MNIST,
        diffusion.DDPM_STACKED,
        adversarial.GAN_STACKED,
        adversarial.RPGAN_STACKED,
        classifier.CLASSIFIER,
    )
    return {recipe.name: recipe for recipe in every}


def __getattr__(name: str) -> Any:
    if name == "RECIPES":
        return _recipes()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
