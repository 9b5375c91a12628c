"""`cross-attention`: each place of a picture reads the words."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial


def cross_attention(
    places: Tensor,
    words: Tensor,
    to_query: Tensor,
    to_key: Tensor,
    to_value: Tensor,
) -> Tensor:
    """What each place (N, C) takes from the words (L, D), (N, d).

    The three matrices are (d, C), (d, D) and (d, D).
    """
    query, key, value = places @ to_query.T, words @ to_key.T, words @ to_value.T
    weights = (query @ key.T / query.shape[1] ** 0.5).softmax(1)
    return weights @ value


def _scores(p: Tensor, w: Tensor, q: Tensor, k: Tensor, divided: float | None = None) -> Tensor:
    size = q.shape[0] ** 0.5 if divided is None else divided
    return p @ q.T @ (w @ k.T).T / size


def _example(g: torch.Generator | None = None, places: int = 6, words: int = 4) -> tuple[Tensor, ...]:
    g = torch.Generator().manual_seed(5) if g is None else g
    shapes = ((places, 5), (words, 3), (8, 5), (8, 3), (8, 3))
    return tuple(torch.randn(shape, generator=g, dtype=torch.float64) for shape in shapes)


def _examine(answer: Answer) -> None:
    p, w, q, k, v = _example()
    value, expected = answer(p, w, q, k, v), cross_attention(p, w, q, k, v)
    if isinstance(value, Tensor) and value.shape == (4, 6):
        raise Wrong("those are weights, and transposed: a row for each place; and the answer is weights @ value.")
    if isinstance(value, Tensor) and value.shape == (6, 4):
        raise Wrong("those are the weights: the answer is what they make of the values, weights @ value.")
    if same(value, expected):
        return
    values = w @ v.T
    named = {
        "the softmax runs over the places: each place divides its attention among the words.": _scores(
            p, w, q, k
        ).softmax(0)
        @ values,
        "the scores are not divided by √d.": _scores(p, w, q, k, 1.0).softmax(1) @ values,
        "you divide by d: it is its root.": _scores(p, w, q, k, 8.0).softmax(1) @ values,
        "you divide by the root of the number of words: d is the width of a query.": _scores(p, w, q, k, 2.0).softmax(1)
        @ values,
        "the softmax is missing: weights are positive, and those of a place sum to one.": _scores(p, w, q, k) @ values,
        "you mix the keys: the values are what is passed on.": _scores(p, w, q, k).softmax(1) @ (w @ k.T),
        "keys and values are swapped.": _scores(p, w, q, v).softmax(1) @ (w @ k.T),
    }
    diagnose(
        value,
        named.items(),
        f"the first number should be {float(expected[0, 0]):.4f}; yours is {float(value[0, 0]):.4f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    words = int(torch.randint(2, 7, (), generator=g))
    return Trial(tuple(part.float() for part in _example(g, words=words)))


EXERCISE = Exercise(
    id="cross-attention",
    chapter="13_latent_diffusion",
    examine=_examine,
    solution=cross_attention,
    mistakes=(
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k).softmax(0) @ (w @ v.T), "over the places"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k, 1.0).softmax(1) @ (w @ v.T), "not divided by √d"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k, q.shape[0]).softmax(1) @ (w @ v.T), "it is its root"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k, len(w) ** 0.5).softmax(1) @ (w @ v.T), "number of words"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k) @ (w @ v.T), "softmax is missing"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k).softmax(1) @ (w @ k.T), "mix the keys"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, v).softmax(1) @ (w @ k.T), "swapped"),
        Mistake(lambda p, w, q, k, v: _scores(p, w, q, k).softmax(1), "those are the weights"),
    ),
    praise="the same layer reads captions of any length, and its weights say which word a place listens to.",
    trial=_trial,
)
