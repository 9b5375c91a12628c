"""Names that the command line offers before torch is loaded; what they mean stands where they are used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

PRECISIONS = ("auto", "float32", "bfloat16")
SAMPLERS = ("ancestral", "sde_dpm_solver", "ddim", "dpm_solver", "euler", "heun", "annealed_langevin")
SUFFIXES = (".npz", ".png", ".gif")


def near(value: object, names: Iterable[str]) -> str:
    """What an error about an unknown name ends with: the nearest one, if there is any."""
    found = difflib.get_close_matches(str(value), list(names), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""
