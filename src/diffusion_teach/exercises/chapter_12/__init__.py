"""The exercises of chapter 12, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_12 import best_gaussian, boundary, noised_judge, two_steps_in_one
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    best_gaussian.EXERCISE,
    two_steps_in_one.EXERCISE,
    boundary.EXERCISE,
    noised_judge.EXERCISE,
)
"""In the order of the chapter."""
