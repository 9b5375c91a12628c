"""Rules for the code cells: how long and wide they are, what is folded, and which names they bind."""

from __future__ import annotations

from collections.abc import Iterator

from tools.notebook_rules.names import Names
from tools.notebook_rules.notebook import Notebook, tags, text_of

COLUMNS = 88  # what the page holds


def has_short_cells(notebook: Notebook) -> Iterator[str]:
    """A code cell is a thought: at most 25 lines."""
    for where, _, source in notebook.cells("code"):
        if len(source.splitlines()) > 25:
            yield f"{where} has {len(source.splitlines())} lines of code"


def fits_the_page(notebook: Notebook) -> Iterator[str]:
    """Code is at most as wide as the page's column, and so is what it prints, the library's source, or answers.

    The lines of claims and exercises are prose, which the page wraps.
    """
    for where, cell, source in notebook.cells("code"):
        printed = (
            text_of(output) for output in cell["outputs"] if output["output_type"] in ("stream", "execute_result")
        )
        for line in "\n".join([source, *printed]).splitlines():
            if len(line) > COLUMNS and not line.startswith(("✓", "○")):
                yield f"{where} has a line of {len(line)} columns, at most {COLUMNS}: {line.strip()[:60]!r}"


def folds_what_only_plots(notebook: Notebook) -> Iterator[str]:
    """A cell that shows a picture, checks no claim and makes nothing that a later cell needs is tagged `hide-input`."""
    cells = [(where, cell, source, Names(source)) for where, cell, source in notebook.cells("code")]
    for number, (where, cell, source, names) in enumerate(cells):
        needed = set().union(*(later.read for *_, later in cells[number + 1 :]))
        plots_only = "plots.show" in source and "claims.check(" not in source and not names.made & needed
        if plots_only and "hide-input" not in tags(cell):
            yield f"{where} only plots: tag it `hide-input`"


def can_run_any_cell_again(notebook: Notebook) -> Iterator[str]:
    """No global that a cell or a function reads is bound again, there or further down."""
    read: dict[str, str] = {}  # by name, the first cell that reads it
    bound: set[str] = set()
    imported: set[str] = set()
    for where, _, source in notebook.cells("code"):
        names = Names(source)
        for name in names.read:
            read.setdefault(name, where)
        again = names.bound & (bound | imported) | names.imported & bound
        for name in sorted(again & set(read)):
            yield f"{where} binds {name!r} again, which {read[name]} reads"
        bound |= names.bound
        imported |= names.imported
