"""`new-word`: a step that moves one word's numbers and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def new_word(table: Tensor, gradient: Tensor, word: int, lr: float) -> Tensor:
    """The table of embeddings (words, d) after a step of descent on one row, `word`."""
    moved = table.clone()
    moved[word] -= lr * gradient[word]
    return moved


def _draw(g: torch.Generator) -> tuple[Tensor, Tensor]:
    return torch.randn(6, 4, generator=g), torch.randn(6, 4, generator=g)


def _examine(answer: Answer) -> None:
    (table, gradient), word, lr = _draw(torch.Generator().manual_seed(6)), 2, 0.3
    value, expected = answer(table, gradient, word, lr), new_word(table, gradient, word, lr)
    if isinstance(value, Tensor) and value.shape == expected[word].shape:
        raise Wrong("that is the word's row alone: return the whole table.")
    if same(value, expected):
        return
    only = torch.zeros(6, 1)
    only[word] = 1
    last = torch.zeros(6, 1)
    last[-1] = 1
    diagnose(
        value,
        {
            "every word has moved: the old ones would no longer mean what they meant.": table - lr * gradient,
            "the old words have moved, and the new one has not.": table - lr * (1 - only) * gradient,
            "up the gradient: the loss rises.": table + lr * only * gradient,
            "the learning rate is missing.": table - only * gradient,
            "the last row has moved; which one is new, `word` says.": table - lr * last * gradient,
            "the word is replaced by its step: keep what it was, and add the step.": table * (1 - only)
            - lr * only * gradient,
            "the other rows are gone: they stay as they are.": only * (table - lr * gradient),
            "nothing has moved.": table,
            "the whole gradient's sum moves the word: its own row does.": table - lr * only * gradient.sum(0),
        }.items(),
        "the row of the new word should be its numbers less lr times its gradient, and all other rows as they were.",
    )


def _trial(g: torch.Generator) -> Trial:
    word = int(torch.randint(6, (), generator=g))
    return Trial((*_draw(g), word, uniform(g, 0.1, 1.0)))


def _only(table: Tensor, word: int) -> Tensor:
    row = torch.zeros(len(table), 1)
    row[word] = 1
    return row


EXERCISE = Exercise(
    id="new-word",
    chapter="13b_open_weights",
    examine=_examine,
    solution=new_word,
    mistakes=(
        Mistake(lambda t, g, w, lr: t - lr * g, "every word has moved"),
        Mistake(lambda t, g, w, lr: t - lr * (1 - _only(t, w)) * g, "the new one has not"),
        Mistake(lambda t, g, w, lr: t + lr * _only(t, w) * g, "up the gradient"),
        Mistake(lambda t, g, w, lr: t - _only(t, w) * g, "learning rate is missing"),
        Mistake(lambda t, g, w, lr: t - lr * _only(t, -1) * g, "the last row has moved"),
        Mistake(lambda t, g, w, lr: t * (1 - _only(t, w)) - lr * _only(t, w) * g, "replaced by its step"),
        Mistake(lambda t, g, w, lr: _only(t, w) * (t - lr * g), "other rows are gone"),
        Mistake(lambda t, g, w, lr: t * 1, "nothing has moved"),
        Mistake(lambda t, g, w, lr: t - lr * _only(t, w) * g.sum(0), "its own row does"),
        Mistake(lambda t, g, w, lr: t[w] - lr * g[w], "row alone"),
    ),
    praise="a word of a few dozen numbers is the smallest thing that a trained model can be taught.",
    trial=_trial,
)
