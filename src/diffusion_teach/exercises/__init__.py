"""The book's exercises: each has a check that names the mistake, a solution, and the mistakes it is proven to name.

A notebook holds a stub and calls `exercises.check("exercise-id", the_function)`, which prints one line.

What an exercise is, `exercise` says; what its examiner compares with, `examining`; and how an answer is tried where the
examiner does not look, `trials`. A chapter's exercises are a package, such as `chapter_00`, with a module for each: its
solution, which the notebook shows, folded; its examiner; known mistakes; a trial; and the row `EXERCISE`.
"""

from __future__ import annotations

from diffusion_teach import _checks, _console
from diffusion_teach.exercises import (
    chapter_00,
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_13,
    chapter_13b,
)
from diffusion_teach.exercises.examining import Wrong, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial

__all__ = ["TABLE", "Answer", "Exercise", "Law", "Mistake", "Trial", "Wrong", "check", "same"]

TABLE: dict[str, Exercise] = {
    exercise.id: exercise
    for chapter in (
        chapter_00,
        chapter_01,
        chapter_02,
        chapter_03,
        chapter_04,
        chapter_05,
        chapter_06,
        chapter_07,
        chapter_08,
        chapter_09,
        chapter_10,
        chapter_11,
        chapter_13,
        chapter_13b,
    )
    for exercise in chapter.EXERCISES
}
"""Every exercise of the book, by its id."""


def check(exercise_id: str, answer: Answer) -> None:
    """Print what the exercise's examiner says of an answer: ✓ right, ✗ what is wrong, ○ not attempted yet."""
    _console.say(TABLE[_checks.choice("exercise_id", exercise_id, TABLE)].verdict(answer))
