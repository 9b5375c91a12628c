"""The exercises of chapter 7, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_07 import best_times, cosine_betas, loss_weight, zero_terminal_snr
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    cosine_betas.EXERCISE,
    loss_weight.EXERCISE,
    zero_terminal_snr.EXERCISE,
    best_times.EXERCISE,
)
"""In the order of the chapter."""
