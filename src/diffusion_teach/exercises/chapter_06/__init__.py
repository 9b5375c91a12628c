"""The exercises of chapter 6, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_06 import ancestral_step, forward_sample, predict_x0
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    forward_sample.EXERCISE,
    predict_x0.EXERCISE,
    ancestral_step.EXERCISE,
)
"""In the order of the chapter."""
