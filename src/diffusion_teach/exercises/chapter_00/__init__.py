"""The exercises of chapter 0, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_00 import count_the_nats, noise_once, push_the_dots, share_it_out
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    push_the_dots.EXERCISE,
    share_it_out.EXERCISE,
    noise_once.EXERCISE,
    count_the_nats.EXERCISE,
)
"""In the order of the chapter."""
