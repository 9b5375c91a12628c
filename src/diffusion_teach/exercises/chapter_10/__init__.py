"""The exercises of chapter 10, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_10 import drop_labels, guided_noise, pulled_noise, tilted_mean
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    drop_labels.EXERCISE,
    guided_noise.EXERCISE,
    pulled_noise.EXERCISE,
    tilted_mean.EXERCISE,
)
"""In the order of the chapter."""
