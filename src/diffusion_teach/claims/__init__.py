"""What each chapter claims, and the check that shows a claim or fails.

The table is `TABLE`, one `Claim` a row, kept by chapter in the modules beside this one. A notebook measures and calls

    claims.check("hyvarinen-fit", theta1_error=…, theta2_error=…)

which raises `ClaimError` where the claim does not hold, and else shows its line, `✓ id: sentence`. The measured figures
travel in the output's metadata: no test compares them, and the book's ledger prints them.
"""

from __future__ import annotations

from IPython import get_ipython
from IPython.display import display

from diffusion_teach import _checks, _console
from diffusion_teach.claims import (
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
from diffusion_teach.claims.claim import Bound, Claim, Measured, as_floats, at_least, at_most, between

__all__ = ["TABLE", "Bound", "Claim", "ClaimError", "Measured", "at_least", "at_most", "between", "check", "summary"]

TABLE: dict[str, Claim] = {
    claim.id: claim
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
    for claim in chapter.CLAIMS
}
"""Every claim of the book, by its id."""


_shown: dict[str, None] = {}  # the claims that held in this process, in the order of their checks


class ClaimError(AssertionError):
    """A claim of the book that does not hold."""


def check(claim_id: str, **measured: Measured) -> None:
    """Hold a claim against what was measured: show its line, or raise.

    Args:
        claim_id: the claim's id in `TABLE`.
        measured: its figures by name, each a number, or several that must all hold.

    Raises:
        ClaimError: when a figure lies outside its bound.
        ValueError: for an unknown claim or figure, or a missing figure.
    """
    claim = TABLE[_checks.choice("claim_id", claim_id, TABLE)]
    failures = claim.failures(measured)
    if failures:
        raise ClaimError(f"✗ {claim.id}: {claim.sentence} But {'; '.join(failures)}.")
    _shown[claim.id] = None
    if get_ipython() is None:
        _console.say(claim.line)
        return
    figures = {name: [float(f"{v:.6g}") for v in as_floats(name, value)] for name, value in measured.items()}
    note = {"claim": claim.id, "measured": {name: v[0] if len(v) == 1 else v for name, v in figures.items()}}
    display({"text/plain": claim.line}, raw=True, metadata={"diffusion_teach": note})


def summary(chapter: str) -> None:
    """Print the claims of a chapter, all of which must have been checked since the kernel started.

    Args:
        chapter: the notebook's name without its ending, such as "04_score_matching".

    Raises:
        ClaimError: when one of them was not checked.
    """
    chosen = _checks.choice("chapter", chapter, {claim.chapter for claim in TABLE.values()})
    lines = [claim.line for claim in TABLE.values() if claim.chapter == chosen and claim.id in _shown]
    unchecked = [claim.id for claim in TABLE.values() if claim.chapter == chosen and claim.id not in _shown]
    if unchecked:
        raise ClaimError(f"not checked yet: {', '.join(unchecked)}. Run the cells above, from the top.")
    _console.say("\n".join(lines))
