"""The exercises of chapter 11, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_11 import count_modes, expected_modes, generator_loss, r1_penalty
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    generator_loss.EXERCISE,
    r1_penalty.EXERCISE,
    count_modes.EXERCISE,
    expected_modes.EXERCISE,
)
"""In the order of the chapter."""
