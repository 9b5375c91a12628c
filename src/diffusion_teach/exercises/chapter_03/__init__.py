"""The exercises of chapter 3, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_03 import bit_before, forget_step, parzen_window, reverse_step
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    forget_step.EXERCISE,
    bit_before.EXERCISE,
    reverse_step.EXERCISE,
    parzen_window.EXERCISE,
)
"""In the order of the chapter."""
