"""Rules for the notebook as a whole: its file, its head, its sections."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import nbformat

from tools import stamp
from tools.notebook_rules.notebook import Notebook, tags, without_code

SECTIONS = ("What we claimed", "Exercises", "Go deeper")
HEAD = {  # as a table or as a list
    "minutes to read": r"^[|-] \*\*(Minutes to read|Reading:)\*\*[ |]+(about )?\d+",
    "seconds to run": r"^[|-] \*\*(Seconds to run|Running:)\*\*[ |]+(about )?\d+",
    "what it needs": r"^[|-] \*\*(You need|Needs:)\*\*[ |]+\w",
    "what one can do afterwards": r"^[|-] \*\*Afterwards you can:?\*\*[ |]+\w",
}


def is_valid(notebook: Notebook) -> Iterator[str]:
    """The file follows the notebook format, with an id for each cell."""
    ids = [cell.get("id") for cell in notebook.content["cells"]]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or repeated"
        return
    try:
        nbformat.validate(nbformat.from_dict(notebook.content))
    except nbformat.ValidationError as error:
        yield f"is not a valid notebook: {str(error).splitlines()[0]}"


def is_small(notebook: Notebook) -> Iterator[str]:
    """At most 500 KB, or 1 MB with an animation."""
    pictures = (
        base64.b64decode("".join(output.get("data", {}).get("image/png", ""))) for _, output in notebook.outputs()
    )
    animated = any(b"acTL" in picture[:200] for picture in pictures)  # the chunk that makes a PNG an animation
    limit = 1_000_000 if animated else 500_000
    if notebook.size > limit:
        yield f"is {notebook.size / 1000:.0f} KB, at most {limit / 1000:.0f} KB"


def is_stamped(notebook: Notebook) -> Iterator[str]:
    """The Colab badge under the title and the install cell are those of tools/stamp.py."""
    url, branch = stamp.repository()
    first = next(source for _, _, source in notebook.cells("markdown"))
    if stamp.badge(notebook.path.name, url, branch) not in first.splitlines():
        yield "has no Colab badge under its title: python tools/stamp.py writes it where one stands"
    cell, source = next((cell, source) for _, cell, source in notebook.cells("code"))
    if "install" not in tags(cell) or source != stamp.INSTALL.format(url=url):
        yield "its first code cell is not the install cell: tag it `install` and run python tools/stamp.py"
    elif cell["outputs"]:
        yield "its install cell has outputs"


def has_a_head(notebook: Notebook) -> Iterator[str]:
    """The first cell has the title and says how long it takes, what it needs and what one gains."""
    first = next(source for _, _, source in notebook.cells("markdown"))
    if not first.startswith("# "):
        yield "does not begin with its title"
    for what, pattern in HEAD.items():
        if not re.search(pattern, first, re.MULTILINE):
            yield f"does not say {what} at its head, as in {pattern}"


def has_its_sections(notebook: Notebook) -> Iterator[str]:
    """One title, the three sections that every chapter has, and two to five exercises."""
    lines = [line for _, _, source in notebook.cells("markdown") for line in without_code(source).splitlines()]
    if sum(line.startswith("# ") for line in lines) != 1:
        yield "has not exactly one title"
    for section in SECTIONS:
        if f"## {section}" not in lines:
            yield f"has no section {section!r}"
    exercises = sum("exercises.check(" in source for _, _, source in notebook.cells("code"))
    if not 2 <= exercises <= 5:
        yield f"has {exercises} exercises, a chapter has 2 to 5"
