"""The exercises of chapter 1, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_01 import gaussian_kl, iwae_bound, reparameterise
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    gaussian_kl.EXERCISE,
    reparameterise.EXERCISE,
    iwae_bound.EXERCISE,
)
"""In the order of the chapter."""
