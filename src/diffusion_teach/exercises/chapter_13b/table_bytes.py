"""`table-bytes`: the memory of an attention's table."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def table_bytes(
    side: Tensor,
    heads: int,
    pictures: int,
    guided: bool,
    bytes_each: float,
) -> Tensor:
    """Bytes of the tables in which side × side places look at one another.

    Each head has one for each row; sides are (n,), and so are the answers.
    """
    rows = 2 * pictures if guided else pictures
    return rows * heads * side**4 * bytes_each


def _examine(answer: Answer) -> None:
    side, heads, pictures, bytes_each = torch.tensor([8.0, 16.0, 5.0]), 5, 3, 4.0
    for guided in (True, False):
        right = table_bytes(side, heads, pictures, guided, bytes_each)
        value = answer(side, heads, pictures, guided, bytes_each)
        if same(value, right):
            continue
        other = table_bytes(side, heads, pictures, not guided, bytes_each)
        diagnose(
            value,
            {
                "side × side places are compared with side × side places: that is side⁴ entries.": right / side**2,
                "there are side² places, and the table has an entry for each *pair* of them: side⁴.": right / side**3,
                "each head has a table of its own.": right / heads,
                "a number takes more than one byte.": right / bytes_each,
                "each picture has a table of its own.": right / pictures,
                "guidance asks with the words and without: two rows a picture where it is on, else one.": other,
                "the channels are shared out among the heads; the table is not.": right / heads**2,
            }.items(),
            f"for a side of 8 expected {float(right[0]):,.0f} bytes, yours are {float(value[0]):,.0f}.",
        )


def _trial(g: torch.Generator) -> Trial:
    heads, pictures, guided = (int(torch.randint(1, high, (), generator=g)) for high in (9, 5, 3))
    side = torch.randint(2, 9, (4,), generator=g).float()
    return Trial((side, heads, pictures, guided == 1, uniform(g, 1.0, 8.0)))


EXERCISE = Exercise(
    id="table-bytes",
    chapter="13b_open_weights",
    examine=_examine,
    solution=table_bytes,
    mistakes=(
        Mistake(lambda s, h, p, g, b: (1 + g) * p * h * s**2 * b, "side⁴ entries"),
        Mistake(lambda s, h, p, g, b: (1 + g) * p * h * s * b, "each *pair*"),
        Mistake(lambda s, h, p, g, b: (1 + g) * p * s**4 * b, "each head"),
        Mistake(lambda s, h, p, g, b: (1 + g) * p * h * s**4, "more than one byte"),
        Mistake(lambda s, h, p, g, b: (1 + g) * h * s**4 * b, "each picture"),
        Mistake(lambda s, h, p, g, b: p * h * s**4 * b, "guidance asks"),
        Mistake(lambda s, h, p, g, b: (1 + g) * p * s**4 / h * b, "shared out among the heads"),
    ),
    praise="twice the side is sixteen times the memory: that is why attention stops at 64 × 64, and why it is sliced.",
    trial=_trial,
)
