"""The exercises of chapter 8, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_08 import bits_per_dimension, change_of_clothes, reverse_sde_step, trace_estimate
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    reverse_sde_step.EXERCISE,
    change_of_clothes.EXERCISE,
    trace_estimate.EXERCISE,
    bits_per_dimension.EXERCISE,
)
"""In the order of the chapter."""
