"""The exercises of chapter 2, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_02 import (
    lipschitz_penalty,
    one_turn_of_the_game,
    spectral_norm,
    wasserstein_in_one_dimension,
)
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    one_turn_of_the_game.EXERCISE,
    lipschitz_penalty.EXERCISE,
    spectral_norm.EXERCISE,
    wasserstein_in_one_dimension.EXERCISE,
)
"""In the order of the chapter."""
