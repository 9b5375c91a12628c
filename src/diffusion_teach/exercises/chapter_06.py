"""The exercises of chapter 06."""

from __future__ import annotations

from diffusion_teach.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
