"""Rules for what is stored of a run: what nbval compares must be the same at each run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diffusion_teach import claims
from tools.notebook_rules.notebook import Notebook, note_of, tags, text_of

PICTURES = ("image/png", "image/jpeg")


def is_executed_in_order(notebook: Notebook) -> Iterator[str]:
    """Counts run from 1 to n: a cell without a count is never compared."""
    counts = [cell["execution_count"] for _, cell, _ in notebook.cells("code")]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}: run the notebook from the top in a fresh kernel"


def has_no_errors(notebook: Notebook) -> Iterator[str]:
    """No cell failed or warned."""
    for where, output in notebook.outputs():
        if output["output_type"] == "error":
            yield f"{where} ends with {output.get('ename')}"
        if output.get("name") == "stderr":
            yield f"{where} writes to stderr: {text_of(output)[:80]!r}"


def shows_only_text_and_pictures(notebook: Notebook) -> Iterator[str]:
    """PNG or JPEG for pictures, plain text for the rest: HTML, SVG, GIF and LaTeX are compared and vary."""
    for where, output in notebook.outputs():
        for kind in output.get("data", {}):
            if kind not in (*PICTURES, "text/plain"):
                yield f"{where} shows {kind}"


def shows_nothing_that_varies(notebook: Notebook) -> Iterator[str]:
    """No addresses, progress bars or measured numbers where nbval compares."""
    for where, output in notebook.outputs(compared=True):
        text = text_of(output)
        if re.search(r"\bat 0x[0-9a-fA-F]+", text):
            yield f"{where} shows an object's address: {text[:80]!r}"
        if re.search(r"\d%\||\bit/s\b|\bs/it\b|\r|\x1b", text):
            yield f"{where} shows a progress bar: {text[:80]!r}"
        for claim in claims.TABLE.values():
            text = text.replace(claim.line, "")  # its numbers are its bounds and stay
        if re.search(r"\d\.\d\d|\de[-+]?\d", text):
            yield f"{where} shows a number that may vary: {text[:80]!r}"


def keeps_to_its_claims(notebook: Notebook) -> Iterator[str]:
    """Each claim of the chapter is measured once, shows its line, and stands where it is compared."""
    chapter = notebook.path.stem
    expected = [claim.id for claim in claims.TABLE.values() if claim.chapter == chapter]
    shown = []
    for where, output in notebook.outputs():
        claim_id = note_of(output).get("claim")
        if claim_id is None:
            continue
        shown.append(claim_id)
        claim = claims.TABLE.get(claim_id)
        if claim is None or text_of(output) != claim.line:
            yield f"{where} shows {text_of(output)!r}, which is not the line of {claim_id} in the table"
        elif claim.failures(note_of(output)["measured"]):
            yield f"{where} stores figures with which {claim_id} does not hold"
    for where, cell, source in notebook.cells("code"):
        if "claims.check(" in source and "nbval-ignore-output" in tags(cell):
            yield f"{where} checks a claim where nothing is compared"
    if sorted(shown) != sorted(expected):
        yield f"shows the claims {sorted(shown)}, and the table has {sorted(expected)}"
    if len(expected) < 4:
        yield f"has {len(expected)} claims, a chapter has at least 4"


def describes_its_pictures(notebook: Notebook) -> Iterator[str]:
    """Each picture has an alternative text of some words."""
    for where, output in notebook.outputs():
        if any(kind in PICTURES for kind in output.get("data", {})) and len(note_of(output).get("alt", "").split()) < 4:
            yield f"{where} shows a picture without an alternative text: use plots.show(figure, alt=…)"
