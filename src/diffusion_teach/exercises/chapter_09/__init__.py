"""The exercises of chapter 9, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_09 import ddim_step, heun_step, look_ahead, rho_grid
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    ddim_step.EXERCISE,
    heun_step.EXERCISE,
    look_ahead.EXERCISE,
    rho_grid.EXERCISE,
)
"""In the order of the chapter."""
