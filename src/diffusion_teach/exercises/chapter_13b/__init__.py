"""The exercises of chapter 13b, a module each."""

from __future__ import annotations

from diffusion_teach.exercises.chapter_13b import low_rank_weight, nearest_code, new_word, table_bytes
from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    table_bytes.EXERCISE,
    low_rank_weight.EXERCISE,
    nearest_code.EXERCISE,
    new_word.EXERCISE,
)
"""In the order of the chapter."""
