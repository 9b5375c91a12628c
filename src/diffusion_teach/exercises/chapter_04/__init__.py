"""The exercises of chapter 4, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_04 import denoising_pair, fit_a_gaussian, slice_the_trace, tweedie
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    fit_a_gaussian.EXERCISE,
    denoising_pair.EXERCISE,
    tweedie.EXERCISE,
    slice_the_trace.EXERCISE,
)
"""In the order of the chapter."""
