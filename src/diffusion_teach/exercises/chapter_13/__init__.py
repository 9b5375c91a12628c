"""The exercises of chapter 13, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_13 import cross_attention, latent_scale, start_from_a_picture
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    latent_scale.EXERCISE,
    cross_attention.EXERCISE,
    start_from_a_picture.EXERCISE,
)
"""In the order of the chapter."""
