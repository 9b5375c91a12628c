"""How each checkpoint is made: a recipe decides everything, `run.train` does it.

    diffusion-teach train ddpm-mnist --out checkpoints

`duel2d` is another kind: the search for the settings of chapter 11's duel, `python -m diffusion_teach.recipes.duel2d`.
"""

from __future__ import annotations

from diffusion_teach import _checks
from diffusion_teach.recipes import classifier, diffusion
from diffusion_teach.recipes.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (diffusion.DDPM_MNIST, diffusion.DDPM_MNIST_CONDITIONAL, classifier.CLASSIFIER)
}
"""Every recipe that makes a checkpoint, by its name."""


def names() -> list[str]:
    """The names of all recipes."""
    return list(RECIPES)


def get(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    return RECIPES[_checks.choice("recipe", name, RECIPES)]
