"""The exercises of chapter 5, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_05 import anneal, langevin_step, ncsn_loss
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    langevin_step.EXERCISE,
    ncsn_loss.EXERCISE,
    anneal.EXERCISE,
)
"""In the order of the chapter."""
