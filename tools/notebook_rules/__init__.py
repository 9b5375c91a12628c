"""What every notebook of the book must keep to: one function a rule, which yields what is wrong.

nbval runs each cell again and compares text, printed output, HTML, LaTeX, SVG and GIF with what is stored. So nothing
that may vary may stand there (`outputs`). The other rules keep the chapters readable everywhere and alike: their text
(`prose`), their code (`code`), and their plan (`form`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.notebook_rules.code import can_run_any_cell_again, fits_the_page, folds_what_only_plots, has_short_cells
from tools.notebook_rules.form import has_a_head, has_its_sections, is_small, is_stamped, is_valid
from tools.notebook_rules.notebook import Notebook
from tools.notebook_rules.outputs import (
    describes_its_pictures,
    has_no_errors,
    is_executed_in_order,
    keeps_to_its_claims,
    shows_nothing_that_varies,
    shows_only_text_and_pictures,
)
from tools.notebook_rules.prose import folds_so_that_it_works_everywhere, is_plain_markdown, points_to_what_exists

__all__ = [
    "RULES",
    "Notebook",
    "can_run_any_cell_again",
    "describes_its_pictures",
    "fits_the_page",
    "folds_so_that_it_works_everywhere",
    "folds_what_only_plots",
    "has_a_head",
    "has_its_sections",
    "has_no_errors",
    "has_short_cells",
    "is_executed_in_order",
    "is_plain_markdown",
    "is_small",
    "is_stamped",
    "is_valid",
    "keeps_to_its_claims",
    "points_to_what_exists",
    "shows_nothing_that_varies",
    "shows_only_text_and_pictures",
]

RULES: tuple[Callable[[Notebook], Iterator[str]], ...] = (
    is_valid,
    is_executed_in_order,
    has_no_errors,
    shows_only_text_and_pictures,
    shows_nothing_that_varies,
    keeps_to_its_claims,
    is_small,
    has_short_cells,
    fits_the_page,
    folds_what_only_plots,
    can_run_any_cell_again,
    is_stamped,
    has_a_head,
    has_its_sections,
    folds_so_that_it_works_everywhere,
    describes_its_pictures,
    is_plain_markdown,
    points_to_what_exists,
)
